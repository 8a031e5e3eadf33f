"""Confirmation of suspects: what every re-run repeats, what one does not, and what tells nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import Judgement, State, Verdict
from pytest_benchdb.operations.gate.confirm import INTERRUPTED, Confirmation, confirm
from pytest_benchdb.operations.pytest_run import Rerun

LIMIT_S = 1.05e-3


def _suspect(value: SessionValue, verdict: Verdict = "regressed", state: State = "suspect") -> ComparisonRow:
    return ComparisonRow(
        key=value.key,
        unit="s",
        better="lower",
        group=None,
        judgement=Judgement(verdict=verdict, state=state, change=0.12),
        labels={},
    )


def _judge(_key: SeriesKey, value: SessionValue, session: SessionRow) -> Judgement:
    if session.contended:
        return Judgement(verdict="inconclusive", state="unstable", reason="busy")
    slow = (value.value or 0.0) > LIMIT_S
    return Judgement(verdict="regressed" if slow else "unchanged", change=(value.value or 0.0) / 1e-3 - 1)


class Runs:
    """Stands for the process: hands out what it is given, and remembers what was asked for."""

    def __init__(self, *results: Rerun | type[BaseException]) -> None:
        self.results = list(results)
        self.asked: list[list[str]] = []

    def __call__(self, names: Sequence[str]) -> Rerun:
        self.asked.append(list(names))
        result = self.results.pop(0)
        if isinstance(result, type):
            raise result
        return result


@pytest.fixture
def rerun(value: Callable[..., SessionValue], session: Callable[..., SessionRow]) -> Callable[..., Rerun]:
    """Return a function that makes a re-run of seconds by full name."""

    def make(contended: bool = False, fingerprint: str = "f", **seconds: float) -> Rerun:
        values = [value("again", figure, fullname=name) for name, figure in seconds.items()]
        return Rerun(session=session("again", contended=contended, fingerprint=fingerprint), values=tuple(values))

    return make


def _confirm(suspects: Sequence[ComparisonRow], times: int, run: Any) -> Confirmation:
    return confirm(suspects, times, run, _judge, fingerprint="f", say=lambda _text: None)


def test_suspect_that_every_rerun_repeats_is_confirmed(
    value: Callable[..., SessionValue], rerun: Callable[..., Rerun]
) -> None:
    runs = Runs(rerun(a=1.2e-3), rerun(a=1.1e-3))

    found = _confirm([_suspect(value(fullname="a"))], 2, runs)

    (row,) = found.rows
    assert (row.judgement.verdict, row.judgement.state) == ("regressed", None)
    assert row.judgement.change == 0.12
    assert [one.verdict for one in row.confirmations] == ["regressed", "regressed"]
    assert found.undecided == frozenset()


def test_suspect_that_one_rerun_does_not_repeat_is_cleared_and_not_run_again(
    value: Callable[..., SessionValue], rerun: Callable[..., Rerun]
) -> None:
    runs = Runs(rerun(a=1.2e-3, b=1e-3), rerun(a=1.2e-3))

    found = _confirm([_suspect(value(fullname=name)) for name in "ab"], 2, runs)

    assert runs.asked == [["a", "b"], ["a"]]
    assert [row.judgement.verdict for row in found.rows] == ["regressed", "inconclusive"]
    assert found.rows[1].judgement.reason == "re-run 1 did not repeat it (0.0 %)"
    assert found.undecided == frozenset()


def test_suspects_of_one_benchmark_are_run_once(
    value: Callable[..., SessionValue], rerun: Callable[..., Rerun]
) -> None:
    runs = Runs(rerun(a=1e-3))

    _confirm([_suspect(value(fullname="a")), _suspect(value(fullname="a", phase="load"))], 1, runs)

    assert runs.asked == [["a"]]


def test_suspect_in_doubt_that_calm_reruns_repeat_is_confirmed(
    value: Callable[..., SessionValue], rerun: Callable[..., Rerun]
) -> None:
    found = _confirm([_suspect(value(fullname="a"), "inconclusive", "unstable")], 2, Runs(*[rerun(a=1.2e-3)] * 2))

    assert (found.rows[0].judgement.verdict, found.rows[0].judgement.state) == ("regressed", None)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("problem", "re-run 1 confirmed nothing: pytest ended with exit status 4"),
        ("empty", "re-run 1 confirmed nothing: it recorded nothing"),
        ("vanished", "re-run 1 confirmed nothing: the benchmark was not there"),
        ("failed", "re-run 1 confirmed nothing: it failed: AssertionError"),
        ("no figure", "re-run 1 confirmed nothing: it passed: too short"),
        ("machine", "re-run 1 confirmed nothing: this is another machine"),
        ("busy", "re-run 1 confirmed nothing: busy"),
    ],
)
def test_unusable_rerun_leaves_its_suspect_undecided(
    value: Callable[..., SessionValue],
    session: Callable[..., SessionRow],
    rerun: Callable[..., Rerun],
    case: str,
    reason: str,
) -> None:
    there = session("again", fingerprint="f")
    failed = value("again", None, fullname="a", device=None, outcome="failed", reason="AssertionError")
    runs = {
        "problem": Rerun(problem="pytest ended with exit status 4"),
        "empty": Rerun(),
        "vanished": rerun(b=1.2e-3),
        "failed": Rerun(session=there, values=(failed,)),
        "no figure": Rerun(session=there, values=(value("again", None, fullname="a", reason="too short"),)),
        "machine": rerun(fingerprint="g", a=1.2e-3),
        "busy": rerun(contended=True, a=1.2e-3),
    }
    suspect = _suspect(value(fullname="a"))

    found = _confirm([suspect], 2, Runs(runs[case]))

    (row,) = found.rows
    assert row.judgement.verdict == "inconclusive"
    assert (row.judgement.reason or "").startswith(reason)
    assert row.judgement.state == ("unstable" if case == "busy" else "suspect")
    assert found.undecided == {suspect.key}


def test_interrupt_keeps_results_and_leaves_the_rest_undecided(
    value: Callable[..., SessionValue], rerun: Callable[..., Rerun]
) -> None:
    suspects = [_suspect(value(fullname=name)) for name in "ab"]

    found = _confirm(suspects, 2, Runs(rerun(a=1.2e-3, b=1e-3), KeyboardInterrupt))

    assert found.interrupted
    assert [row.judgement.reason for row in found.rows] == [INTERRUPTED, "re-run 1 did not repeat it (0.0 %)"]
    assert found.undecided == {suspects[0].key}


def test_without_suspects_nothing_is_run() -> None:
    runs = Runs()

    assert _confirm([], 2, runs).rows == ()
    assert runs.asked == []
