"""Gates and comparisons for the tests of CI formats, including names that attack every format."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Difference, Gate, GroupMean, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import VERDICTS, Interval, Judgement, Policy, Verdict

HOSTILE = (
    "tests/a b,c:d%.py::Test<script>alert(1)</script>::test_@octocat#1[a|b`c`\r\n::error::x\x1b[31m\x00\ud800\u202e"
    "--> </details></table> ]]> &lt; \"q\" 'r' \\ www.evil.example https://evil.example "
    "GH-1 octo/repo#2 /close ##[error]x]"
)
"""Has a character or word with a meaning in each format."""


def session(**values: Any) -> SessionRow:
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(SessionRow))
    known.update(
        session_id="s", project="p", kind="pytest", started_at="2026-11-21T08:00:00", outcome="passed", complete=True
    )
    return SessionRow(**{**known, "tags": {}, "runs": 1, "not_passed": 0, "commit_sha": "0123456789abcdef", **values})


def row(verdict: Verdict = "unchanged", fullname: str = "tests/test_a.py::test_x", **values: Any) -> ComparisonRow:
    """Make a row; keys of `Judgement` go into its judgement."""
    names = {field.name for field in fields(Judgement)}
    judged: dict[str, Any] = {"change": 0.1, "baseline": 0.001, "candidate": 0.0011}
    if verdict == "missing":
        judged.update(change=None, candidate=None)
    judged.update({name: values.pop(name) for name in list(values) if name in names})
    key = SeriesKey(
        fullname=fullname,
        metric=values.pop("metric", "wall_time"),
        phase=values.pop("phase", None),
        backend=values.pop("backend", None),
        device=values.pop("device", None),
    )
    given: dict[str, Any] = {"unit": "s", "better": "lower", "group": None, "labels": {}, **values}
    return ComparisonRow(key=key, judgement=Judgement(verdict=verdict, **judged), **given)


def comparison(rows: Sequence[ComparisonRow], **values: Any) -> Comparison:
    sides = {"baseline": Side(name="main", sessions=(session(),)), "candidate": Side(name="pr", sessions=(session(),))}
    return Comparison(rows=tuple(rows), **{**sides, **values})


def gate(rows: Sequence[ComparisonRow], **values: Any) -> Gate:
    """Make a gate that fails on sure regressions."""
    failures = tuple(r for r in rows if r.judgement.verdict == "regressed" and r.judgement.state is None)
    given: dict[str, Any] = {
        "comparison": comparison(rows),
        "exit_status": 1 if failures else 0,
        "failures": failures,
        "shift": None,
        "sentence": f"{len(failures)} of {len(rows)} benchmarks regressed",
    }
    return Gate(**{**given, **values})


def hostile() -> Gate:
    """Make a gate in which every text from outside attacks."""
    rows = [
        row(
            verdict,
            HOSTILE + verdict,
            metric=HOSTILE,
            phase=HOSTILE,
            device=HOSTILE,
            backend=HOSTILE,
            unit=HOSTILE,
            reason=HOSTILE,
            command=HOSTILE,
            group=HOSTILE,
            policy=Policy(better="lower", relative=0.05, absolute=1.0),
            interval=Interval(low=-0.1, high=0.3, level=0.95),
        )
        for verdict in VERDICTS
    ]
    side = Side(name=HOSTILE, sessions=(session(started_at=HOSTILE, commit_sha=HOSTILE, branch=HOSTILE),))
    compared = comparison(
        rows,
        baseline=side,
        candidate=side,
        differences=(Difference(name=HOSTILE, baseline=HOSTILE, candidate=None),),
        means=(GroupMean(group=HOSTILE, metric=HOSTILE, ratio=1.2, rows=3),),
        warnings=(HOSTILE,),
    )
    return gate(rows, comparison=compared, sentence=HOSTILE)


def many(number: int, name: str = "tests/test_{file}.py::test_{n}[{n}-x]", **values: Any) -> Gate:
    """Make a gate of many rows, with all verdicts."""
    rows = [
        row(VERDICTS[n % len(VERDICTS)], name.format(file=n % 50, n=n), change=(n % 100) / 100, **values)
        for n in range(number)
    ]
    return gate(rows)
