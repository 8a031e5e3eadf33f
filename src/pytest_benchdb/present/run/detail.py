"""One run for people: its facts, every table about it, the shape of its rounds, and the files that belong to it."""

import shlex
from collections.abc import Iterator, Sequence

from pytest_benchdb.model.answer.run import Row, RunDetail
from pytest_benchdb.present.run.tables import RunTables, sorted_rows
from pytest_benchdb.present.writing.grid import Fact, Line, Span
from pytest_benchdb.present.writing.sparkline import histogram
from pytest_benchdb.present.writing.text import utc_text, width, wrap
from pytest_benchdb.present.writing.units import choose_unit, one_quantity, quantity
from pytest_benchdb.present.writing.values import value_text

_MOST_BARS = 40
_LEAST_FOR_BARS = 60
_SHAPED = {"wall_time": "rounds", "step_time": "steps", "e2e_latency": "requests"}
"""Metrics whose samples are shown as bars, the most usual first, and what the samples are of."""
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


def run_lines(detail: RunDetail, total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the lines about a run, in at most `total` columns of the terminal."""
    run = detail.run
    tables = RunTables(total, ascii_only)
    name = tables.safe(run["fullname"] + (" (simulated)" if run["provenance"] == "simulated" else ""))
    rows = sorted_rows(detail.measurements, has_requests=bool(detail.requests))
    return [
        *((Span(part, "head"),) for part in wrap(name, total, ascii_only=ascii_only)),
        *tables.facts(_facts(run)),
        *tables.measurements(rows.own),
        *(() if ascii_only or total < _LEAST_FOR_BARS else _shape_lines(detail, total)),
        *tables.ranks(rows.ranks),
        *tables.requests(detail.requests, rows.latencies),
        *tables.sensors(rows.sensors),
        *tables.series(detail.series),
        *tables.reasons(detail.measurements),
        *_attachment_lines(detail.attachments, tables),
    ]


def _facts(run: Row) -> list[Fact]:
    outcome = str(run["outcome"]) + (f": {run['reason']}" if run.get("reason") else "")
    facts = [("outcome", outcome), ("recorded", utc_text(run["started_at"]))]
    facts += [(label, value_text(run[key])) for label, key in _FACTS if run.get(key) not in (None, {}, "")]
    return [*facts, ("run again", f"pytest {shlex.quote(str(run['fullname']))} --benchdb")]


def _shape_lines(detail: RunDetail, total: int) -> list[Line]:
    """Return how often the rounds of the whole run took how long; empty if there are fewer than two."""
    for metric, noun in _SHAPED.items():
        for row in detail.measurements:
            is_whole = row["phase"] is None and row.get("rank") is None and row["pass"] == "time"
            if row["metric"] != metric or not is_whole:
                continue
            rounds = detail.samples.get(row["measurement_id"], ())
            if len(rounds) < 2:  # noqa: PLR2004 - one round has no shape
                return []
            unit = choose_unit("time", rounds)
            bars = histogram(rounds, min(_MOST_BARS, total - 40))
            text = f"{quantity(min(rounds), unit)} {bars} {quantity(max(rounds), unit)}"
            return [(Span(""),), (Span(f"{noun}  ", "dim"), Span(text))]
    return []


def _attachment_lines(rows: Sequence[Row], tables: RunTables) -> list[Line]:
    """Return each file's name and type, with its path below it, whole, to be copied."""
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
    """Break a text anywhere: a shortened path would be of no use."""
    piece = ""
    for char in text:
        if piece and width(piece + char) > max(total, 1):
            yield piece
            piece = ""
        piece += char
    yield piece
