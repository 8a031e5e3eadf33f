"""One run with every measurement, for people.

The files that belong to one run, and where they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_benchdb.model.answer.run import Row, RunDetail
from pytest_benchdb.present.run.rows import indent_within, sorted_rows, title_lines
from pytest_benchdb.present.run.sections import (
    measurement_lines,
    rank_lines,
    reason_lines,
    request_lines,
    sensor_lines,
    series_lines,
)
from pytest_benchdb.present.writing.grid import Fact, Line, Span, fact_lines
from pytest_benchdb.present.writing.sparkline import histogram
from pytest_benchdb.present.writing.text import sanitize, utc_text, width, wrap
from pytest_benchdb.present.writing.units import choose_unit, one_quantity, write_figure
from pytest_benchdb.present.writing.values import value_text


def attachment_lines(rows: Sequence[Row], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return each file's name and type, with its path below it, whole, to be copied; empty without any."""
    lines = title_lines("attachments", total, ascii_only=ascii_only) if rows else []
    indent = indent_within(total)
    for row in rows:
        parts = [row["name"], row["media_type"], one_quantity(float(row["size_bytes"]), "B")]
        text = sanitize("  ".join(str(part) for part in parts if part), ascii_only=ascii_only)
        lines += [(Span(part),) for part in wrap(text, total, ascii_only=ascii_only)]
        if row["path"] is None:
            missing = f"{row['checksum']} is not beside the data"
            lines += [(Span(indent), Span(part, "warn")) for part in _pieces(missing, total - len(indent))]
        else:
            path = sanitize(row["path"], ascii_only=ascii_only)
            lines += [(Span(indent), Span(part, "dim")) for part in _pieces(path, total - len(indent))]
    return lines


def _pieces(text: str, total: int) -> Iterator[str]:
    """Break a text anywhere: half a path with a sign for the rest would be of no use."""
    piece = ""
    for char in text:
        if piece and width(piece + char) > max(total, 1):
            yield piece
            piece = ""
        piece += char
    yield piece


_MOST_BARS = 40
_LEAST_FOR_BARS = 60
_SHAPED = {"wall_time": "rounds", "step_time": "steps", "e2e_latency": "requests"}
"""Metrics whose samples are shown as bars, the likeliest first, and what the samples are of."""
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


def run_facts(run: Mapping[str, Any]) -> list[Fact]:
    """Return what is known of a run as pairs of label and text; run again is the command that repeats it."""
    outcome = str(run["outcome"]) + (f": {run['reason']}" if run.get("reason") else "")
    facts = [("outcome", outcome), ("recorded", utc_text(run["started_at"]))]
    facts += [(label, value_text(run[key])) for label, key in _FACTS if run.get(key) not in (None, {}, "")]
    return [*facts, ("run again", f"pytest {_quoted(str(run['fullname']))} --benchdb")]


def run_lines(document: RunDetail, total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the lines about a run: facts, measurements with phases, ranks, sensors, series, requests and files.

    Args:
        document: the run.
        total: columns of the terminal.
        ascii_only: whether the terminal can show ASCII only.
    """
    run = document.run
    mark = " (simulated)" if run["provenance"] == "simulated" else ""
    name = sanitize(f"{run['fullname']}{mark}", ascii_only=ascii_only)
    lines: list[Line] = [(Span(part, "head"),) for part in wrap(name, total, ascii_only=ascii_only)]
    lines += fact_lines(run_facts(run), total, ascii_only=ascii_only)
    rows = sorted_rows(document)
    table = measurement_lines(rows.own, total, ascii_only=ascii_only)
    lines += [(Span(""),), *table] if table else []
    lines += _shape_lines(document, total, ascii_only=ascii_only)
    lines += rank_lines(rows.ranks, total, ascii_only=ascii_only)
    lines += request_lines(document.requests, rows.latencies, total, ascii_only=ascii_only)
    lines += sensor_lines(rows.sensors, total, ascii_only=ascii_only)
    lines += series_lines(document.series, total, ascii_only=ascii_only)
    lines += reason_lines(document.measurements, total, ascii_only=ascii_only)
    return lines + attachment_lines(document.attachments, total, ascii_only=ascii_only)


def _shape_lines(document: RunDetail, total: int, *, ascii_only: bool) -> list[Line]:
    """Return how often the rounds of the whole run took how long; empty if there is no room or nothing to show."""
    whole = [row for row in document.measurements if row["phase"] is None and row.get("rank") is None]
    found = next(
        (row for metric in _SHAPED for row in whole if row["metric"] == metric and row["pass"] == "time"), None
    )
    rounds = None if found is None else document.samples.get(found["measurement_id"])
    if found is None or rounds is None or len(rounds) < 2 or total < _LEAST_FOR_BARS or ascii_only:  # noqa: PLR2004
        return []
    unit = choose_unit("time", rounds)
    ends = [f"{write_figure(end, unit)} {unit.symbol}" for end in (min(rounds), max(rounds))]
    bars = histogram(rounds, min(_MOST_BARS, total - 40))
    return [(Span(""),), (Span(f"{_SHAPED[found['metric']]}  ", "dim"), Span(f"{ends[0]} {bars} {ends[1]}"))]


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
