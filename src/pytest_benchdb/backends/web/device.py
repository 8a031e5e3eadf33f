"""Open devices of the browser: what `interfaces.OpenDevice` asks, answered by a page."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import cast

from pytest_benchdb.backends.web.faults import JavaScriptError, is_out_of_memory
from pytest_benchdb.backends.web.page import CALL_LIMIT_S, WebPage
from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.model.environment import Device


class OpenPage:
    """A device in use through a page of its own.

    It has no timeline: the page's clock cannot tell a call that is shorter than its step (5 us), and a round
    of zero seconds would be a lie. `WebPage.time` fills rounds in the page instead.
    """

    def __init__(self, device: Device, page: WebPage, sync_mode: str | None) -> None:
        """Take over a page in which the device was opened."""
        self.device = device
        self.handle: WebPage = page
        self.sync_mode = sync_mode

    def clock_ns(self) -> int:
        """Return the wall clock of this process, nanoseconds."""
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        """Return once everything that was asked of the page's devices is done.

        Raises:
            JavaScriptError: a device reported an error that nobody caught.
        """
        if self.sync_mode is not None:
            self.handle.barrier()

    def mark(self) -> object | None:
        """Return None: the page tells times by `WebPage.time` only."""
        return None

    def elapsed_s(self, begin: object, end: object) -> float:
        """Refuse: there are no marks.

        Raises:
            MeasurementError: always.
        """
        raise MeasurementError(f"{self.device.name} has no timeline: no time between {begin} and {end}")

    def reset_memory(self) -> None:
        """Do nothing: a page has no peak of its memory."""

    def memory(self) -> Mapping[str, float]:
        """Return nothing.

        `performance.measureUserAgentSpecificMemory` tells what is in use at its next garbage collection,
        not a peak; no browser tells what a GPU's or a model's buffers take.
        """
        return {}

    def flush_cache(self) -> bool:
        """Return False: a page cannot empty caches of the processor or the adapter."""
        return False

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Tell whether an error says that the page's or the adapter's memory ran out."""
        return is_out_of_memory(error)

    def close(self) -> None:
        """Close the page; the browser stays for the next."""
        self.handle.close()


class OpenAdapter(OpenPage):
    """A WebGPU adapter in use; its timeline is that of timestamp queries, where the adapter has them."""

    def __init__(self, device: Device, page: WebPage, timeline: "Timeline | None") -> None:
        """Take over a page in which the adapter was opened.

        Args:
            device: what was opened.
            page: where.
            timeline: its timestamps; None where it tells no sound ones.
        """
        super().__init__(device, page, "queue.onSubmittedWorkDone")
        self._timeline = timeline

    def mark(self) -> object | None:
        """Write a timestamp on the queue of ``benchdb.device`` and wait for nothing; None without timestamps."""
        return None if self._timeline is None else self._timeline.mark()

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return the adapter's time between two marks, seconds.

        Raises:
            JavaScriptError: the marks cannot be read.
        """
        return cast("Timeline", self._timeline).elapsed_s(cast("int", begin), cast("int", end))


class Timeline:
    """Timestamp queries of a page's ``benchdb.device``, in sets of `SET_SIZE`.

    A mark is its number. Sets that are full are read once, by the first who asks for one of their marks.
    """

    SET_SIZE = 256
    """As in `assets/webgpu.js`."""

    def __init__(self, page: WebPage) -> None:
        """Begin a timeline of a page that has a ``benchdb.device`` with the feature ``timestamp-query``."""
        self._page = page
        self._count = 0
        self._posted: Future[object] | None = None
        self._read_ns: dict[int, list[int]] = {}

    def mark(self) -> int:
        """Ask for a timestamp after everything that was submitted before; return the mark."""
        number = self._count
        self._count += 1
        self._posted = self._page.post("([set, slot]) => benchdb.webgpu.mark(set, slot)", divmod(number, self.SET_SIZE))
        return number

    def elapsed_s(self, begin: int, end: int) -> float:
        """Return the time between two marks, seconds.

        Raises:
            JavaScriptError: a mark was not written, or the adapter's clock ran backwards.
        """
        begin_ns, end_ns = self._at_ns(begin), self._at_ns(end)
        if not 0 < begin_ns <= end_ns:
            raise JavaScriptError(f"the adapter's timestamps are {begin_ns} ns and then {end_ns} ns: no clock")
        return (end_ns - begin_ns) / 1e9

    def _at_ns(self, mark: int) -> int:
        number, slot = divmod(mark, self.SET_SIZE)
        known = self._read_ns.get(number, [])
        if slot >= len(known):
            if self._posted is not None:
                self._posted.result(CALL_LIMIT_S)  # a mark that failed says why
            count = min(self._count - number * self.SET_SIZE, self.SET_SIZE)
            full = count == self.SET_SIZE
            marks = "(set, count, done) => benchdb.webgpu.marks(set, count, done)"
            known = [int(text) for text in self._page.evaluate(marks, number, count, full)]
            self._read_ns[number] = known
        return known[slot]
