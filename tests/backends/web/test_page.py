"""Calling and timing JavaScript in a real page."""

import asyncio
import contextlib
import re

import pytest

from pytest_benchdb.backends.web.backend import OpenPage
from pytest_benchdb.backends.web.browser import JavaScriptError, PageGoneError
from pytest_benchdb.backends.web.page import WebPage
from pytest_benchdb.errors import MeasurementError

COUNT = "(n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; }"
SPIN_MS = "(ms) => { const end = performance.now() + ms; while (performance.now() < end); }"


def test_page_is_secure_isolated_and_on_no_network(page: WebPage) -> None:
    facts = "[isSecureContext, crossOriginIsolated, typeof SharedArrayBuffer, location.href]"

    assert page.evaluate(facts) == [True, True, "function", "https://benchdb.localhost/"]


def test_page_clock_is_that_of_an_isolated_page(page: WebPage) -> None:
    assert page.resolution_s == pytest.approx(5e-6)


def test_call_returns_what_the_function_returns(page: WebPage) -> None:
    assert page.call("(a, b) => ({ sum: a + b, list: [a, b] })", 40, 2) == {"sum": 42, "list": [40, 2]}


def test_call_awaits_a_promise(page: WebPage) -> None:
    assert page.call("async (a) => { await null; return a + 1; }", 41) == 42


def test_call_gives_bytes_as_an_array(page: WebPage) -> None:
    sent = bytes(range(256))

    assert page.call("(bytes) => [bytes.constructor.name, ...bytes]", sent) == ["Uint8Array", *sent]


def test_call_compiles_a_function_once(page: WebPage) -> None:
    counter = "function count() { count.calls = (count.calls ?? 0) + 1; return count.calls; }"

    assert [page.call(counter), page.call(counter)] == [1, 2]


def test_call_after_a_reload_works(page: WebPage) -> None:
    before = page.call("() => 1")
    page.with_page(lambda inner: inner.reload())

    assert (before, page.call("() => 1")) == (1, 1)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("() => { throw new TypeError('boom 17'); }", "TypeError: boom 17"),
        ("() => null.x", "Cannot read properties of null"),
        ("async () => { throw 'a string'; }", "a string"),
        ("() => {", "SyntaxError"),
        ("42", "not a function: 42"),
        (
            "() => { Promise.reject(new Error('nobody awaits')); return new Promise((done) => setTimeout(done, 20)); }",
            "Error: nobody awaits",
        ),
    ],
)
def test_call_that_throws_raises_with_its_text(page: WebPage, function: str, text: str) -> None:
    with pytest.raises(JavaScriptError, match=text):
        page.call(function)


def test_evaluate_that_throws_raises_with_its_text(page: WebPage) -> None:
    with pytest.raises(JavaScriptError, match="ReferenceError: nothing is not defined"):
        page.evaluate("nothing")


def test_with_page_lets_errors_of_the_test_through(page: WebPage) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        page.with_page(fail)


def test_call_within_a_running_event_loop_works(page: WebPage) -> None:
    async def test() -> object:
        return page.call("(a) => a * 2", 21)

    assert asyncio.run(test()) == 42


def test_time_of_a_known_length_is_that_length(page: WebPage) -> None:
    timing = page.time(SPIN_MS, [3], rounds=5)

    assert timing.iterations == 1
    assert len(timing.samples_s) == 5
    # No round can be shorter; a busy machine makes some longer, but hardly all.
    assert min(timing.samples_s) == pytest.approx(3e-3, abs=0.2e-3)
    assert timing.first_call_s >= 3e-3


def test_time_of_a_short_function_fills_rounds_and_reports_one_iteration(page: WebPage) -> None:
    short, long = page.time(COUNT, [1_000]), page.time(COUNT, [100_000])

    assert short.iterations > 20 * long.iterations
    assert short.result == sum(i % 7 for i in range(1_000))
    assert 30 < min(long.samples_s) / min(short.samples_s) < 300


def test_time_of_an_async_function_awaits_each_iteration(page: WebPage) -> None:
    function = """async () => {
      globalThis.running = (globalThis.running ?? 0) + 1;
      await null;
      return running--;
    }"""

    assert page.time(function, rounds=2).result == 1
    assert page.evaluate("running") == 0


def test_time_of_a_round_below_the_clocks_step_is_refused(page: WebPage) -> None:
    with pytest.raises(MeasurementError, match=r"a round of 1 x \(\) => 1 took .* steps of 5 us; raise iterations"):
        page.time("() => 1", iterations=1, rounds=50)


def test_time_goes_on_for_the_requested_time(page: WebPage) -> None:
    timing = page.time(SPIN_MS, [3], max_time_s=0.1, warmup_s=0.01)

    assert 6 <= len(timing.samples_s) <= 34  # fewer only on a very busy machine
    assert len(page.time(SPIN_MS, [3], max_time_s=0.001, warmup_s=0.01).samples_s) == 5
    assert page.time(SPIN_MS, [1], round_time_s=0.01, rounds=1).iterations > 5


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"rounds": 0}, "with rounds=0: give 1 or more"),
        ({"iterations": 0}, "with iterations=0: give 1 or more"),
        ({"max_time_s": 0.0}, "with max_time_s=0.0: give a number of seconds above 0"),
        ({"round_time_s": float("inf")}, "with round_time_s=inf: give"),
        ({"rounds": 5, "max_time_s": 1.0}, "with rounds=5 and max_time_s=1.0: give one of them"),
    ],
    ids=str,
)
def test_time_with_numbers_that_make_no_sense_is_refused(page: WebPage, plan: dict[str, float], words: str) -> None:
    with pytest.raises(MeasurementError, match=re.escape(words)):
        page.time("() => 1", **plan)  # type: ignore[arg-type]


def test_crashed_page_raises_page_gone(wasm: OpenPage) -> None:
    page = wasm.page
    with contextlib.suppress(JavaScriptError, PageGoneError):  # the navigation itself may be answered or not
        page.with_page(lambda inner: inner.goto("chrome://crash"))

    with pytest.raises(PageGoneError, match="the page is gone"):
        page.call("() => 1")
    assert wasm.page is not page  # the next test has another
    assert wasm.page.call("() => 1") == 1
