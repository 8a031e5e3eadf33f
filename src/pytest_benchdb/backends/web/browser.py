"""Finds a Chromium, starts it and drives it from its own thread.

Playwright's synchronous objects belong to the thread that made them, and do not work in a thread with a running
asyncio loop. With its own thread, the browser works for plain and asyncio tests, and a caller can stop waiting for a
page that hangs.

Errors are `RuntimeError`, like torch's: they come from the runtime that is measured, and the run is recorded as failed
with their message.
"""

import contextlib
import os
import queue
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LimitError  # its own class before Python 3.11
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.reading import Probe

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser

# Messages of V8, Dawn and Chromium; nothing else distinguishes out of memory from other failures.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|GPUOutOfMemoryError|OutOfMemory|Array buffer allocation failed|could not allocate memory"
    r"|Invalid array buffer length|Cannot allocate Wasm memory|allocation failed",
    re.IGNORECASE,
)
T = TypeVar("T")
Job = Callable[["PlaywrightBrowser"], T]
START_LIMIT_S = 60.0
CLOSE_LIMIT_S = 10.0
ARGUMENTS = (
    # The new headless mode has the GPU process of a normal browser; the older shell does not.
    "--headless=new",
    # Without it Chromium has no WebGPU adapter on Linux, and no software adapter on machines without a GPU.
    # --use-webgpu-adapter=swiftshader would use the software adapter even on machines with a GPU.
    "--enable-unsafe-webgpu",
    # Reports the driver and the kind of adapter, and does not coarsen timestamps.
    "--enable-webgpu-developer-features",
    # This replaces Playwright's own list, whose two features are for screenshots and accounts.
    "--enable-features=Vulkan,WebMachineLearningNeuralNetwork",
    # We do not use a network; these keep the browser's own traffic and work out of the measurements.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VARIABLE = "BENCHDB_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
NO_PLAYWRIGHT = "playwright is not installed; pip install 'pytest-benchdb[web]'"
NO_CHROMIUM = (
    "no Chromium found; install one (Debian: apt-get install chromium), run `playwright install chromium`, "
    f"or name the program in {VARIABLE}"
)
# Programs that these systems do not put on the PATH.
_APPLICATIONS = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "win32": (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
}
# Playwright's folders for downloaded browsers in the user's home, and the programs in these folders.
_CACHES = {
    "linux": ".cache/ms-playwright",
    "darwin": "Library/Caches/ms-playwright",
    "win32": "AppData/Local/ms-playwright",
}
_DOWNLOADED = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    "chromium-*/chrome-win*/chrome.exe",
)


class JavaScriptError(RuntimeError):
    """JavaScript in the page threw, or a device of the page reported an uncaught error.

    The message is the browser's report of the exception and its stack.
    """


class PageGoneError(RuntimeError):
    """The page or the browser crashed or was closed from outside while in use."""


class PageTimeoutError(RuntimeError):
    """The page did not answer within its time limit; its browser was killed."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error from a page means that memory ran out.

    >>> is_out_of_memory(JavaScriptError("RangeError: Array buffer allocation failed"))
    True
    """
    return isinstance(error, JavaScriptError) and _OUT_OF_MEMORY.search(str(error)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserFacts:
    """Facts that a running browser reports.

    Attributes:
        version: of Chromium: ``156.0.8078.79``.
        v8: version of its JavaScript and WebAssembly engine; None if not reported.
        pid: process id of the browser; None if not reported.
    """

    version: str
    v8: str | None
    pid: int | None


class Browser:
    """A running Chromium; its methods may be called from any thread."""

    def __init__(self, executable: Path, *, start_limit_s: float = START_LIMIT_S) -> None:
        """Start the browser.

        Raises:
            BackendUnavailableError: it does not start; the message is Playwright's.
        """
        self.executable = executable
        self._start_limit_s = start_limit_s
        self._jobs: queue.SimpleQueue[tuple[Job[object], Future[object]] | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._gate = threading.Lock()
        started: Future[BrowserFacts] = Future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name="benchdb-browser", daemon=True)
        self._thread.start()
        try:
            # Wait twice as long: the browser's own timeout comes first and has a better message.
            self.facts = started.result(2 * start_limit_s)
        except Exception as error:
            text = str(error) or type(error).__name__
            raise BackendUnavailableError(f"{executable} does not start: {text}") from error

    @property
    def running(self) -> bool:
        """Whether the browser still accepts jobs."""
        return not self._ended.is_set()

    def submit(self, job: Job[T]) -> "Future[T]":
        """Queue a job for the browser's thread.

        Raises:
            PageGoneError: the browser has ended.
        """
        future: Future[T] = Future()
        with self._gate:
            if self._ended.is_set():
                raise PageGoneError(f"the browser {self.executable} has ended")
            self._jobs.put((job, future))  # type: ignore[arg-type]
        return future

    def run(self, job: Job[T], *, limit_s: float) -> T:
        """Run a job in the browser's thread and return its result.

        If the job takes longer than `limit_s`, the browser is killed: a page that computes cannot be stopped.

        Raises:
            PageTimeoutError: the job took longer.
        """
        future = self.submit(job)
        try:
            return future.result(limit_s)
        except BaseException as error:
            if future.done():
                raise  # the job's own
            # Also after Ctrl-C or pytest-timeout's signal: nothing else would end the job.
            self.kill()
            if not isinstance(error, LimitError):
                raise
            raise PageTimeoutError(f"the page did not answer within {limit_s:g} s; its browser was ended") from error

    def answers(self) -> bool:
        """Return whether the browser still responds; it may have crashed unnoticed."""
        if not self.running:
            return False
        try:
            self.run(lambda browser: browser.new_browser_cdp_session().detach(), limit_s=CLOSE_LIMIT_S)
        except Exception:  # noqa: BLE001 - after any error there is no answer
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """Kill the browser; running jobs fail."""
        with self._gate:
            self._ended.set()
        if self.facts.pid is not None:
            with contextlib.suppress(OSError):
                os.kill(self.facts.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._jobs.put(None)

    def close(self, *, limit_s: float = CLOSE_LIMIT_S) -> None:
        """Close the browser, or kill it if that takes longer than `limit_s`."""
        with self._gate:
            self._ended.set()
        self._jobs.put(None)
        self._thread.join(limit_s)
        if self._thread.is_alive():
            self.kill()
            self._thread.join(limit_s)

    def _serve(self, started: "Future[BrowserFacts]") -> None:
        # No exception may escape: pytest would report it with some other test.
        try:
            self._drive(started)
        except BaseException as error:  # noqa: BLE001
            if not started.done():
                started.set_exception(error)
        finally:
            with self._gate:
                self._ended.set()
            self._fail_remaining_jobs()

    def _drive(self, started: "Future[BrowserFacts]") -> None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=self.executable,
                args=list(ARGUMENTS),
                # With its sandbox, Chromium refuses to run as root.
                chromium_sandbox=not _is_root(),
                timeout=self._start_limit_s * 1000,
            )
            started.set_result(_facts(browser))
            while (job := self._jobs.get()) is not None:
                _do(browser, *job)
            browser.close()

    def _fail_remaining_jobs(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                job[1].set_exception(PageGoneError(f"the browser {self.executable} has ended"))


def _facts(browser: "PlaywrightBrowser") -> BrowserFacts:
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    v8 = session.send("Browser.getVersion").get("jsVersion")
    session.detach()
    pid = next((process["id"] for process in processes if process["type"] == "browser"), None)
    return BrowserFacts(version=browser.version, v8=v8, pid=pid)


def _do(browser: "PlaywrightBrowser", job: Job[object], future: "Future[object]") -> None:
    try:
        future.set_result(job(browser))
    except BaseException as error:  # noqa: BLE001 - it belongs to the caller
        future.set_exception(error)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine to search for a browser; tests use others.

    Attributes:
        environ: the environment variables.
        home: the user's home folder.
        platform: `sys.platform`.
        which: finds a program on the PATH.
        version_of: returns the version of an installed distribution, or raises `PackageNotFoundError`.
    """

    environ: Mapping[str, str]
    home: Path
    platform: str = sys.platform
    which: Callable[[str], str | None] = shutil.which
    version_of: Callable[[str], str] = metadata.version

    @classmethod
    def this(cls) -> "Host":
        """Return the machine that this process runs on."""
        return cls(environ=os.environ, home=Path("~").expanduser())


def find_chromium(host: Host) -> Path | None:
    """Return the Chromium to start: from `VARIABLE`, on the PATH, an application, or downloaded by Playwright."""
    if configured := host.environ.get(VARIABLE):
        return Path(configured) if Path(configured).is_file() else None
    for name in NAMES:
        if program := host.which(name):
            return Path(program)
    for path in _APPLICATIONS.get(host.platform, ()):
        if Path(path).is_file():
            return Path(path)
    return _find_downloaded(host)


def probe(host: Host) -> Probe:
    """Return whether a browser could be started, without starting it or Playwright."""
    try:
        version = host.version_of("playwright")
    except metadata.PackageNotFoundError:
        return Probe(available=False, reason=NO_PLAYWRIGHT)
    versions = {"playwright": version}
    if find_chromium(host) is not None:
        return Probe(available=True, versions=versions)
    if path := host.environ.get(VARIABLE):
        return Probe(available=False, reason=f"no Chromium found; {VARIABLE}={path} is not a file", versions=versions)
    return Probe(available=False, reason=NO_CHROMIUM, versions=versions)


def _find_downloaded(host: Host) -> Path | None:
    folder = host.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    root = Path(folder) if folder else host.home / _CACHES.get(host.platform, _CACHES["linux"])
    paths: Sequence[Path] = [path for pattern in _DOWNLOADED for path in root.glob(pattern) if path.is_file()]
    # Compare numbers, not names: chromium-1148 is newer than chromium-998.
    return max(paths, key=lambda path: _revision(path.relative_to(root).parts[0]), default=None)


def _revision(folder: str) -> int:
    number = folder.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0
