"""Open devices of the browser: `interfaces.OpenDevice`, implemented by a page."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

from pytest_benchdb.backends.web.browser import JavaScriptError, is_out_of_memory
from pytest_benchdb.backends.web.page import CALL_LIMIT_S, WebPage
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device


class OpenPage(BlockingDevice):
    """A device in use through a page of its own.

    It has no timeline: the page's clock cannot measure a call that is shorter than its step (5 us), and a round
    of zero seconds would be a lie. `WebPage.time` fills rounds in the page instead.

    It has no memory figures: `performance.measureUserAgentSpecificMemory` returns what is in use at the next garbage
    collection, not a peak, and no browser reports the size of a GPU's or a model's buffers.
    """

    def __init__(self, device: Device, prepare: Callable[[], WebPage], sync_mode: str | None) -> None:
        """Open the first page; `prepare` opens a page and the device in it."""
        self.device = device
        self.sync_mode = sync_mode
        self._prepare = prepare
        self._page = prepare()

    @property
    def page(self) -> WebPage:
        """The page; a new one where the last crashed, hung or lost its device, so that the next test has one."""
        if self._page.gone:
            self._page.close()
            self._page = self._prepare()
        return self._page

    @property
    def handle(self) -> object:
        """The page, as a test gets it."""
        return self.page

    @handle.setter
    def handle(self, page: object) -> None:
        raise AttributeError(f"the page of {self.device.name} cannot be set to {page!r}")

    def synchronize(self) -> None:
        """Return once all work given to the page's devices is done.

        Raises:
            JavaScriptError: a device reported an error that was not caught.
        """
        if self.sync_mode is not None:
            self._page.barrier()

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an error says that the page's or the adapter's memory ran out."""
        return is_out_of_memory(error)

    def close(self) -> None:
        """Close the page; the browser stays for the next."""
        self._page.close()


class OpenAdapter(OpenPage):
    """A WebGPU adapter in use; its timeline is that of timestamp queries, where the adapter has them."""

    def __init__(self, device: Device, prepare: Callable[[], WebPage]) -> None:
        """Open the first page; `prepare` opens a page and the adapter in it."""
        super().__init__(device, prepare, "queue.onSubmittedWorkDone")
        self._timelines: tuple[WebPage, Timeline | None] | None = None

    def mark(self) -> object | None:
        """Write a timestamp on the queue of ``benchdb.device`` and wait for nothing; None without timestamps."""
        timeline = self._timeline()
        return None if timeline is None else timeline.mark()

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return the adapter's time between two marks, seconds.

        Raises:
            JavaScriptError: the marks cannot be read.
        """
        return cast("Timeline", self._timeline()).elapsed_s(cast("int", begin), cast("int", end))

    def _timeline(self) -> "Timeline | None":
        if self._timelines is None or self._timelines[0] is not self._page:
            self._timelines = (self._page, sound_timeline(self._page))
        return self._timelines[1]


class Timeline:
    """Timestamp queries of a page's ``benchdb.device``, in sets of `SET_SIZE`.

    A mark is its number. Full sets are read once, when one of their marks is first needed.
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
        """Request a timestamp after everything that was submitted before; return the mark."""
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
        read_ns = self._read_ns.get(number, [])
        if slot >= len(read_ns):
            if self._posted is not None:
                self._posted.result(CALL_LIMIT_S)  # a mark that failed says why
            count = min(self._count - number * self.SET_SIZE, self.SET_SIZE)
            full = count == self.SET_SIZE
            marks = "(set, count, done) => benchdb.webgpu.marks(set, count, done)"
            read_ns = [int(text) for text in self._page.evaluate(marks, number, count, full)]
            self._read_ns[number] = read_ns
        return read_ns[slot]


def sound_timeline(page: WebPage) -> Timeline | None:
    """Return the timeline of a page's adapter; None where it has no timestamps, or none that work."""
    if not page.evaluate("benchdb.device.features.has('timestamp-query')"):
        return None
    timeline = Timeline(page)
    try:
        timeline.elapsed_s(timeline.mark(), timeline.mark())
    except JavaScriptError:
        return None
    return timeline
