"""The measurements of one run, sorted into what belongs together; and how one figure of them is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.model.answer.run import Row, RunDetail
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.present.writing.grid import Line, Span
from pytest_benchdb.present.writing.text import clip, sanitize
from pytest_benchdb.present.writing.units import Unit, quantity

NOT_VALID = " (not valid)"
_LATENCIES = frozenset({"ttft", "ttfot", "tpot", "itl", "e2e_latency", "queue_time"})
_LEADING = ("step_time", "e2e_latency", "wall_time")
_ORDER = {name: place for place, name in enumerate(dict.fromkeys([*_LEADING, *METRICS]))}
_LEAST_FOR_INDENT = 20
_DEGREE = "\N{DEGREE SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRows:
    """The measurements of one run.

    Attributes:
        own: clocks, memory and whatever the suite recorded, of the run and of its phases.
        ranks: those of the ranks of a distributed run.
        sensors: energy and power, with the sensor they come from.
        latencies: of the requests of a token stream.
    """

    own: tuple[Row, ...]
    ranks: tuple[Row, ...]
    sensors: tuple[Row, ...]
    latencies: tuple[Row, ...]


def sorted_rows(document: RunDetail) -> RunRows:
    """Return the measurements of a run by what they are of, those of the whole before those of its phases."""
    parts: dict[str, list[Row]] = {"own": [], "ranks": [], "sensors": [], "latencies": []}
    for row in sorted(document.measurements, key=_place):
        if row.get("rank") is not None:
            parts["ranks"].append(row)
        elif row.get("domain") is not None or row["pass"] == "energy":
            parts["sensors"].append(row)
        elif document.requests and row["metric"] in _LATENCIES:
            parts["latencies"].append(row)
        else:
            parts["own"].append(row)
    return RunRows(**{name: tuple(rows) for name, rows in parts.items()})


def name_of(row: Row) -> str:
    """Return what a measurement is of, for a sentence: ``energy of decode, GPU-8c1f/energy``."""
    name = row["metric"] if row["phase"] is None else f"{row['metric']} of {row['phase']}"
    rank = None if row.get("rank") is None else f"rank {row['rank']}"
    return ", ".join(str(part) for part in (name, row.get("domain"), rank) if part is not None)


def title_lines(title: str, total: int, *, ascii_only: bool) -> list[Line]:
    """Return an empty line and the title of what follows."""
    text = clip(sanitize(title, ascii_only=ascii_only), total, ascii_only=ascii_only)
    return [(Span(""),), (Span(text, "head"),)]


def indent_within(total: int) -> str:
    """Return the space before what belongs to the line above it; none where every column is needed."""
    return "  " if total >= _LEAST_FOR_INDENT else ""


def figure(value: float | None, unit: Unit, *, ascii_only: bool) -> str:
    """Write a figure with its unit, for any terminal."""
    text = quantity(value, unit.ascii() if ascii_only else unit)
    return sanitize(text.replace(_DEGREE, "deg ") if ascii_only else text, ascii_only=ascii_only)


def is_shown_invalid(row: Row) -> bool:
    """Tell whether a measurement has a figure that may not be compared."""
    return row["value"] is not None and not row["valid"]


def leading_metric(rows: Sequence[Row]) -> str | None:
    """Return the time that says how long something took, of those that rows have."""
    metrics = {row["metric"] for row in rows if row["value"] is not None}
    return next((name for name in _LEADING if name in metrics), None)


def _place(row: Row) -> tuple[list[str], int, str, str, int]:
    phase = row["phase"].split("/") if row["phase"] else []
    order = _ORDER.get(row["metric"], len(_ORDER))
    rank = row.get("rank")
    return (phase, order, str(row["metric"]), str(row.get("domain") or ""), -1 if rank is None else rank)
