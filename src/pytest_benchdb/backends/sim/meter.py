"""Reads the sensors of the simulated machine."""

from collections.abc import Mapping, Sequence

from pytest_benchdb.backends.sim.machine import SimMachine, this_machine
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

_GAUGES = {"power": "W", "temperature": "K", "clock_frequency": "Hz", "device_used": "B"}


class SimMeter:
    """Every sensor of a simulated machine; a reading takes simulated time and nothing else does.

    Attributes:
        machine: what is read.
        absent: sensors that the machine's profile leaves out, with the reason.
    """

    name = "sim"
    provenance: Provenance = "simulated"

    def __init__(self, machine: SimMachine | None = None) -> None:
        self.machine = this_machine() if machine is None else machine
        self.absent: dict[str, str] = {
            f"{self.machine.uuid(index)}/{sensor}": "NOT_SUPPORTED"
            for index in range(self.machine.profile.devices)
            for sensor in sorted(self.machine.profile.not_supported)
        }

    def probe(self) -> Probe:
        """Return that it is always there."""
        return Probe(available=True)

    def domains(self) -> Sequence[Domain]:
        """Return one energy counter and four gauges for each device, less what is not supported."""
        profile = self.machine.profile
        domains: list[Domain] = []
        for index in range(profile.devices):
            uuid = self.machine.uuid(index)
            if "energy" not in profile.not_supported:
                domains.append(
                    Domain(
                        name=f"{uuid}/energy",
                        metric="energy",
                        unit="J",
                        kind="counter",
                        scope="device",
                        device_uuid=uuid,
                        tick_s=profile.tick_s if profile.reports_tick else None,
                        range=profile.wrap_j,
                    )
                )
            domains += [
                Domain(
                    name=f"{uuid}/{metric}", metric=metric, unit=unit, kind="gauge", scope="device", device_uuid=uuid
                )
                for metric, unit in _GAUGES.items()
                if metric not in profile.not_supported
            ]
        return domains

    def read(self) -> Mapping[str, Reading]:
        """Read every sensor at one simulated moment."""
        machine = self.machine
        machine.advance(machine.profile.read_s)
        now_ns = machine.now_ns
        if machine.is_lost:
            return {d.name: Reading(None, now_ns, f"{d.name}: the simulated machine is lost") for d in self.domains()}
        readings: dict[str, Reading] = {}
        for index, state in enumerate(machine.states):
            values = {
                "energy": machine.counter_j(index),
                "power": state.watts,
                "temperature": machine.temperature_k(index),
                "clock_frequency": machine.clock_hz(index),
                "device_used": float(state.allocated_bytes),
            }
            for metric, value in values.items():
                if metric not in machine.profile.not_supported:
                    readings[f"{machine.uuid(index)}/{metric}"] = Reading(value, now_ns)
        return readings

    def sleep(self, seconds: float) -> None:
        """Let simulated time pass, with every device idle."""
        self.machine.advance(seconds)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""
