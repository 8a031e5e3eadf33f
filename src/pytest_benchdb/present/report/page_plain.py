"""The details of runs for readers without JavaScript: facts, and the data of every chart as tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.answer.picture import ReportPictures, Rounds, RunPicture
from pytest_benchdb.model.answer.trend import SessionMark, Trend
from pytest_benchdb.model.report import ReportRow, Row
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.present.history.trend import commits_text, sure_text
from pytest_benchdb.present.report.page_data import DrawnRun
from pytest_benchdb.present.report.page_rows import WORDS, direction_of
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity, quantity, unit_for
from pytest_benchdb.present.writing.values import value_text

MOST_PLAIN = 50
"""Runs whose details are also in the page as tables; those of hundreds would be most of its size."""

_MINUTE = 16
_SHORT_COMMIT = 10
_LABELS = (
    *("backend", "device", "model", "implementation", "framework", "workload", "precision"),
    *("batch_size", "provenance", "attempt", "worker", "run_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTable:
    """A table of texts."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainDetails:
    """What opens below one run."""

    name: str
    command: str | None
    facts: Sequence[tuple[str, str]]
    tables: Sequence[PlainTable]


def plain_details(drawn: Sequence[DrawnRun], pictures: ReportPictures) -> list[PlainDetails]:
    """Return the details of the first runs that have any."""
    return [_details(one.run, one.picture, pictures.marks) for one in drawn[:MOST_PLAIN]]


def _details(run: ReportRow, picture: RunPicture, marks: Mapping[str, SessionMark]) -> PlainDetails:
    tables = [] if picture.trend is None else list(_history(picture.trend, marks))
    for trend, _ in picture.others:
        tables += _history(trend, marks)
    if picture.rounds is not None:
        tables.append(_rounds(picture.rounds, picture.before))
    tables += [_phases(picture.phases)] if picture.phases else []
    tables += map(_course, picture.courses)
    tables += map(_requests, picture.requests)
    facts = [(name, value_text(value)) for name, value in (run.params or {}).items()]
    facts += [(name, value_text(value)) for name in _LABELS if (value := getattr(run, name)) is not None]
    return PlainDetails(
        name=sanitize(run.fullname),
        command=picture.command and sanitize(picture.command),
        facts=[(sanitize(name).replace("_", " "), sanitize(text)) for name, text in facts],
        tables=tables,
    )


def _history(trend: Trend, marks: Mapping[str, SessionMark]) -> Iterator[PlainTable]:
    name = sanitize(f"{trend.key.metric} of {trend.key.phase}" if trend.key.phase else trend.key.metric)
    unit = unit_for(trend.unit, [point.value for point in trend.points if point.value is not None])
    rows = [
        (
            point.started_at[:_MINUTE].replace("T", " "),
            sanitize((point.commit or NOT_MEASURED)[:_SHORT_COMMIT]),
            quantity(point.value, unit),
            quantity(point.level, unit),
            sanitize(_remark(point.reason, marks.get(point.session_id))),
        )
        for point in trend.points
    ]
    yield PlainTable(title=f"History: {name}", heads=("time (UTC)", "commit", "value", "level", "remarks"), rows=rows)
    if trend.changes:
        changes = [
            (
                f"{percent_text(change.point.change)} {WORDS[direction_of(change)][1]}",
                quantity(change.point.before, unit),
                quantity(change.point.after, unit),
                sanitize(commits_text(change)),
                sanitize(sure_text(change)),
            )
            for change in reversed(trend.changes)
        ]
        heads = ("change of level", "before", "after", "commits", "how sure")
        yield PlainTable(title=f"Changes of level: {name}", heads=heads, rows=changes)


def _remark(reason: str | None, mark: SessionMark | None) -> str:
    words = [f"no figure: {reason}"] if reason is not None else []
    if mark is not None:
        words += [f"label {mark.label}"] if mark.label else []
        words += [f"baseline {name}" for name in mark.baselines] + [f"note: {text}" for text in mark.notes]
    return "; ".join(words)


def _rounds(rounds: Rounds, before: Rounds | None) -> PlainTable:
    sides = [sorted(side.values_s) for side in (rounds, before) if side is not None]
    unit = unit_for("s", [value for side in sides for value in side])
    rows = [
        (str(place + 1), *(quantity(side[place], unit) if place < len(side) else "" for side in sides))
        for place in range(max(map(len, sides)))
    ]
    heads = ("from the fastest", "this session", "the session before")[: len(sides) + 1]
    kind = "quantiles of the rounds" if rounds.quantiles else "rounds"
    return PlainTable(title=f"Distribution: {kind}", heads=heads, rows=rows)


def _phases(phases: Sequence[Row]) -> PlainTable:
    rows = [
        (sanitize(row["phase"]), sanitize(row["metric"]), one_quantity(row["value"], row["unit"]), str(row["n"]))
        for row in phases
    ]
    return PlainTable(title="Phases", heads=("phase", "metric", "value", "readings"), rows=rows)


def _course(course: Row) -> PlainTable:
    unit = unit_for(course["unit"], [value for value in course["means"] if value is not None])
    span = (course["end_s"] - course["begin_s"]) / len(course["means"])
    rows = [
        (one_quantity(course["begin_s"] + span * place, "s"), quantity(value, unit))
        for place, value in enumerate(course["means"])
    ]
    of = f" of {course['domain']}" if course["domain"] else ""
    simulated = " (simulated)" if course["provenance"] == "simulated" else ""
    title = sanitize(f"Sensor: {course['metric']}{of}{simulated}")
    return PlainTable(title=title, heads=("from", "mean"), rows=rows)


def _requests(part: Row) -> PlainTable:
    rows = [
        (
            str(number),
            one_quantity(sent, "s"),
            one_quantity(first, "s"),
            one_quantity(last, "s"),
            "ok" if ok else sanitize(f"failed: {error or 'no reason given'}"),
        )
        for number, sent, first, last, ok, error in zip(
            *(part[name] for name in ("numbers", "sent_s", "ttft_s", "e2e_s", "ok", "errors")), strict=True
        )
    ]
    of = f" of {part['phase']}" if part["phase"] else ""
    simulated = " (simulated)" if part["provenance"] == "simulated" else ""
    heads = ("request", "sent after", "first token", "last token", "outcome")
    return PlainTable(title=sanitize(f"Requests{of}{simulated}"), heads=heads, rows=rows)
