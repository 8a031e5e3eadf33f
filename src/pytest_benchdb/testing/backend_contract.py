"""Tests for every backend."""

import json
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import (
    Backend,
    HasCurrent,
    HoldsQueue,
    MovesMarks,
    OpenDevice,
    ShowsRanges,
    WaitsForMarks,
)
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.testing.provider_contract import ProviderContract, expect

_PEAKS = ("device_peak", "device_reserved")
HOLD_S = 0.01
"""Time for which a device is kept busy here."""
_MEMORY = (*_PEAKS, "device_fragmentation", "allocator_retries")
# Device and host have different clocks: 5 % and a millisecond, for timestamps that browsers coarsen.
_SLACK_S = 1e-3


def opened_or_skipped(backend: Backend) -> OpenDevice:
    """Open the default device of a backend; skip the test without one, with the backend's reason."""
    probe = backend.probe()
    if not probe.available:
        pytest.skip(f"{backend.name}: {probe.reason}")
    try:
        return backend.open(backend.devices()[0])
    except BackendUnavailableError as error:
        pytest.skip(str(error))


class BackendContract(ProviderContract):
    """Inherit, define the fixture `backend`, and call the class ``Test...``."""

    @pytest.fixture
    def provider(self, backend: Backend) -> Backend:
        """Return the backend, for the tests of `ProviderContract`."""
        return backend

    @pytest.fixture
    def devices(self, backend: Backend) -> Sequence[Device]:
        """Return the backend's devices; skip without one, with the backend's reason."""
        probe = backend.probe()
        if not probe.available:
            pytest.skip(f"{backend.name}: {probe.reason}")
        try:
            devices = backend.devices()
        except BackendUnavailableError as error:
            pytest.skip(str(error))
        expect(len(devices) > 0, "the probe says that the backend is available, and there is no device")
        return devices

    @pytest.fixture
    def opened(self, backend: Backend, devices: Sequence[Device]) -> Iterator[OpenDevice]:
        """Open the default device for one test."""
        try:
            opened = backend.open(devices[0])
        except BackendUnavailableError as error:
            pytest.skip(str(error))
        yield opened
        opened.close()

    def test_devices_are_described(self, backend: Backend, devices: Sequence[Device]) -> None:
        """A device has a name, and unknown facts are left out."""
        for device in devices:
            expect(device.backend == backend.name, f"{device.name} says that its backend is {device.backend!r}")
            expect(bool(device.name.strip()), f"a device has the name {device.name!r}")
            expect(device.uuid != "", f"{device.name} has an empty uuid; None where the vendor gives none")
            memory = device.memory_bytes
            expect(memory is None or memory > 0, f"{device.name} has {memory} bytes of memory; None where not known")
            try:
                json.dumps(dict(device.details), allow_nan=False)
            except (TypeError, ValueError) as error:
                pytest.fail(f"details of {device.name} are not JSON values: {error}", pytrace=False)

    def test_devices_have_an_id_each(self, devices: Sequence[Device]) -> None:
        """Two devices with the same name have different ids."""
        ids = [device.device_id for device in devices]

        expect(all(ids), f"a device has no id: {ids}")
        expect(len(set(ids)) == len(ids), f"two devices share an id: {ids}")

    def test_devices_stay_the_same(self, backend: Backend, devices: Sequence[Device]) -> None:
        """Every call returns the same devices in the same order."""
        again = backend.devices()

        expect(list(again) == list(devices), f"devices() returned {list(devices)} and then {list(again)}")

    def test_devices_found_in_a_thread_open_in_another(self, backend: Backend) -> None:
        """pytest-benchdb finds devices in a thread, so that it can abandon a hanging driver, and opens them here."""
        answers: list[Sequence[Device]] = []

        def find() -> None:
            try:
                answers.append(backend.devices() if backend.probe().available else ())
            except BackendUnavailableError:
                answers.append(())

        thread = threading.Thread(target=find, daemon=True)
        thread.start()
        thread.join(self.answer_limit_s)
        expect(bool(answers), f"devices() gave no answer within {self.answer_limit_s:g} s in a thread, or raised")
        if not answers[0]:
            pytest.skip(f"{backend.name}: no device here")
        try:
            opened = backend.open(answers[0][0])
        except BackendUnavailableError as error:
            pytest.skip(str(error))

        opened.synchronize()
        opened.close()

    def test_open_of_what_is_not_there_is_refused(self, backend: Backend, devices: Sequence[Device]) -> None:
        """A device that is gone is never silently replaced by another."""
        gone = replace(devices[0], device_id="no-such-device", name="no such device", uuid="no-such-uuid")

        try:
            opened = backend.open(gone)
        except BackendUnavailableError as error:
            expect(bool(str(error)), "BackendUnavailableError has no text, which is the reason of the skip")
        else:
            opened.close()
            pytest.fail(f"open() took {opened.device.name} for a device that is not there", pytrace=False)

    def test_open_device_says_what_it_is(self, opened: OpenDevice, devices: Sequence[Device]) -> None:
        """An open device is the requested device, and names its barrier."""
        expect(opened.device == devices[0], f"requested {devices[0]}, got {opened.device}")
        expect(opened.handle is not None, "handle is None; a test gets it as bench.device")
        expect(opened.sync_mode is None or bool(opened.sync_mode), "sync_mode is empty; None where calls block")

    def test_synchronize_returns(self, opened: OpenDevice) -> None:
        """Waiting for an idle device ends."""
        for _ in range(3):
            opened.synchronize()

    def test_clock_only_rises(self, opened: OpenDevice) -> None:
        """The wall clock is a whole number of nanoseconds that never decreases."""
        readings = [opened.clock_ns() for _ in range(100)]

        expect(all(type(reading) is int for reading in readings), f"clock_ns() returned {readings[0]!r}")
        expect(readings == sorted(readings), "clock_ns() fell")

    def test_time_between_marks_is_within_the_wall_time(self, opened: OpenDevice) -> None:
        """The time between two marks is at most the wall time, or there are no marks at all."""
        opened.synchronize()
        began_ns = opened.clock_ns()
        begin, end = opened.mark(), opened.mark()
        opened.synchronize()
        wall_s = (opened.clock_ns() - began_ns) / 1e9

        expect((begin is None) == (end is None), f"one mark is {begin!r} and the other is {end!r}")
        if begin is None:
            return
        elapsed_s = opened.elapsed_s(begin, end)
        expect(math.isfinite(elapsed_s) and elapsed_s >= 0, f"elapsed_s() returned {elapsed_s!r} for marks in order")
        limit_s = wall_s * 1.05 + _SLACK_S
        expect(elapsed_s <= limit_s, f"elapsed_s() returned {elapsed_s:g} s for marks within {wall_s:g} s")

    def test_memory_has_known_metrics(self, opened: OpenDevice) -> None:
        """Figures are of known metrics, before and after a reset."""
        for moment in ("open", "reset_memory"):
            for metric, value in opened.memory().items():
                expect(metric in _MEMORY, f"memory() has {metric!r}; known are {', '.join(_MEMORY)}")
                sound = math.isfinite(value) and value >= 0
                expect(sound, f"memory() has {metric} = {value!r} after {moment}; return {METRICS[metric].unit}")
            opened.reset_memory()

    def test_memory_leaves_out_what_is_not_measured(self, backend: Backend, opened: OpenDevice) -> None:
        """Opening a device runs an operation, so a peak of 0 right after it was not measured and must be left out."""
        if backend.provenance == "simulated":
            pytest.skip("a simulated device may well have run an operation without memory")

        zeros = [metric for metric in _PEAKS if opened.memory().get(metric) == 0]

        expect(not zeros, f"memory() has 0 for {', '.join(zeros)} right after an operation; leave it out")

    def test_memory_reserves_what_it_hands_out(self, opened: OpenDevice) -> None:
        """The allocated peak is not above the reserved peak."""
        memory = opened.memory()

        if set(_PEAKS) <= memory.keys():
            peak, reserved = (memory[metric] for metric in _PEAKS)
            expect(peak <= reserved, f"device_peak is {peak} and device_reserved only {reserved}")

    def test_flush_cache_says_whether_it_did(self, opened: OpenDevice) -> None:
        """The result is always the same bool: it decides whether a round is stored as cold."""
        answers = [opened.flush_cache() for _ in range(2)]
        opened.synchronize()

        expect(all(type(answer) is bool for answer in answers), f"flush_cache() returned {answers}")
        expect(answers[0] == answers[1], f"flush_cache() returned {answers[0]} and then {answers[1]}")

    def test_out_of_memory_differs_from_other_errors(self, opened: OpenDevice) -> None:
        """A test that fails for another reason is not stored as out of memory."""
        for error in (ValueError("wrong"), AssertionError("the log says: out of memory"), KeyboardInterrupt()):
            expect(opened.is_out_of_memory(error) is False, f"is_out_of_memory({error!r}) is not False")

    def test_optional_methods_work(self, opened: OpenDevice) -> None:
        """A device that can be current, has ranges or waits for single marks can do so repeatedly."""
        for _ in range(2):
            if isinstance(opened, HasCurrent):
                block = opened.current()
                expect(hasattr(block, "__exit__"), f"current() returned {block!r}, not a context manager")
                with block:
                    opened.synchronize()
            if isinstance(opened, ShowsRanges):
                outer, inner = opened.begin_range("outer"), opened.begin_range("outer/inner")
                opened.end_range(outer)
                opened.end_range(inner)
            if isinstance(opened, WaitsForMarks) and (mark := opened.mark()) is not None:
                opened.wait_for(mark)

    def test_hold_keeps_the_device_busy_and_returns_at_once(self, opened: OpenDevice) -> None:
        """Work can be queued behind `hold`, which then is between two marks and takes no time of the host."""
        if not isinstance(opened, HoldsQueue) or (begin := opened.mark()) is None:
            pytest.skip("this device cannot be kept busy, or has no marks")
        opened.hold(0.0)  # the first use of a kernel may load it
        opened.synchronize()
        begin, began_ns = opened.mark(), opened.clock_ns()
        answer = opened.hold(HOLD_S)
        returned_s = (opened.clock_ns() - began_ns) / 1e9
        end = opened.mark()
        opened.synchronize()

        expect(type(answer) is bool, f"hold() returned {answer!r}; say whether the device is kept busy")
        if answer:
            held_s = opened.elapsed_s(begin, end)
            expect(held_s > returned_s, f"hold({HOLD_S}) kept the device busy for {held_s:g} s only")
            expect(returned_s < HOLD_S, f"hold({HOLD_S}) returned after {returned_s:g} s; it must not wait")

    def test_moved_marks_are_at_their_last_place(self, opened: OpenDevice) -> None:
        """A mark that was placed twice counts from its second place."""
        if not isinstance(opened, MovesMarks) or (begin := opened.mark()) is None:
            pytest.skip("this device's marks cannot be moved")
        if isinstance(opened, HoldsQueue):
            opened.hold(HOLD_S)
        end = opened.mark()
        opened.synchronize()
        began_ns = opened.clock_ns()
        opened.move(begin)
        opened.move(end)
        opened.synchronize()
        wall_s = (opened.clock_ns() - began_ns) / 1e9

        elapsed_s = opened.elapsed_s(begin, end)
        limit_s = wall_s * 1.05 + _SLACK_S
        expect(0 <= elapsed_s <= limit_s, f"elapsed_s() returned {elapsed_s:g} s for marks moved within {wall_s:g} s")

    def test_close_can_be_repeated(self, backend: Backend, devices: Sequence[Device], opened: OpenDevice) -> None:
        """Closing a device again does nothing, and it can be opened again."""
        opened.close()
        opened.close()

        again = backend.open(devices[0])
        again.synchronize()
        again.close()
