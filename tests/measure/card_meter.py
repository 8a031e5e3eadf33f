"""A meter of one GPU whose readings the tests set."""

from collections.abc import Collection, Mapping, Sequence

from pytest_benchdb.model.metric import METRICS, Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

CLOCK, HEAT = "GPU-a/clock_sm", "GPU-a/temperature"
CAP, THERMAL = "GPU-a/throttle_power_cap", "GPU-a/throttle_thermal_software"
NOW_HOT = "GPU-a/slowed_thermal_hardware"
KINDS = {
    CLOCK: "clock_frequency",
    HEAT: "temperature",
    CAP: "throttle_time",
    THERMAL: "throttle_time",
    NOW_HOT: "throttled",
}


class Card:
    """A meter of one GPU; `asked` has the domains of each reading."""

    name = "card"
    provenance: Provenance = "measured"

    def __init__(self, **values: float | None) -> None:
        self.values: dict[str, float | None] = {
            f"GPU-a/{name}": value for name, value in {"clock_sm": 1.98e9, "temperature": 330.0, **values}.items()
        }
        self.now_ns = 0
        self.asked: list[set[str]] = []

    def probe(self) -> Probe:
        return Probe(available=True)

    def domains(self) -> Sequence[Domain]:
        return [
            Domain(
                name=name,
                metric=KINDS[name],
                unit=METRICS[KINDS[name]].unit,
                kind="counter" if KINDS[name] == "throttle_time" else "gauge",
                scope="device",
                device_uuid="GPU-a",
            )
            for name in self.values
        ]

    def read_some(self, domains: Collection[str]) -> Mapping[str, Reading]:
        self.asked.append(set(domains))
        return {
            name: Reading(self.values[name], self.now_ns, None if self.values[name] is not None else "Not Supported")
            for name in domains
        }

    def read(self) -> Mapping[str, Reading]:
        return self.read_some(self.values)

    def close(self) -> None:
        pass

    def pass_s(self, seconds: float, **changes: float | None) -> None:
        self.now_ns += round(seconds * 1e9)
        self.values |= {f"GPU-a/{name}": value for name, value in changes.items()}
