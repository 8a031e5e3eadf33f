"""A device whose every time, peak and power is given: what is measured on it is known before.

It works as an accelerator does: the host launches kernels, which takes time, and the device runs them one after the
other on a timeline of its own. All time is simulated and passes only while the host launches, waits or sleeps.
"""

import functools
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

UUID = "MODEL-0"
_NS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """How the device behaves; times in seconds.

    Attributes:
        launch_s: time of the host to launch a kernel.
        kernel_s: time of the device for a kernel.
        cold_kernel_s: the same after its caches were emptied.
        wait_s: time of the host to notice that the device is done.
        mark_s: time of the host to place a mark.
        flush_s: time of the device to empty its caches.
        compile_s: additional time of the host in the first calls of a function, one for each of them.
        idle_w: power without work.
        busy_w: power at work.
        tick_s: update interval of the energy counter.
        memory_bytes: memory of the device.
        result_bytes: memory that a call allocates while it runs.
    """

    launch_s: float = 8e-6
    kernel_s: float = 20e-6
    cold_kernel_s: float = 60e-6
    wait_s: float = 5e-6
    mark_s: float = 1e-6
    flush_s: float = 30e-6
    compile_s: tuple[float, ...] = ()
    idle_w: float = 100.0
    busy_w: float = 500.0
    tick_s: float = 0.02
    memory_bytes: int = 1 << 34
    result_bytes: int = 0


class ModelMachine:
    """The host and the device.

    Attributes:
        profile: their behaviour.
        now_s: the host's clock.
        busy_until_s: when the device will have done all its work.
        allocated_bytes: memory in use.
        peak_bytes: largest memory in use since it was last reset.
    """

    def __init__(self, profile: ModelProfile | None = None) -> None:
        """Switch the machine on."""
        self.profile = profile or ModelProfile()
        self.now_s = 0.0
        self.busy_until_s = 0.0
        self.allocated_bytes = 0
        self.peak_bytes = 0
        self._is_cold = False
        self._done_s = 0.0
        self._ahead: deque[tuple[float, float]] = deque()  # beginning and end of work that may not be done yet

    def spend(self, seconds: float) -> None:
        """Let the host work or sleep."""
        self.now_s += seconds

    def queue(self, seconds: float) -> None:
        """Give the device work that it does after all earlier work."""
        begin_s = max(self.now_s, self.busy_until_s)
        self.busy_until_s = begin_s + seconds
        self._ahead.append((begin_s, self.busy_until_s))
        while self._ahead[0][1] <= self.now_s - 2 * self.profile.tick_s:
            begin_s, end_s = self._ahead.popleft()
            self._done_s += end_s - begin_s

    def launch(self, kernel_s: float | None = None, *, cold_kernel_s: float | None = None) -> None:
        """Launch a kernel; None takes the times of the profile."""
        profile = self.profile
        self.spend(profile.launch_s)
        if self._is_cold:
            self.queue(profile.cold_kernel_s if cold_kernel_s is None else cold_kernel_s)
        else:
            self.queue(profile.kernel_s if kernel_s is None else kernel_s)
        self._is_cold = False

    def wait(self) -> None:
        """Let the host wait for the device."""
        self.now_s = max(self.now_s, self.busy_until_s) + self.profile.wait_s

    def empty_caches(self) -> None:
        """Let the device empty its caches."""
        self.queue(self.profile.flush_s)
        self._is_cold = True

    def allocate(self, size_bytes: int) -> None:
        """Allocate memory.

        Raises:
            MemoryError: there is not enough.
        """
        if self.allocated_bytes + size_bytes > self.profile.memory_bytes:
            raise MemoryError(f"the model device has {self.profile.memory_bytes} bytes, {size_bytes} more do not fit")
        self.allocated_bytes += size_bytes
        self.peak_bytes = max(self.peak_bytes, self.allocated_bytes)

    def free(self, size_bytes: int) -> None:
        """Free memory."""
        self.allocated_bytes -= size_bytes

    def busy_s(self, at_s: float) -> float:
        """Return how long the device was at work until a moment, at most two ticks of the counter ago."""
        return self._done_s + sum(max(0.0, min(end_s, at_s) - begin_s) for begin_s, end_s in self._ahead)

    def energy_j(self, at_s: float) -> float:
        """Return the energy until a moment."""
        profile = self.profile
        return profile.idle_w * at_s + (profile.busy_w - profile.idle_w) * self.busy_s(at_s)


class ModelFunction:
    """A function for the device, as a test would call it: it launches kernels and returns."""

    def __init__(self, machine: ModelMachine, kernels: int = 1) -> None:
        """Take the machine, and the number of kernels in a call."""
        self._machine = machine
        self._kernels = kernels
        self._compile_s = list(machine.profile.compile_s)

    def __call__(self) -> None:
        """Launch the kernels; compile before, if that is still to do."""
        machine = self._machine
        if self._compile_s:
            machine.spend(self._compile_s.pop(0))
        machine.allocate(machine.profile.result_bytes)
        for _ in range(self._kernels):
            machine.launch()
        machine.free(machine.profile.result_bytes)


class OpenModel:
    """The device in use; the handle is its machine."""

    def __init__(self, machine: ModelMachine, device: Device) -> None:
        self.device = device
        self.handle: object = machine
        self.sync_mode: str | None = "model.wait"
        self._machine = machine

    def clock_ns(self) -> int:
        """Return the host's time, nanoseconds."""
        return round(self._machine.now_s * _NS)

    def synchronize(self) -> None:
        """Wait for the device."""
        self._machine.wait()

    def mark(self) -> object | None:
        """Place a mark; the host spends `mark_s`, and making the mark takes as long again."""
        self._machine.spend(self._machine.profile.mark_s)
        mark = [0.0]
        self.move(mark)
        return mark

    def move(self, mark: object) -> None:
        """Place a mark anew.

        Raises:
            TypeError: it is not a mark.
        """
        if not isinstance(mark, list):
            raise TypeError(f"{mark!r} is not a mark of the model device")
        mark[0] = max(self._machine.now_s, self._machine.busy_until_s)
        self._machine.spend(self._machine.profile.mark_s)

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return the device's time between two marks, seconds.

        Raises:
            TypeError: `begin` or `end` is not a mark.
        """
        if not isinstance(begin, list) or not isinstance(end, list):
            raise TypeError(f"{begin!r} and {end!r} are not marks of the model device")
        return float(end[0] - begin[0])

    def hold(self, seconds: float) -> bool:
        """Queue a kernel that leaves the caches alone."""
        self._machine.spend(self._machine.profile.launch_s)
        self._machine.queue(seconds)
        return True

    def reset_memory(self) -> None:
        """Restart the peak."""
        self._machine.peak_bytes = self._machine.allocated_bytes

    def memory(self) -> Mapping[str, float]:
        """Return the peak; nothing if nothing was allocated."""
        return {"device_peak": float(self._machine.peak_bytes)} if self._machine.peak_bytes else {}

    def flush_cache(self) -> bool:
        """Empty the caches."""
        self._machine.empty_caches()
        return True

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception is a `MemoryError`."""
        return isinstance(error, MemoryError)

    def close(self) -> None:
        """Wait for the device."""
        self._machine.wait()


@functools.cache
def this_machine() -> ModelMachine:
    """Return the machine of this process, for a suite that adds the backend by its hook."""
    return ModelMachine()


class ModelBackend:
    """The model device as a backend, with the fixture `bench_model`.

    Attributes:
        machine: pass it to `ModelMeter` for its energy, or use it to program another behaviour.
    """

    name = "model"
    provenance: Provenance = "simulated"

    def __init__(self, machine: ModelMachine | None = None) -> None:
        """Use a machine; None means the one of this process."""
        self.machine = machine or this_machine()

    def probe(self) -> Probe:
        """Return that it is always there."""
        return Probe(available=True)

    def devices(self) -> Sequence[Device]:
        """Return the one device."""
        return [
            Device(
                device_id=content_id(self.name, "Model device", UUID),
                backend=self.name,
                name="Model device",
                uuid=UUID,
                memory_bytes=self.machine.profile.memory_bytes,
            )
        ]

    def open(self, device: Device) -> OpenModel:
        """Start using the device and launch one kernel on it.

        Raises:
            BackendUnavailableError: it is not this device.
        """
        if device.uuid != UUID:
            raise BackendUnavailableError(f"model: there is no device {device.uuid}")
        self.machine.launch()
        self.machine.wait()
        return OpenModel(self.machine, device)


class ModelMeter:
    """The device's energy counter and its power."""

    name = "model"
    provenance: Provenance = "simulated"

    def __init__(self, machine: ModelMachine | None = None) -> None:
        """Read a machine; None means the one of this process."""
        self.machine = machine or this_machine()

    def probe(self) -> Probe:
        """Return that it is always there."""
        return Probe(available=True)

    def domains(self) -> Sequence[Domain]:
        """Return the energy counter."""
        return [
            Domain(
                name=f"{UUID}/energy",
                metric="energy",
                unit="J",
                kind="counter",
                scope="device",
                device_uuid=UUID,
                tick_s=self.machine.profile.tick_s,
            )
        ]

    def read(self) -> Mapping[str, Reading]:
        """Read the counter, which shows the energy at its last update; a read takes 10 us."""
        machine = self.machine
        machine.spend(1e-5)
        updated_s = machine.now_s // machine.profile.tick_s * machine.profile.tick_s
        return {f"{UUID}/energy": Reading(machine.energy_j(updated_s), round(machine.now_s * _NS))}

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.machine.spend(seconds)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
