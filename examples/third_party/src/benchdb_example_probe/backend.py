"""Where code runs: `pytest_benchdb.interfaces.Backend` for the toy, with the fixture `bench_example`."""

import time
from collections.abc import Mapping, Sequence

from benchdb_example_probe.accelerator import FIRMWARE, Accelerator, OutOfMemoryError, this_accelerator
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe

UUID = "EXAMPLE-0"
DEVICE = Device(
    device_id=content_id("example", "Toy accelerator", UUID),
    backend="example",
    name="Toy accelerator",
    uuid=UUID,
    memory_bytes=Accelerator.memory_bytes,
    driver=FIRMWARE,
)


class OpenExample:
    """The toy in use: `pytest_benchdb.interfaces.OpenDevice`."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.device = DEVICE
        self.handle: object = accelerator
        self.sync_mode: str | None = "wait"
        self._accelerator = accelerator

    def clock_ns(self) -> int:
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        self._accelerator.wait()

    def mark(self) -> object | None:
        return self._accelerator.record()

    def elapsed_s(self, begin: object, end: object) -> float:
        if not isinstance(begin, list) or not isinstance(end, list):
            raise TypeError(f"{begin!r} and {end!r} are not marks of this device")
        return float(end[0] - begin[0]) / 1e9

    def reset_memory(self) -> None:
        self._accelerator.peak_bytes = self._accelerator.allocated_bytes

    def memory(self) -> Mapping[str, float]:
        # It reserves nothing beyond what it hands out, so "device_reserved" is left out: absent, not 0.
        return {"device_peak": float(self._accelerator.peak_bytes)}

    def flush_cache(self) -> bool:
        return False  # it has no cache, so a round can never be cold

    def is_out_of_memory(self, error: BaseException) -> bool:
        return isinstance(error, OutOfMemoryError)

    def close(self) -> None:
        self._accelerator.wait()


class ExampleBackend:
    """The kind of hardware."""

    name = "example"
    # No hardware is behind it, so every row says so, and rankings and gates leave it out.
    # A backend of real hardware says "measured".
    provenance: Provenance = "simulated"

    def probe(self) -> Probe:
        # Look for the library here (importlib.util.find_spec), and never raise.
        return Probe(available=True, versions={"example": FIRMWARE})

    def devices(self) -> Sequence[Device]:
        return [DEVICE]

    def open(self, device: Device) -> OpenExample:
        if device.uuid != UUID:
            raise BackendUnavailableError(f"example: there is no device {device.uuid}")
        accelerator = this_accelerator()
        accelerator.dot([1.0], [1.0])  # one tiny operation: what is broken fails here, with its own text
        accelerator.wait()
        return OpenExample(accelerator)
