"""The backends `webgpu`, `webnn` and `wasm`: each device is a page in the one Chromium of this process."""

import atexit
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

from pytest_benchdb.backends.web import browser as find
from pytest_benchdb.backends.web.browser import (
    Browser,
    BrowserFacts,
    Host,
    JavaScriptError,
    find_chromium,
    is_out_of_memory,
    probe,
)
from pytest_benchdb.backends.web.page import CALL_LIMIT_S, WebPage, open_page
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe


class OpenPage(BlockingDevice):
    """An open device with its own page.

    It has no timeline: the page's clock cannot measure calls shorter than its step (5 us), and a round of zero seconds
    would be wrong. `WebPage.time` fills rounds in the page instead.

    It has no memory peaks: `performance.measureUserAgentSpecificMemory` returns the memory in use at the next garbage
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
        """The page; replaced if it has crashed, hung or lost its device, so that the next test has a working one."""
        if self._page.gone:
            self._page.close()
            self._page = self._prepare()
        return self._page

    @property
    def handle(self) -> object:
        """The page: the value of ``bench.device`` in a test."""
        return self.page

    @handle.setter
    def handle(self, page: object) -> None:
        raise AttributeError(f"the page of {self.device.name} cannot be set to {page!r}")

    def synchronize(self) -> None:
        """Return once the page's devices have finished all their work.

        Raises:
            JavaScriptError: a device reported an uncaught error.
        """
        if self.sync_mode is not None:
            self._page.barrier()

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an error means that the page or the adapter ran out of memory."""
        return is_out_of_memory(error)

    def close(self) -> None:
        """Close the page; the browser stays open."""
        self._page.close()


class OpenAdapter(OpenPage):
    """An open WebGPU adapter; its timeline uses timestamp queries, if the adapter has them."""

    def __init__(self, device: Device, prepare: Callable[[], WebPage]) -> None:
        """Open the first page; `prepare` opens a page and the adapter in it."""
        super().__init__(device, prepare, "queue.onSubmittedWorkDone")
        self._timelines: tuple[WebPage, Timeline | None] | None = None

    def mark(self) -> object | None:
        """Write a timestamp on the queue of ``benchdb.device`` without waiting; None without timestamps."""
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
            self._timelines = (self._page, working_timeline(self._page))
        return self._timelines[1]


class Timeline:
    """Timestamp queries of a page's ``benchdb.device``, in sets of `SET_SIZE`.

    A mark is a number: 0, 1, ... Full sets are read once, when one of their marks is first needed.
    """

    SET_SIZE = 256
    """As in `assets/webgpu.js`."""

    def __init__(self, page: WebPage) -> None:
        """Begin a timeline; the page's ``benchdb.device`` must have the feature ``timestamp-query``."""
        self._page = page
        self._count = 0
        self._posted: Future[object] | None = None
        self._read_ns: dict[int, list[int]] = {}

    def mark(self) -> int:
        """Request a timestamp after all work submitted so far; return the mark."""
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
                self._posted.result(CALL_LIMIT_S)  # raises if the mark failed
            count = min(self._count - number * self.SET_SIZE, self.SET_SIZE)
            full = count == self.SET_SIZE
            marks = "(set, count, done) => benchdb.webgpu.marks(set, count, done)"
            read_ns = [int(text) for text in self._page.evaluate(marks, number, count, full)]
            self._read_ns[number] = read_ns
        return read_ns[slot]


def working_timeline(page: WebPage) -> Timeline | None:
    """Return the timeline of a page's adapter; None without working timestamps."""
    if not page.evaluate("benchdb.device.features.has('timestamp-query')"):
        return None
    timeline = Timeline(page)
    try:
        timeline.elapsed_s(timeline.mark(), timeline.mark())
    except JavaScriptError:
        return None
    return timeline


class SharedBrowser:
    """The browser of this process: started when first needed, closed when the process exits.

    A forked child starts its own, because it must not use its parent's browser.
    """

    def __init__(self, start: Callable[[Path], Browser] = Browser, host: Host | None = None) -> None:
        """Take the function that starts it, and where to look for the program; None means this machine."""
        self._start = start
        self._host = host
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._browser: Browser | None = None

    @property
    def host(self) -> Host:
        """Where to look for its program."""
        return self._host or Host.this()

    def get(self) -> Browser:
        """Return the browser; start it if necessary, and replace it if it has crashed.

        Raises:
            BackendUnavailableError: there is none, or it does not start.
        """
        if self._pid != os.getpid():
            self._pid, self._lock, self._browser = os.getpid(), threading.Lock(), None
        with self._lock:
            if self._browser is None or not self._browser.answers():
                if self._browser is None:
                    atexit.register(self.close)
                self._browser = self._start(_executable(self.host))
            return self._browser

    def close(self) -> None:
        """End the browser, if this process started one."""
        if self._pid != os.getpid() or self._browser is None:
            return
        atexit.unregister(self.close)
        self._browser.close()
        self._browser = None


def _executable(host: Host) -> Path:
    state = probe(host)
    executable = find_chromium(host)
    if not state.available or executable is None:
        raise BackendUnavailableError(state.reason)
    return executable


SHARED = SharedBrowser()
"""The browser of this process."""


class WebBackend:
    """Base class of the web backends: a browser, and devices that a page lists once per browser."""

    name: str
    provenance: Provenance = "measured"
    sync_mode: str | None = None

    def __init__(self, browser: SharedBrowser = SHARED) -> None:
        self._shared = browser
        self._devices: tuple[Browser, Sequence[Device]] | None = None

    def probe(self) -> Probe:
        """Return whether Playwright and a Chromium are installed, without starting them."""
        return find.probe(self._shared.host)

    def devices(self) -> Sequence[Device]:
        """Return the devices that the browser offers; this starts the browser.

        Raises:
            BackendUnavailableError: the browser does not start.
        """
        browser = self._shared.get()
        if self._devices is None or self._devices[0] is not browser:
            page = open_page(browser)
            try:
                self._devices = (browser, self._find(page, browser.facts))
            finally:
                page.close()
        return self._devices[1]

    def open(self, device: Device) -> OpenPage:
        """Open a page for a device and add two numbers there.

        Raises:
            BackendUnavailableError: the device is not there, or the browser does not start.
        """
        self._require(device)
        return OpenPage(device, lambda: self._prepare_page(device), self.sync_mode)

    def _require(self, device: Device) -> None:
        if all(offered.device_id != device.device_id for offered in self.devices()):
            raise BackendUnavailableError(f"{self.name}: the browser does not offer {device.name}")

    def _prepare_page(self, device: Device) -> WebPage:
        page = open_page(self._shared.get())
        try:
            self._start(page, device)
        except BaseException:
            page.close()
            raise
        return page

    def _find(self, page: WebPage, facts: BrowserFacts) -> Sequence[Device]:
        raise NotImplementedError

    def _start(self, page: WebPage, device: Device) -> None:
        raise NotImplementedError

    def _device(self, name: str, driver: str, details: Mapping[str, object]) -> Device:
        identity = content_id(self.name, name, None)
        return Device(device_id=identity, backend=self.name, name=name, driver=driver, details=details)


class WebGpuBackend(WebBackend):
    """The browser's adapters: GPUs, and SwiftShader, which computes on the processor."""

    name = "webgpu"

    def _find(self, page: WebPage, facts: BrowserFacts) -> Sequence[Device]:
        if not page.evaluate("'webgpu' in benchdb"):
            raise BackendUnavailableError(f"Chromium {facts.version} has no WebGPU here")
        devices: dict[str, Device] = {}
        for adapter in page.evaluate("benchdb.webgpu.adapters()"):
            name = adapter_name(adapter)
            driver = "; ".join(part for part in (adapter["driver"], f"Chromium {facts.version}") if part)
            details = {**adapter, "software": is_software(adapter), "browser": facts.version}
            # Several requests may return the same adapter: keep the first one, requested for speed.
            devices.setdefault(name, self._device(name, driver, details))
        if not devices:
            raise BackendUnavailableError(f"Chromium {facts.version} has no WebGPU adapter here")
        return list(devices.values())

    def open(self, device: Device) -> OpenAdapter:
        """Open a page for an adapter and add two numbers in a compute shader.

        Raises:
            BackendUnavailableError: the adapter is not there, or the browser does not start.
        """
        self._require(device)
        return OpenAdapter(device, lambda: self._prepare_page(device))

    def _start(self, page: WebPage, device: Device) -> None:
        page.evaluate("(options) => benchdb.webgpu.open(options)", device.details["options"])


class WebNnBackend(WebBackend):
    """Contexts of the browser's neural-network API: cpu, gpu, npu."""

    name = "webnn"
    sync_mode = "context.readTensor"

    def _find(self, page: WebPage, facts: BrowserFacts) -> Sequence[Device]:
        if not page.evaluate("'webnn' in benchdb"):
            raise BackendUnavailableError(f"Chromium {facts.version} has no WebNN (navigator.ml)")
        contexts = page.evaluate("benchdb.webnn.contexts()")
        if not contexts["found"]:
            # Usually all three have one reason: this Chromium was built without WebNN.
            reasons = dict.fromkeys(text.splitlines()[0] for text in contexts["refused"].values())
            raise BackendUnavailableError(f"Chromium {facts.version} makes no WebNN context: {'; '.join(reasons)}")
        adapters = page.evaluate("benchdb.webgpu?.adapters() ?? []")
        devices = []
        for context in contexts["found"]:
            software = context_is_software(context, adapters)
            details = {**context, "software": software, "refused": contexts["refused"], "browser": facts.version}
            name = context_name(context, software=software)
            devices.append(self._device(name, f"Chromium {facts.version}", details))
        return devices

    def _start(self, page: WebPage, device: Device) -> None:
        page.evaluate("(type) => benchdb.webnn.open(type)", device.details["type"])


class WasmBackend(WebBackend):
    """The browser's WebAssembly engine, on the processor."""

    name = "wasm"

    def _find(self, page: WebPage, facts: BrowserFacts) -> Sequence[Device]:
        details = {**page.evaluate("benchdb.wasm.features()"), "browser": facts.version, "v8": facts.v8}
        driver = f"V8 {facts.v8}; Chromium {facts.version}" if facts.v8 else f"Chromium {facts.version}"
        # The name does not contain the version: a new version is another driver, not another device.
        return [self._device("V8 WebAssembly", driver, details)]

    def _start(self, page: WebPage, device: Device) -> None:
        del device  # there is only one
        page.evaluate("benchdb.wasm.open()")


def is_software(adapter: Mapping[str, Any]) -> bool:
    """Return whether an adapter computes on the processor; one sign of it is enough."""
    text = f"{adapter['vendor']} {adapter['architecture']} {adapter['description']}".lower()
    is_known = any(name in text for name in ("swiftshader", "llvmpipe", "lavapipe", "basic render", "warp"))
    return is_known or adapter["fallback"] is True or adapter["type"] == "CPU"


def adapter_name(adapter: Mapping[str, Any]) -> str:
    """Return vendor, architecture, device and description in one line, with a mark for software.

    >>> intel = {"vendor": "intel", "architecture": "gen-12lp", "device": "", "description": ""}
    >>> adapter_name({**intel, "fallback": False, "type": "integrated GPU"})
    'intel gen-12lp'
    """
    parts = [adapter[field] for field in ("vendor", "architecture", "device", "description")]
    name = " ".join(part for part in parts if part) or "unnamed adapter"
    return f"{name} (software)" if is_software(adapter) else name


def context_is_software(context: Mapping[str, Any], adapters: Sequence[Mapping[str, Any]]) -> bool | None:
    """Return whether a WebNN context of the type ``gpu`` can only run on software adapters.

    None if unknown, because there are no WebGPU adapters; False for other types, which we trust.
    """
    if context["type"] != "gpu":
        return False
    return all(is_software(adapter) for adapter in adapters) if adapters else None


def context_name(context: Mapping[str, Any], *, software: bool | None) -> str:
    """Return the name of a WebNN context, with a mark for software or unconfirmed.

    >>> context_name({"type": "npu", "devices": None}, software=False)
    'WebNN npu (unconfirmed)'
    """
    name = f"WebNN {context['type']}"
    if software:
        return f"{name} (software)"
    return f"{name} (unconfirmed)" if context["type"] != "cpu" and context["devices"] is None else name
