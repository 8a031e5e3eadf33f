"""The details of one row of a comparison: the test, what checked it, its history, and how to repeat it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.answer.trend import Trend, Trends
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.decisions.history_plot import History, history_of
from pytest_benchdb.present.decisions.parts import LONGEST_NAME, Fact, text_of
from pytest_benchdb.present.verdicts.words import (
    change_text,
    factor_text,
    full_interval_text,
    limit_text,
    repeated_text,
    series_name,
)
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity

_TESTS = {
    "welch": "Welch's test on the logarithms of the sessions",
    "ranks": "Mann-Whitney test of the sessions",
    "history": "t-test of one session against its history",
    "range": "the range of the sessions",
    "rounds": "the rounds within one session",
    "summary": "the summaries of the rounds within one session",
    "exact": "the change alone, because the metric repeats exactly",
}
_LONGEST_COMMAND = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A judgement of a re-run, or of the check against the baseline's commit."""

    number: str
    verdict: str
    change: str
    interval: str
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDetails:
    """What a row opens into.

    Attributes:
        key: its id, which links name.
        checks: empty if the row was not checked.
        checked: what the checks showed, in words; why there are none, without any.
        history: None if there is nothing to draw.
        command: empty if it cannot be repeated.
    """

    key: str
    title: str
    series: str
    verdict: str
    style: Style
    facts: Sequence[Fact]
    checks: Sequence[Check]
    checked: str
    history: History | None
    command: str


def details_of(row: ComparisonRow, key: str, trends: Trends | None, style: Style) -> RowDetails:
    """Return the details of a row; `trends` has its history, if that is known."""
    trend = None if trends is None else trend_of_row(row, trends)
    history = None
    if trend is not None and trends is not None:
        history = history_of(trend, trends.marks, f"History of {text_of(row.key.fullname, LONGEST_NAME)}")
    return RowDetails(
        key=key,
        title=text_of(row.key.fullname),
        series=text_of(series_name(row), LONGEST_NAME),
        verdict=f"{row.judgement.text}, {change_text(row)}",
        style=style,
        facts=list(_facts(row)),
        checks=[_check(again, number, row.unit) for number, again in enumerate(row.confirmations, start=1)],
        checked=_checked(row),
        history=history,
        command=text_of(row.command, _LONGEST_COMMAND),
    )


def trend_of_row(row: ComparisonRow, trends: Trends) -> Trend | None:
    """Return the history of a row; None if there is none."""
    key = row.key
    return next(
        (
            trend
            for trend in trends.series
            if (trend.key.fullname, trend.key.metric, trend.key.phase) == (key.fullname, key.metric, key.phase)
            and (key.device is None or trend.key.device in (None, key.device))
        ),
        None,
    )


def _facts(row: ComparisonRow) -> Iterator[Fact]:
    judgement = row.judgement
    yield Fact(label="baseline", text=_side(judgement.baseline, judgement.baseline_sessions, row.unit))
    yield Fact(label="candidate", text=_side(judgement.candidate, judgement.candidate_sessions, row.unit))
    if judgement.change is not None:
        factor = factor_text(row)
        speed = "" if factor == NOT_MEASURED else f", {factor} as good"
        yield Fact(label="change", text=f"{change_text(row)}{speed}")
    if judgement.interval is not None:
        yield Fact(label="interval", text=full_interval_text(judgement.interval))
    if row.policy is not None:
        gated = "" if row.is_gated or row.policy.budget is not None else ", which no gate asks about"
        yield Fact(label="limit", text=text_of(limit_text(row)) + gated)
    if judgement.test is not None:
        yield Fact(label="decided by", text=_test(judgement, row.q_value))
    if judgement.sessions_needed:
        yield Fact(label="to be sure", text=f"record {counted(judgement.sessions_needed, 'more session')} a side")
    if judgement.reason:
        yield Fact(label="because", text=text_of(judgement.reason))
    if row.params:
        params = ", ".join(f"{name}={value}" for name, value in row.params.items())
        yield Fact(label="parameters", text=text_of(params))
    if row.labels:
        yield Fact(label="labels", text=text_of(", ".join(f"{name}={value}" for name, value in row.labels.items())))


def _side(value: float | None, sessions: int, unit: str) -> str:
    if value is None:
        return "not measured"
    return f"{text_of(one_quantity(value, unit))} ({counted(sessions, 'session')})"


def _test(judgement: Judgement, q_value: float | None) -> str:
    parts = [_TESTS.get(judgement.test or "", judgement.test or "")]
    parts += [f"p = {judgement.p_value:.2g} (one-sided)"] if judgement.p_value is not None else []
    parts += [f"q = {q_value:.2g} among all benchmarks"] if q_value is not None else []
    return ", ".join(parts)


def _checked(row: ComparisonRow) -> str:
    if row.confirmations:
        return repeated_text(row)
    if row.judgement.verdict == "regressed" or row.judgement.state == "suspect":
        return "not checked: nothing ran it again"
    return ""


def _check(again: Judgement, number: int, unit: str) -> Check:
    return Check(
        number=str(number),
        verdict=again.text,
        change=percent_text(again.change),
        interval=full_interval_text(again.interval),
        baseline=text_of(one_quantity(again.baseline, unit)),
        candidate=text_of(one_quantity(again.candidate, unit)),
    )
