"""Sensors: a module for each library or kind of file, behind `interfaces.Meter`; `measure.energy` uses them."""

import sys

from pytest_benchdb.interfaces import Meter


def meters(platform: str = sys.platform) -> list[Meter]:
    """Return the built-in meters of a system, `sys.platform`; none has touched a library or a file yet.

    The meter of the simulated machine is among them: its domains belong to simulated devices only.
    """
    from pytest_benchdb.backends.meters.amdsmi import AmdsmiMeter
    from pytest_benchdb.backends.meters.macos import MacosMeter
    from pytest_benchdb.backends.meters.nvml import NvmlMeter
    from pytest_benchdb.backends.meters.rapl import RaplMeter
    from pytest_benchdb.backends.sim import SimMeter

    hosts: dict[str, list[Meter]] = {"linux": [RaplMeter()], "darwin": [MacosMeter()]}
    return [NvmlMeter(), AmdsmiMeter(), *hosts.get(platform, []), SimMeter()]
