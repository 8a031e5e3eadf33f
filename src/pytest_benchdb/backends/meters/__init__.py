"""Built-in meters: a module for each library or kind of file, implementing `interfaces.Meter`, for `measure.energy`."""

import sys

from pytest_benchdb.interfaces import Meter


def meters(platform: str = sys.platform) -> list[Meter]:
    """Return the built-in meters for a `sys.platform`; they have not touched any library or file yet.

    They include the meter of the simulated machine, whose domains belong to simulated devices only.
    """
    from pytest_benchdb.backends.meters.amdsmi import AmdsmiMeter
    from pytest_benchdb.backends.meters.macos import MacosMeter
    from pytest_benchdb.backends.meters.nvml import NvmlMeter
    from pytest_benchdb.backends.meters.rapl import RaplMeter
    from pytest_benchdb.backends.sim import SimMeter

    hosts: dict[str, list[Meter]] = {"linux": [RaplMeter()], "darwin": [MacosMeter()]}
    return [NvmlMeter(), AmdsmiMeter(), *hosts.get(platform, []), SimMeter()]
