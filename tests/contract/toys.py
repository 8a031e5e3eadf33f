"""A backend and a meter that pass their contracts; tests break one part after another."""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

DEVICE = Device(device_id="toy-0", backend="toy", name="Toy", uuid="TOY-0", memory_bytes=1 << 20)
ENERGY = Domain(name="toy/energy", metric="energy", unit="J", kind="counter", scope="device", range=1000.0)
POWER = Domain(name="toy/power", metric="power", unit="W", kind="gauge", scope="device", tick_s=0.1)


class ToyDevice:
    """An open device; its methods can be replaced one by one."""

    def __init__(self) -> None:
        self.device = DEVICE
        self.handle: object = "toy:0"
        self.sync_mode: str | None = "toy.wait"
        self.clock_ns: Callable[[], int] = time.perf_counter_ns
        self.mark: Callable[[], object | None] = time.perf_counter_ns
        self.elapsed_s: Callable[[Any, Any], float] = lambda begin, end: (end - begin) / 1e9
        self.memory: Callable[[], Mapping[str, float]] = lambda: {"device_peak": 512.0, "device_reserved": 4096.0}
        self.flush_cache: Callable[[], bool] = lambda: False
        self.is_out_of_memory: Callable[[BaseException], bool] = lambda error: isinstance(error, MemoryError)
        self.close: Callable[[], None] = lambda: None

    def synchronize(self) -> None:
        """Return at once."""

    def reset_memory(self) -> None:
        """Do nothing."""


class Toy:
    """A backend; its methods can be replaced one by one."""

    def __init__(self) -> None:
        self.name = "toy"
        self.provenance: Provenance = "measured"
        self.opened = ToyDevice()
        self.probe: Callable[[], Probe] = lambda: Probe(available=True, versions={"toy": "1.0"})
        self.devices: Callable[[], Sequence[Device]] = lambda: [DEVICE]

    def open(self, device: Device) -> ToyDevice:
        if device.uuid != DEVICE.uuid:
            raise BackendUnavailableError(f"toy: no device {device.uuid}")
        return self.opened


class ToyMeter:
    """A meter; its methods can be replaced one by one."""

    def __init__(self) -> None:
        self.name = "toy"
        self.provenance: Provenance = "measured"
        self.counted = 5.0
        self.probe: Callable[[], Probe] = lambda: Probe(available=True)
        self.domains: Callable[[], Sequence[Domain]] = lambda: [ENERGY, POWER]
        self.close: Callable[[], None] = lambda: None
        self.read: Callable[[], Mapping[str, Reading]] = self.read_all

    def read_all(self) -> dict[str, Reading]:
        self.counted += 0.5
        now_ns = time.monotonic_ns()
        return {ENERGY.name: Reading(self.counted, now_ns), POWER.name: Reading(20.0, now_ns)}


def run(contract: object, name: str, **fixtures: object) -> None:
    """Run one test of a contract, with those of these fixtures that it needs."""
    test = getattr(contract, name)
    test(**{wanted: fixtures[wanted] for wanted in inspect.signature(test).parameters})


def promises_of(contract: type) -> list[str]:
    """Return the names of a contract's tests."""
    return sorted(name for name in dir(contract) if name.startswith("test_"))
