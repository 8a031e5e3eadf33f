"""One run for people: facts, a histogram of its rounds, its files, and a table for each kind of measurement.

There are tables of measurements by phase, ranks, requests, sensors and series.
"""

import math
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields

from pytest_benchdb.model.benchmark import COMMAND_FILE
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.report import Row, RunDetail
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import Entry, Fact, Heading, Line, Section, Span, Style, fact_lines, fit
from pytest_benchdb.present.writing.sparkline import histogram, sparkline
from pytest_benchdb.present.writing.text import clip, sanitize, width, wrap
from pytest_benchdb.present.writing.times import local_text
from pytest_benchdb.present.writing.units import NOT_MEASURED, Unit, choose_unit, one_quantity, quantity, unit_for
from pytest_benchdb.present.writing.values import value_text

RUN_SCHEMA = "benchdb.run/1"

_ABOUT_SAMPLES = ("metric", "pass", "phase", "rank", "domain")
LEADING = ("step_time", "e2e_latency", "wall_time")
"""Metrics that are listed first; the first one that a run has is its main time."""

_ORDER = {name: place for place, name in enumerate(dict.fromkeys([*LEADING, *METRICS]))}
_LATENCIES = frozenset({"ttft", "ttfot", "tpot", "itl", "e2e_latency", "queue_time"})
_NOT_VALID = " (not valid)"
_SIMULATED = " (simulated)"
_SLOWEST = " (slowest)"
_LEAST_FOR_INDENT = 20
_MOST_NAMED = 3
_MOST_ERRORS = 5
_DEGREE = "\N{DEGREE SIGN}"
_MOST_BARS = 40
_LEAST_FOR_BARS = 60
_SHARE_IN_BARS = 0.99
_WIDE = 3.0
"""Largest round per smallest, above which a histogram is logarithmic."""
_HISTOGRAM_NOUNS = {"wall_time": "rounds", "step_time": "steps", "e2e_latency": "requests"}
"""Metrics that may have a histogram, the most usual first, and the noun for their samples."""
_FACTS = (
    ("run", "run_id"),
    ("group", "group_name"),
    ("parameters", "params"),
    ("device", "device"),
    ("model", "model"),
    ("version", "model_version"),
    ("framework", "framework"),
    ("use case", "use_case"),
    ("implementation", "implementation"),
    ("workload", "workload"),
    ("precision", "precision"),
    ("batch size", "batch_size"),
    ("sequence", "sequence_length"),
    ("attempt", "attempt"),
    ("worker", "worker"),
    ("rounds", "rounds"),
    ("iterations", "iterations"),
    ("warm-up", "warmup_rounds"),
    ("timer", "timer"),
    ("provenance", "provenance"),
    ("extra info", "extra_info"),
)


def _figures(title: str, priority: int = 0) -> Heading:
    return Heading(title=title, align="right", flexible=False, priority=priority)


_HOW = "how"
_MEASUREMENT_HEADINGS = (
    Heading(title="metric"),
    _figures("value"),
    _figures("min", 3),
    _figures("max", 4),
    _figures("n", 5),
    Heading(title=_HOW, priority=7),
    Heading(title="note", priority=6),
)
_REQUEST_HEADINGS = (
    Heading(title="latency"),
    _figures("p50"),
    _figures("p90", 2),
    _figures("p95", 3),
    _figures("p99", 1),
    _figures("max", 4),
    _figures("n", 5),
    Heading(title=_HOW, priority=6),
)
_SENSOR_HEADINGS = (
    Heading(title="metric"),
    Heading(title="sensor", priority=3),
    Heading(title="covers", priority=2),
    _figures("value"),
    _figures("window", 4),
    _figures("ticks", 5),
    Heading(title=_HOW, priority=6),
)
_SERIES_HEADINGS = (
    Heading(title="metric"),
    Heading(title="sensor", priority=1),
    _figures("n", 5),
    _figures("min", 4),
    _figures("mean"),
    _figures("max", 2),
    _figures("time", 6),
    Heading(title="course", flexible=False, priority=3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRows:
    """The measurements of one run by table, the whole run before its phases.

    Attributes:
        own: clocks, memory and the suite's own metrics, for the run and its phases.
        ranks: measurements of the ranks of a distributed run.
        sensors: energy and power, with their sensors.
        latencies: latencies of the requests of a token stream.
    """

    own: list[Row] = field(default_factory=list)
    ranks: list[Row] = field(default_factory=list)
    sensors: list[Row] = field(default_factory=list)
    latencies: list[Row] = field(default_factory=list)


def sorted_rows(measurements: Iterable[Row], *, has_requests: bool) -> RunRows:
    """Assign the measurements of a run to tables."""
    rows = RunRows()
    for row in sorted(measurements, key=_place):
        if row.get("rank") is not None:
            part = rows.ranks
        elif row.get("domain") is not None or row["pass"] == "energy":
            part = rows.sensors
        elif has_requests and row["metric"] in _LATENCIES:
            part = rows.latencies
        else:
            part = rows.own
        part.append(row)
    return rows


def _place(row: Row) -> tuple[list[str], int, str, str, int]:
    order = _ORDER.get(row["metric"], len(_ORDER))
    rank = row.get("rank")
    return (_path(row), order, str(row["metric"]), str(row.get("domain") or ""), -1 if rank is None else rank)


def _path(row: Row) -> list[str]:
    return row["phase"].split("/") if row["phase"] else []


@dataclass(frozen=True, slots=True)
class RunTables:
    """Builds tables of at most `total` terminal columns; without rows, a table is empty."""

    total: int
    ascii_only: bool

    @property
    def indent(self) -> str:
        """Indentation of continuation lines; empty in a narrow terminal."""
        return "  " if self.total >= _LEAST_FOR_INDENT else ""

    def safe(self, text: object) -> str:
        """Return text that this terminal can show."""
        return sanitize(str(text), ascii_only=self.ascii_only)

    def title(self, text: str) -> list[Line]:
        """Return an empty line and a title."""
        return [(Span(""),), (Span(clip(self.safe(text), self.total, ascii_only=self.ascii_only), "head"),)]

    def facts(self, facts: Sequence[Fact]) -> list[Line]:
        """Return lines of labels and texts."""
        return fact_lines(facts, self.total, ascii_only=self.ascii_only)

    def measurements(self, rows: Sequence[Row]) -> list[Line]:
        """Return the measurements of a run, then those of its phases, indented by nesting."""
        if not rows:
            return []
        has_notes = any(row["provenance"] != "measured" for row in rows)
        headings = _MEASUREMENT_HEADINGS if has_notes else _MEASUREMENT_HEADINGS[:-1]
        return [(Span(""),), *self._table(headings, self._nested(rows, len(headings)))]

    def _nested(self, rows: Sequence[Row], columns: int) -> Iterator[Entry]:
        shown: list[str] = []
        for row in rows:
            path = _path(row)
            common = 0
            while common < min(len(path), len(shown)) and path[common] == shown[common]:
                common += 1
            # An enclosing phase may have no figures of its own; its name is shown nevertheless.
            for depth in range(common, len(path)):
                title = "  " * depth + "phase " + self.safe(path[depth])
                yield Entry(cells=(Span(title, "head"), *[Span("")] * (columns - 1)))
            shown = path
            texts = (
                "  " * len(path) + str(row["metric"]),
                *self._shared_unit(row, ("value", "min", "max")),
                _or_dash(row["n"]),
                row["method"] or row["pass"],
                "" if row["provenance"] == "measured" else row["provenance"],
            )
            yield self._entry(texts[:columns], row)

    def ranks(self, rows: Sequence[Row]) -> list[Line]:
        """Return a table for each phase with ranks: a row per rank, a column per metric."""
        lines: list[Line] = []
        for phase in dict.fromkeys(row["phase"] for row in rows):
            lines += self.title("ranks" if phase is None else f"ranks of {phase}")
            lines += self._ranks_of_phase([row for row in rows if row["phase"] == phase])
        return lines

    def _ranks_of_phase(self, rows: Sequence[Row]) -> Sequence[Line]:
        measured = {row["metric"] for row in rows if row["value"] is not None}
        leading = next((name for name in LEADING if name in measured), None)
        metrics = list(dict.fromkeys(([leading] if leading else []) + [row["metric"] for row in rows]))
        by_rank: dict[int, dict[str, Row]] = {}
        for row in rows:
            by_rank.setdefault(row["rank"], {})[row["metric"]] = row
        slowest = _slowest(by_rank, leading)
        units = {}
        for metric in metrics:
            of_metric = [row for row in rows if row["metric"] == metric]
            units[metric] = unit_for(of_metric[0]["unit"], [row["value"] for row in of_metric])
        entries = []
        for rank, own in sorted(by_rank.items()):
            texts = [
                self._figure(own[metric]["value"], units[metric]) if metric in own else NOT_MEASURED
                for metric in metrics
            ]
            style: Style = "warn" if rank == slowest else ""
            invalid = any(_is_shown_invalid(row) for row in own.values())
            entries.append(
                Entry(
                    cells=tuple(Span(text, style) for text in (str(rank), *texts)),
                    suffix=(_SLOWEST if rank == slowest else "") + (_NOT_VALID if invalid else ""),
                )
            )
        headings = [_figures(self.safe(metric), place) for place, metric in enumerate(metrics)]
        return self._table([Heading(title="rank"), *headings], entries)

    def requests(self, summaries: Sequence[Row], latencies: Sequence[Row]) -> list[Line]:
        """Return, for each phase with requests, failures by reason and percentiles of the latencies."""
        lines: list[Line] = []
        for summary in summaries:
            phase = summary["phase"]
            title = "requests" if phase is None else f"requests of {phase}"
            lines += self.title(title + (_SIMULATED if summary["provenance"] == "simulated" else ""))
            lines += self.facts(_request_facts(summary))
            entries = [
                self._entry(
                    (
                        row["metric"],
                        *self._shared_unit(row, ("median", "p90", "p95", "p99", "max")),
                        _or_dash(row["n"]),
                        row["method"] or row["pass"],
                    ),
                    row,
                )
                for row in latencies
                if row["phase"] == phase
            ]
            lines += [(Span(""),), *self._table(_REQUEST_HEADINGS, entries)] if entries else []
        return lines

    def sensors(self, rows: Sequence[Row]) -> list[Line]:
        """Return energy and power by sensor, with facts about their reliability."""
        entries = []
        for row in rows:
            details = row.get("details")
            texts = (
                _of_phase(row),
                row.get("domain") or ("the device" if row["value"] is not None else NOT_MEASURED),
                _or_dash(row.get("scope")),
                *self._shared_unit(row, ("value",)),
                self._duration(row.get("window_s")),
                _or_dash(details.get("ticks") if isinstance(details, dict) else None),
                row["method"] or row["pass"],
            )
            entries.append(self._entry(texts, row, _SIMULATED if row["provenance"] == "simulated" else ""))
        title = "sensors (energy of one iteration)"
        return [*self.title(title), *self._table(_SENSOR_HEADINGS, entries)] if entries else []

    def series(self, rows: Sequence[Row]) -> list[Line]:
        """Return the metrics that were sampled over time."""
        entries = []
        for row in rows:
            texts = (
                _of_phase(row),
                _or_dash(row["domain"]),
                str(row["n"]),
                *self._shared_unit(row, ("min", "mean", "max")),
                self._duration(row["end_s"] - row["begin_s"]),
                sparkline(row["means"], ascii_only=self.ascii_only),
            )
            simulated = _SIMULATED if row["provenance"] == "simulated" else ""
            entries.append(self._entry(texts, None, simulated))
        return [*self.title("series"), *self._table(_SERIES_HEADINGS, entries)] if entries else []

    def reasons(self, rows: Sequence[Row]) -> list[Line]:
        """Return the reasons why figures are missing or may not be compared, each once."""
        by_reason: dict[str, list[str]] = {}
        for row in rows:
            if row["reason"]:
                rank = None if row.get("rank") is None else f"rank {row['rank']}"
                name = ", ".join(str(part) for part in (_of_phase(row), row.get("domain"), rank) if part is not None)
                by_reason.setdefault(row["reason"], []).append(name)
        lines = self.title("not measured, or not to be compared") if by_reason else []
        for reason, names in by_reason.items():
            more = len(names) - _MOST_NAMED
            which = ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            parts = wrap(self.safe(f"{which}: {reason}"), self.total - len(self.indent), ascii_only=self.ascii_only)
            lines += [(Span(self.indent if number else ""), Span(part, "warn")) for number, part in enumerate(parts)]
        return lines

    def _table(self, headings: Sequence[Heading], entries: Iterable[Entry]) -> Sequence[Line]:
        sections = [Section(title=None, entries=tuple(entries))]
        return fit(headings, sections, self.total, ascii_only=self.ascii_only).said(self.total)

    def _entry(self, texts: Iterable[object], row: Row | None, suffix: str = "") -> Entry:
        """Return a table row; `row` is its measurement, None for rows that cannot be invalid."""
        style: Style = "" if row is None or row["valid"] else "dim"
        return Entry(
            cells=tuple(Span(self.safe(text), style) for text in texts),
            suffix=suffix + (_NOT_VALID if row is not None and _is_shown_invalid(row) else ""),
        )

    def _shared_unit(self, row: Row, names: Sequence[str]) -> list[str]:
        """Return figures of one row in a common unit."""
        values = [row.get(name) for name in names]
        unit = unit_for(row["unit"], values)
        return [self._figure(value, unit) for value in values]

    def _duration(self, seconds: float | None) -> str:
        return self._figure(seconds, choose_unit("time", [seconds]))

    def _figure(self, value: float | None, unit: Unit) -> str:
        text = quantity(value, unit.ascii() if self.ascii_only else unit)
        return self.safe(text.replace(_DEGREE, "deg ") if self.ascii_only else text)


def _or_dash(value: object) -> str:
    return NOT_MEASURED if value is None or value == "" else str(value)


def _is_shown_invalid(row: Row) -> bool:
    """Return whether a measurement has a figure that may not be compared."""
    return row["value"] is not None and not row["valid"]


def _of_phase(row: Row) -> str:
    return str(row["metric"]) if row["phase"] is None else f"{row['metric']} of {row['phase']}"


def _slowest(by_rank: Mapping[int, Mapping[str, Row]], metric: str | None) -> int | None:
    """Return the rank with the largest mean; None unless every rank has a mean."""
    times: dict[int, float] = {}
    for rank, own in by_rank.items():
        row = own.get(metric or "", {"value": None})
        mean = row["value"] if row.get("mean") is None else row["mean"]
        if mean is None:
            return None
        times[rank] = mean
    return max(times, key=lambda rank: (times[rank], -rank)) if len(times) > 1 else None


def _request_facts(summary: Row) -> list[Fact]:
    sent, failed = summary["requests"], summary["failed"]
    facts = [("sent", f"{counted(sent, 'request')}: {sent - failed} answered whole, {failed} failed")]
    errors = list(summary["errors"].items())
    facts += [("failed", f"{count} by {error}") for error, count in errors[:_MOST_ERRORS]]
    if len(errors) > _MOST_ERRORS:
        rest = sum(count for _, count in errors[_MOST_ERRORS:])
        facts.append(("failed", f"{rest} for {len(errors) - _MOST_ERRORS} other reasons"))
    if summary["judged"]:
        facts.append(("objectives", f"{summary['met']} of {summary['judged']} met all of them"))
    tokens = [
        f"{summary[name]} {word}"
        for name, word in (("tokens_in", "in"), ("tokens_out", "out"))
        if summary[name] is not None
    ]
    return [*facts, ("tokens", ", ".join(tokens))] if tokens else facts


def run_lines(detail: RunDetail, total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return lines about a run, at most `total` terminal columns wide."""
    run = detail.run
    tables = RunTables(total, ascii_only)
    name = tables.safe(run["fullname"] + (" (simulated)" if run["provenance"] == "simulated" else ""))
    rows = sorted_rows(detail.measurements, has_requests=bool(detail.requests))
    return [
        *((Span(part, "head"),) for part in wrap(name, total, ascii_only=ascii_only)),
        *tables.facts(_facts(run, detail.notes)),
        *tables.measurements(rows.own),
        *(() if ascii_only or total < _LEAST_FOR_BARS else _histogram_lines(detail, total)),
        *tables.ranks(rows.ranks),
        *tables.requests(detail.requests, rows.latencies),
        *tables.sensors(rows.sensors),
        *tables.series(detail.series),
        *tables.reasons(detail.measurements),
        *_attachment_lines(detail.attachments, tables),
    ]


def _note_text(note: Row) -> str:
    about = "" if note["run_id"] is not None else ", about the session"
    author = f"{note['author']}, " if note["author"] else ""
    return f"{note['text']} ({author}{local_text(note['created_at'])}{about})"


def _facts(run: Row, notes: Sequence[Row]) -> list[Fact]:
    outcome = str(run["outcome"]) + (f": {run['reason']}" if run.get("reason") else "")
    facts = [("outcome", outcome), ("recorded", local_text(run["started_at"]))]
    facts += [(label, value_text(run[key])) for label, key in _FACTS if run.get(key) not in (None, {}, "")]
    facts += [("note", _note_text(note)) for note in notes]
    again = _again(run)
    return [*facts, ("run again", again)] if again else facts


def _again(run: Row) -> str | None:
    """Return the command that measures a benchmark again; None if what was recorded is not enough."""
    if run["file"] != COMMAND_FILE:
        return f"pytest {shlex.quote(str(run['fullname']))} --benchdb"
    info = run["extra_info"] or {}
    command = info.get("command")
    if command is None or run["params"]:
        return None
    name = [] if run["name"] == " ".join(command.split()) else ["-N", run["name"]]
    if info.get("shell"):
        return shlex.join(["benchdb", "run", *name, "-S", info["shell"], command])
    return f"{shlex.join(['benchdb', 'run', *name])} -- {command}"


def run_json(detail: RunDetail) -> dict[str, object]:
    """Return everything about a run, for JSON."""
    samples = [
        {**{name: row[name] for name in _ABOUT_SAMPLES}, "samples": detail.samples[row["measurement_id"]]}
        for row in detail.measurements
        if row["measurement_id"] in detail.samples
    ]
    content = {field.name: getattr(detail, field.name) for field in fields(detail)}
    return {**content, "session": asdict(detail.session), "samples": samples}


def _histogram_lines(detail: RunDetail, total: int) -> list[Line]:
    """Return a histogram of the rounds of the whole run; empty for fewer than two rounds."""
    for metric, noun in _HISTOGRAM_NOUNS.items():
        for row in detail.measurements:
            is_whole = row["phase"] is None and row.get("rank") is None and row["pass"] == "time"
            if row["metric"] != metric or not is_whole:
                continue
            rounds = detail.samples.get(row["measurement_id"], ())
            if len(rounds) < 2:  # noqa: PLR2004 - one round has no shape
                return []
            return [(Span(""),), (Span(f"{noun}  ", "dim"), Span(_histogram(rounds, noun, total)))]
    return []


def _histogram(rounds: Sequence[float], noun: str, total: int) -> str:
    """Return the shape of the rounds; a few that took very long do not squeeze the others into one bar."""
    ordered = sorted(rounds)
    kept = ordered[: max(2, math.ceil(len(ordered) * _SHARE_IN_BARS))]
    logarithmic = kept[0] > 0 and kept[-1] > _WIDE * kept[0]
    unit = choose_unit("time", rounds)
    bars = histogram(kept, min(_MOST_BARS, total - 40), logarithmic=logarithmic)
    text = f"{quantity(kept[0], unit)} {bars} {quantity(kept[-1], unit)}" + (" (logarithmic)" if logarithmic else "")
    beyond = len(ordered) - len(kept)
    return f"{text}; {beyond} more {noun} up to {quantity(ordered[-1], unit)}" if beyond else text


def _attachment_lines(rows: Sequence[Row], tables: RunTables) -> list[Line]:
    """Return name and type of each file, with its full path below, to be copied."""
    lines = tables.title("attachments") if rows else []
    room = tables.total - len(tables.indent)
    for row in rows:
        parts = [row["name"], row["media_type"], one_quantity(float(row["size_bytes"]), "B")]
        text = tables.safe("  ".join(str(part) for part in parts if part))
        lines += [(Span(part),) for part in wrap(text, tables.total, ascii_only=tables.ascii_only)]
        if row["path"] is None:
            missing = f"{row['checksum']} is not beside the data"
            lines += [(Span(tables.indent), Span(part, "warn")) for part in _pieces(missing, room)]
        else:
            lines += [(Span(tables.indent), Span(part, "dim")) for part in _pieces(tables.safe(row["path"]), room)]
    return lines


def _pieces(text: str, total: int) -> Iterator[str]:
    """Break text anywhere: a shortened path would be useless."""
    piece = ""
    for char in text:
        if piece and width(piece + char) > max(total, 1):
            yield piece
            piece = ""
        piece += char
    yield piece
