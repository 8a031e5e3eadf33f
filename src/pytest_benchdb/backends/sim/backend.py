"""Runs code on the simulated machine: a test gets a handle that takes simulated time and memory."""

from collections.abc import Mapping, Sequence

from pytest_benchdb.backends.sim.machine import SimMachine, SimProfile, this_machine
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe


class SimOutOfMemoryError(RuntimeError):
    """The simulated device has less memory than requested."""


class SimFailedError(RuntimeError):
    """The simulated device fails, as its profile says."""


class SimHandle:
    """The ``bench.device`` of a test: a device that does nothing but take time, power and memory."""

    def __init__(self, machine: SimMachine, index: int) -> None:
        """Take one device of a machine."""
        self._machine = machine
        self._state = machine.states[index]
        self._index = index

    def work(self, seconds: float, watts: float | None = None) -> float:
        """Keep the device busy; return how long it took, seconds.

        `seconds` is the time of the work before the profile's jitter, `watts` the power meanwhile; None is the
        profile's.

        Raises:
            SimFailedError: the profile lets operations fail after some number.
        """
        self._state.operations += 1
        limit = self._machine.profile.fail_after
        if limit is not None and self._state.operations > limit:
            raise SimFailedError(f"simulated failure of operation {self._state.operations}")
        return self._machine.work(self._index, seconds, watts)

    def allocate(self, size_bytes: int) -> None:
        """Take memory of the device.

        Raises:
            SimOutOfMemoryError: there is less left.
        """
        state, limit = self._state, self._machine.profile.memory_bytes
        if state.allocated_bytes + size_bytes > limit:
            left = limit - state.allocated_bytes
            raise SimOutOfMemoryError(f"{size_bytes} bytes do not fit into the {left} of {limit} that are left")
        state.allocated_bytes += size_bytes
        state.peak_bytes = max(state.peak_bytes, state.allocated_bytes)

    def free(self, size_bytes: int) -> None:
        """Give memory back."""
        self._state.allocated_bytes = max(0, self._state.allocated_bytes - size_bytes)


class OpenSim(BlockingDevice):
    """A simulated device in use; work is done when it returns."""

    sync_mode: str | None = "sim"

    def __init__(self, machine: SimMachine, device: Device, index: int) -> None:
        super().__init__(device, SimHandle(machine, index))
        self._machine = machine
        self._state = machine.states[index]

    def clock_ns(self) -> int:
        """Return simulated time, nanoseconds."""
        return self._machine.now_ns

    def mark(self) -> object | None:
        """Return the present moment of simulated time."""
        return self._machine.now_ns

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return simulated time between two marks, seconds.

        Raises:
            TypeError: these are not marks.
        """
        if not isinstance(begin, int) or not isinstance(end, int):
            raise TypeError(f"{begin!r} and {end!r} are not marks of a simulated device")
        return (end - begin) / 1e9

    def reset_memory(self) -> None:
        """Restart the peak."""
        self._state.peak_bytes = self._state.allocated_bytes

    def memory(self) -> Mapping[str, float]:
        """Return the peak of what was allocated, bytes."""
        return {"device_peak": float(self._state.peak_bytes)}

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception is this machine's own."""
        return isinstance(error, SimOutOfMemoryError)

    def close(self) -> None:
        """Give all memory back."""
        self._state.allocated_bytes = 0


class SimBackend:
    """Devices of a simulated machine; deterministic, with known answers.

    Attributes:
        machine: what they belong to; give it to `SimMeter` to read its sensors.
    """

    name = "sim"
    provenance: Provenance = "simulated"

    def __init__(self, profile: SimProfile | None = None, *, machine: SimMachine | None = None) -> None:
        """Run on `machine`, on a new one with a profile, or on the one of this process."""
        self.machine = machine or (this_machine() if profile is None else SimMachine(profile))

    def probe(self) -> Probe:
        """Return that it is always there."""
        return Probe(available=True)

    def devices(self) -> Sequence[Device]:
        """Return the machine's devices."""
        profile = self.machine.profile
        name = f"sim:{profile.name}"
        uuids = [self.machine.uuid(index) for index in range(profile.devices)]
        return [
            Device(
                device_id=content_id("sim", name, uuid),
                backend="sim",
                name=name,
                uuid=uuid,
                memory_bytes=profile.memory_bytes,
                details={"simulated": True},
            )
            for uuid in uuids
        ]

    def open(self, device: Device) -> OpenSim:
        """Start using a device and let it do one operation of a microsecond.

        Raises:
            SimFailedError: the profile lets it fail.
            BackendUnavailableError: the device is of another machine.
        """
        uuids = [self.machine.uuid(index) for index in range(self.machine.profile.devices)]
        if device.uuid not in uuids:
            raise BackendUnavailableError(f"{device.name} ({device.uuid}) is not a device of this simulated machine")
        index = uuids.index(device.uuid)
        opened = OpenSim(self.machine, device, index)
        SimHandle(self.machine, index).work(1e-6)
        return opened
