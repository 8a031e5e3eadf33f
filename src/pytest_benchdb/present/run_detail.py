"""One run with every measurement, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_benchdb.present.grid import Entry, Heading, Line, Section, Span, Style, fit
from pytest_benchdb.present.session_header import Fact, fact_lines, utc_text, wrap
from pytest_benchdb.present.text import sanitize
from pytest_benchdb.present.units import NOT_MEASURED, FigureKind, Unit, choose_unit, write_figure
from pytest_benchdb.present.values import value_text

_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 40
_LEAST_FOR_BARS = 60
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
_KINDS: Mapping[str, FigureKind] = {"s": "time", "B": "memory"}
_HEADINGS = (
    Heading(title="metric"),
    Heading(title="value", align="right", flexible=False),
    Heading(title="min", align="right", flexible=False, priority=3),
    Heading(title="max", align="right", flexible=False, priority=4),
    Heading(title="n", align="right", flexible=False, priority=5),
    Heading(title="how", priority=7),
    Heading(title="note", priority=6),
)


def run_facts(run: Mapping[str, Any]) -> list[Fact]:
    """Return what is known of a run as pairs of label and text; run again is the command that repeats it."""
    outcome = str(run["outcome"]) + (f": {run['reason']}" if run.get("reason") else "")
    facts = [("outcome", outcome), ("recorded", utc_text(run["started_at"]))]
    facts += [(label, value_text(run[key])) for label, key in _FACTS if run.get(key) not in (None, {}, "")]
    return [*facts, ("run again", f"pytest {_quoted(str(run['fullname']))} --benchdb")]


def run_lines(
    run: Mapping[str, Any],
    measurements: Sequence[Mapping[str, Any]],
    samples: Mapping[tuple[str, str, str | None], Sequence[float]],
    total: int,
    *,
    ascii_only: bool = False,
) -> list[Line]:
    """Return the lines about a run: facts, measurements, and the shape of its rounds.

    Args:
        run: columns of the run, by name.
        measurements: columns of each measurement, by name.
        samples: rounds in run order, by metric, pass and phase.
        total: columns of the terminal.
        ascii_only: whether the terminal can show ASCII only.
    """
    name = sanitize(str(run["fullname"]), ascii_only=ascii_only)
    lines: list[Line] = [(Span(part, "head"),) for part in wrap(name, total, ascii_only=ascii_only)]
    lines += fact_lines(run_facts(run), total, ascii_only=ascii_only)
    entries = tuple(_entry(row, ascii_only=ascii_only) for row in measurements)
    if not entries:
        return lines
    lines.append((Span(""),))
    lines += fit(_HEADINGS, [Section(title=None, entries=entries)], total, ascii_only=ascii_only).lines
    rounds = samples.get(("wall_time", "time", None))
    if rounds is not None and len(rounds) > 1 and total >= _LEAST_FOR_BARS and not ascii_only:
        unit = choose_unit("time", rounds)
        ends = [f"{write_figure(end, unit)} {unit.symbol}" for end in (min(rounds), max(rounds))]
        bars = histogram(rounds, min(_MOST_BARS, total - 40))
        lines += [(Span(""),), (Span("rounds  ", "dim"), Span(f"{ends[0]} {bars} {ends[1]}"))]
    return lines


def histogram(values: Sequence[float], bins: int) -> str:
    """Return how often values occur between the smallest and the largest, one character a bin; a space is none.

    >>> histogram([1.0, 1.0, 1.0, 2.0, 4.0], 4)
    '█▃ ▃'
    """
    low, high = min(values), max(values)
    counts = [0] * bins
    for value in values:
        share = (value - low) / (high - low) if high > low else 0.0
        counts[min(int(share * bins), bins - 1)] += 1
    most = max(counts)
    # Every bin that holds a value shows something.
    return "".join(" " if not n else _BARS[max(0, -(-n * len(_BARS) // most) - 1)] for n in counts)


def _entry(row: Mapping[str, Any], *, ascii_only: bool) -> Entry:
    unit = _unit(row).ascii() if ascii_only else _unit(row)
    name = " ".join(part for part in (row["metric"], row["phase"] and f"({row['phase']})") if part)
    how = row["method"] or row["pass"]
    note = row["reason"] or ("" if row["provenance"] == "measured" else row["provenance"])
    texts = (
        name,
        _with_unit(row["value"], unit),
        _with_unit(row["min"], unit),
        _with_unit(row["max"], unit),
        NOT_MEASURED if row["n"] is None else str(row["n"]),
        how,
        note,
    )
    style: Style = "" if row["valid"] else "dim"
    return Entry(cells=tuple(Span(sanitize(text, ascii_only=ascii_only), style) for text in texts))


def _unit(row: Mapping[str, Any]) -> Unit:
    known = [row[name] for name in ("value", "min", "max") if row[name] is not None]
    kind = _KINDS.get(row["unit"])
    if kind is not None:
        return choose_unit(kind, known)
    # Counts are whole; a figure without a unit need not be.
    whole = all(float(value).is_integer() for value in known)
    return Unit("" if row["unit"] == "1" else row["unit"], 1.0, 0 if whole else 4)


def _with_unit(value: float | None, unit: Unit) -> str:
    text = write_figure(value, unit)
    return text if text == NOT_MEASURED or not unit.symbol else f"{text} {unit.symbol}"


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
