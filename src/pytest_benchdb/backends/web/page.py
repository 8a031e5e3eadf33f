"""A page of the browser for tests: calls JavaScript functions and times them inside the page."""

import base64
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_benchdb.backends.web.browser import Browser, JavaScriptError, PageGoneError, PageTimeoutError
from pytest_benchdb.errors import MeasurementError

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser
    from playwright.sync_api import Page, Route

T = TypeVar("T")

ORIGIN = "https://benchdb.localhost"
CALL_LIMIT_S = 300.0
OPEN_LIMIT_S = 60.0
ROUND_S = 1e-3
"""Target time of a round in `WebPage.time`: 200 steps of the page's clock."""
ROUNDS = 20
LEAST_ROUNDS = 5
"""Number of rounds in `WebPage.time`, and the smallest number if they go on for a time."""
WARMUP_S = 0.1

# A cross-origin isolated page has shared memory, and a clock with steps of 5 us instead of 100 us.
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
_ASSETS = ("benchdb.js", "webgpu.js", "webnn.js", "wasm.js")
_GONE = ("Target crashed", "has been closed", "Connection closed", "Page crashed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Times of a JavaScript function, measured in the page.

    Attributes:
        samples_s: wall-clock time of one iteration, one per round, in run order, without the warm-up. A round
            begins and ends with the backend's barrier.
        iterations: calls in a round.
        first_call_s: time of the first call, including compilation; not a sample.
        resolution_s: smallest step of the page's clock; a sample is exact to ``resolution_s / iterations``.
        barrier_s: time of a barrier on an idle device; None without a barrier. Calibrated rounds last at least 20
            times as long.
        result: return value of the first call.
    """

    samples_s: tuple[float, ...]
    iterations: int
    first_call_s: float
    resolution_s: float
    barrier_s: float | None
    result: object


class WebPage:
    """The ``bench.device`` of a test: a blank page in a secure, isolated context.

    JavaScript finds the backend's objects under ``benchdb``: ``benchdb.device`` and ``benchdb.adapter`` with
    WebGPU, ``benchdb.context`` with WebNN.

    Attributes:
        page: Playwright's page. It belongs to the browser's thread: use it inside `with_page`.
        resolution_s: smallest observed step of the page's clock.
        gone: whether it is known to have crashed, hung, or lost its device.
    """

    def __init__(self, browser: Browser, page: "Page", resolution_s: float) -> None:
        """Wrap a page that `open_page` has made."""
        self.page = page
        self.resolution_s = resolution_s
        self.gone = False
        self._browser = browser
        self._functions: dict[str, int] = {}

    def with_page(self, function: "Callable[[Page], T]", *, limit_s: float = CALL_LIMIT_S) -> T:
        """Run a function with Playwright's page in the browser's thread, to load scripts or take a screenshot.

        >>> bench.device.with_page(lambda page: page.add_script_tag(path="kernel.js"))  # doctest: +SKIP

        Raises:
            PageGoneError: the page or its browser has ended.
            PageTimeoutError: it took too long; the browser was killed.
        """
        try:
            return self._browser.run(self._job(function), limit_s=limit_s)
        except (PageGoneError, PageTimeoutError):
            self.gone = True
            raise

    def evaluate(self, javascript: str, *args: object, limit_s: float = CALL_LIMIT_S) -> Any:
        """Evaluate an expression, or with arguments call a function; return the value.

        For setup and inspection, not for measuring: V8 compiles the text each time. Arguments are JSON values,
        or bytes, which arrive as a Uint8Array.

        Raises:
            JavaScriptError: it threw.
        """
        if args:
            return self._answer("call", javascript, args, limit_s=limit_s)["value"]
        return self.with_page(lambda page: page.evaluate(javascript), limit_s=limit_s)

    def call(self, function: str, *args: object, limit_s: float = CALL_LIMIT_S) -> Any:
        """Call a JavaScript function and return its value; a promise is awaited.

        The function is compiled once per page, so that it warms up as it would in an application.

        `function` is its source: ``"(a, b) => a + b"``. Arguments are JSON values, or bytes, which arrive as a
        Uint8Array.

        Raises:
            JavaScriptError: it threw, or a device of the page reported an error.
        """
        return self._answer("call", function, args, limit_s=limit_s)["value"]

    def time(  # noqa: PLR0913 - the options of a measurement
        self,
        function: str,
        args: Sequence[object] = (),
        iterations: int | None = None,
        *,
        rounds: int | None = None,
        max_time_s: float | None = None,
        round_time_s: float = ROUND_S,
        warmup_s: float = WARMUP_S,
        limit_s: float = CALL_LIMIT_S,
    ) -> Timing:
        """Time a function inside the page, without the round trip to the browser (about 1 ms).

        Args:
            function: its source; if it returns a promise, each iteration awaits it.
            args: as in `call`; the same objects for every iteration.
            iterations: calls in a round; None means enough to fill `round_time_s`, or 20 barriers.
            rounds: number of timed rounds; None means as many as `max_time_s` allows, or 20 without that.
            max_time_s: time for all rounds, at least five; give this or `rounds`.
            round_time_s: target time of one round.
            warmup_s: time of the warm-up, including the first call; V8 recompiles hot code meanwhile.
            limit_s: time limit of everything.

        Raises:
            MeasurementError: a round was shorter than a step of the page's clock, or a number is out of range.
            JavaScriptError: the function threw.
        """
        plan = _plan(function, iterations, rounds, max_time_s, round_time_s) | {"warmup_ms": warmup_s * 1e3}
        answer = self._answer("time", function, args, plan, limit_s=limit_s)
        count = int(answer["iterations"])
        elapsed_s = [float(value) / 1e3 for value in answer["rounds_ms"]]
        if (shortest := min(elapsed_s)) < self.resolution_s:
            step = f"the page's clock moves in steps of {self.resolution_s * 1e6:g} us"
            raise MeasurementError(
                f"a round of {count} x {_short(function)} took {shortest:g} s, but {step}; raise iterations"
            )
        return Timing(
            samples_s=tuple(value / count for value in elapsed_s),
            iterations=count,
            first_call_s=answer["first_ms"] / 1e3,
            resolution_s=self.resolution_s,
            barrier_s=None if answer["barrier_ms"] is None else answer["barrier_ms"] / 1e3,
            result=answer["value"],
        )

    def barrier(self) -> None:
        """Return once the page's devices have finished all their work.

        Raises:
            JavaScriptError: a device reported an uncaught error.
        """
        self._answer("call", "() => benchdb.barrier?.()", (), limit_s=CALL_LIMIT_S)

    def post(self, javascript: str, argument: object) -> "Future[object]":
        """Queue the evaluation of a function without waiting for it."""
        return self._browser.submit(self._job(lambda page: page.evaluate(javascript, argument)))

    def close(self) -> None:
        """Close the page and its context; do nothing if it is gone."""
        with contextlib.suppress(PageGoneError):
            self.with_page(lambda page: page.context.close(), limit_s=OPEN_LIMIT_S)

    def _job(self, function: "Callable[[Page], T]") -> "Callable[[PlaywrightBrowser], T]":
        def job(_: "PlaywrightBrowser") -> T:
            try:
                return function(self.page)
            except Exception as error:
                raise _translate(error) from error

        return job

    def _answer(
        self, verb: str, function: str, args: Sequence[object], *more: object, limit_s: float
    ) -> Mapping[str, Any]:
        """Call `assets/benchdb.js`, which keeps functions by number; their source is sent once per document."""
        is_sent = function in self._functions
        number = self._functions.setdefault(function, len(self._functions))
        script = f"([id, source, args, more]) => benchdb.{verb}(id, source, args, ...more)"
        encoded = [_encode(value) for value in args]
        source = None if is_sent else function

        def job(page: "Page") -> Mapping[str, Any]:
            answer: Mapping[str, Any] = page.evaluate(script, [number, source, encoded, list(more)])
            if answer.get("missing"):  # the page has loaded a new document
                answer = page.evaluate(script, [number, function, encoded, list(more)])
            return answer

        answer = self.with_page(job, limit_s=limit_s)
        if (error := answer.get("error")) is not None:
            self.gone = bool(answer["lost"])
            raise JavaScriptError(error)
        return answer


def _plan(
    function: str, iterations: int | None, rounds: int | None, max_time_s: float | None, round_time_s: float
) -> dict[str, object]:
    """Return the plan of `WebPage.time` for `assets/benchdb.js`.

    Raises:
        MeasurementError: a number is out of range.
    """
    cannot = f"cannot time {_short(function)} with"
    for name, count in {"rounds": rounds, "iterations": iterations}.items():
        if count is not None and count < 1:
            raise MeasurementError(f"{cannot} {name}={count}: give 1 or more")
    for name, seconds in {"max_time_s": max_time_s, "round_time_s": round_time_s}.items():
        if seconds is not None and not 0 < seconds < float("inf"):
            raise MeasurementError(f"{cannot} {name}={seconds}: give a number of seconds above 0")
    if rounds is not None and max_time_s is not None:
        raise MeasurementError(f"{cannot} rounds={rounds} and max_time_s={max_time_s}: give one of them")
    return {
        "iterations": iterations,
        "rounds": (ROUNDS if max_time_s is None else LEAST_ROUNDS) if rounds is None else rounds,
        "max_ms": None if max_time_s is None else max_time_s * 1e3,
        "round_ms": round_time_s * 1e3,
    }


def open_page(browser: Browser) -> WebPage:
    """Open a blank page at `ORIGIN`, without any network.

    Raises:
        PageGoneError: the browser has ended.
    """

    def job(playwright_browser: "PlaywrightBrowser") -> "tuple[Page, float]":
        try:
            context = playwright_browser.new_context()
            for name in _ASSETS:
                context.add_init_script(script=_asset(name))
            page = context.new_page()
            # In older versions of Playwright, calls to a crashed page hang; calls to a closed page fail.
            page.on("crash", lambda crashed: crashed.close())
            page.route(f"{ORIGIN}/**", _serve)
            page.goto(f"{ORIGIN}/")
            # Rounded to the nanosecond: the page returns differences of doubles.
            return page, round(float(page.evaluate("benchdb.resolution()")) / 1e3, 9)
        except Exception as error:
            raise _translate(error) from error

    page, resolution_s = browser.run(job, limit_s=OPEN_LIMIT_S)
    return WebPage(browser, page, resolution_s)


def _serve(route: "Route") -> None:
    if route.request.url == f"{ORIGIN}/":
        route.fulfill(status=200, headers=_HEADERS, body=_asset("page.html"))
    else:
        route.fulfill(status=404, headers=_HEADERS, body="")


@cache
def _asset(name: str) -> str:
    return resources.files("pytest_benchdb.backends.web").joinpath("assets").joinpath(name).read_text(encoding="utf-8")


def _encode(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"benchdbBytes": base64.b64encode(value).decode("ascii")}
    return value


def _short(function: str) -> str:
    text = " ".join(function.split())
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004


def _translate(error: Exception) -> Exception:
    """Convert Playwright's errors to ours; return any other error unchanged."""
    from playwright.sync_api import Error

    if not isinstance(error, Error):
        return error
    text = error.message
    if any(sign in text for sign in _GONE):
        return PageGoneError(f"the page is gone (it crashed, or its browser was ended): {text}")
    return JavaScriptError(text.removeprefix("Page.evaluate: "))
