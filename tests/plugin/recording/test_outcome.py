import pytest

from pytest_benchdb.plugin.recording.outcome import Phase, classify, phase_of, with_subtests

PASSED = Phase(outcome="passed")


def failed(error: str, *, oom: bool = False) -> Phase:
    return Phase(outcome="failed", error=error, oom=oom)


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        ((PASSED, PASSED, PASSED), ("passed", None)),
        ((PASSED, failed("ValueError: x"), PASSED), ("failed", "ValueError: x")),
        ((PASSED, failed("ValueError: x"), failed("KeyError: y")), ("failed", "ValueError: x")),
        ((failed("ValueError: x"), None, PASSED), ("error", "in setup: ValueError: x")),
        ((PASSED, PASSED, failed("ValueError: x")), ("error", "in teardown: ValueError: x")),
        ((PASSED, Phase(outcome="skipped", error="slow"), PASSED), ("skipped", "slow")),
        ((Phase(outcome="skipped", error="slow"), None, PASSED), ("skipped", "slow")),
        ((PASSED, Phase(outcome="skipped", xfail="known"), PASSED), ("xfailed", "known")),
        ((PASSED, Phase(outcome="skipped", xfail=""), failed("E: y")), ("error", "in teardown: E: y")),
        ((PASSED, Phase(outcome="passed", xfail="known"), PASSED), ("xpassed", "known")),
        (
            (PASSED, failed("Failed: Timeout (>1.0s) from pytest-timeout."), PASSED),
            ("timeout", "Failed: Timeout (>1.0s) from pytest-timeout."),
        ),
        ((PASSED, failed("MemoryError", oom=True), PASSED), ("oom", "MemoryError")),
        ((failed("MemoryError", oom=True), None, PASSED), ("oom", "in setup: MemoryError")),
        ((None, None, None), ("error", "interrupted in setup")),
        ((PASSED, None, None), ("error", "interrupted")),
        ((PASSED, PASSED, None), ("error", "interrupted before it ended")),
    ],
)
def test_classify_adds_the_phases_up(phases: tuple[Phase | None, ...], expected: tuple[str, str | None]) -> None:
    assert classify(*phases) == expected


def test_classify_clips_reasons_and_drops_addresses() -> None:
    _, reason = classify(PASSED, failed("E: <A at 0x7f3a5c0d1e50> " + "x" * 5000), PASSED)

    assert reason is not None
    assert reason.startswith("E: <A at 0x…> xxx")
    assert len(reason) == 2000


class Report:
    def __init__(self, outcome: str, longrepr: object = None) -> None:
        self.outcome = outcome
        self.longrepr = longrepr


class BadTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def caught(error: BaseException) -> pytest.ExceptionInfo[BaseException]:
    with pytest.raises(type(error)) as info:
        raise error
    return info


@pytest.mark.parametrize(
    ("error", "text", "oom"),
    [
        (ValueError("first\nsecond"), "ValueError: first", False),
        (ValueError(), "ValueError", False),
        (MemoryError(), "MemoryError", True),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), "OutOfMemoryError: CUDA", True),
        (BadTextError(), "BadTextError", False),
    ],
    ids=["first-line", "no-text", "memory", "torch", "broken-str"],
)
def test_phase_of_tells_the_error(error: BaseException, text: str, oom: bool) -> None:
    phase = phase_of(Report("failed"), caught(error))

    assert (phase.error, phase.oom) == (text, oom)


def test_with_subtests_fails_a_call_that_passed() -> None:
    assert with_subtests(PASSED, 0) is PASSED
    assert with_subtests(PASSED, 2).error == "contains 2 failed subtests"
    assert with_subtests(failed("E"), 2).error == "E"
