"""Finds measurements that `model.metric` objects to, and makes them not valid, with the reason.

Everything that enters a history passes here: recorded, imported, salvaged, or absorbed from a file from elsewhere.
"""

import contextlib
import json
import math
import os
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from pytest_benchdb.store.statement import Value, identifier, literal, read, render

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_METRICS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "model", "metric.py")
_COLUMNS = ("metrics", "units", "directions", "least", "most", "takes_time", "whole", "is_time")
_EXPLAINED = 1000
"""How many measurements get a reason of their own: each is looked at in Python."""
_OTHER_REASON = "its unit, direction or statistics contradict each other"
_COUNTS_REASON = "its run has an impossible number of rounds or iterations"


def find_impossible(
    connection: "DuckDBPyConnection", database: str, sessions: Sequence[str] | None = None, *, cache: str | None
) -> list[tuple[int, str]]:
    """Return the row and the reason of each valid measurement that is impossible.

    Args:
        connection: the connection that `database` is attached to.
        database: its alias.
        sessions: ids of the sessions to look at; None takes all.
        cache: folder that keeps the bounds of the metrics, whose modules take long to import; None if there is none.
    """
    values: dict[str, Value] = {**_bounds(cache), "sessions": None if sessions is None else list(sessions)}
    if not _has_suspects(connection, database, values):
        return []
    sql = read("judge/impossible").replace("$tables", identifier(database))
    cursor = connection.execute(render(sql, values))
    names = [column[0] for column in cursor.description or ()]
    found: list[tuple[int, str]] = []
    for row in cursor.fetchall():
        entry = dict(zip(names, row, strict=True))
        found.append((entry["place"], _reason(entry) if len(found) < _EXPLAINED else _OTHER_REASON))
    return found


def _has_suspects(connection: "DuckDBPyConnection", database: str, values: dict[str, Any]) -> bool:
    """Return whether something may be impossible, with statements that are planned quickly."""
    counts = "least(iterations, rounds + 1, warmup_rounds + 1, calls + 1)"
    runs = f"SELECT 1 FROM {identifier(database)}.run WHERE {counts} < 1 LIMIT 1"
    if connection.execute(runs).fetchone():
        return True
    columns = [values[name] for name in _COLUMNS]
    bounds = {metric: rest for metric, *rest in zip(*columns, strict=True)}
    sql = read("judge/suspects").replace("$tables", identifier(database))
    rows = connection.execute(render(sql, values)).fetchall()
    return any(_is_suspect(extremes, bounds.get(metric), values["century"]) for metric, *extremes in rows)


def _is_suspect(extremes: list[Any], bounds: list[Any] | None, century_s: float) -> bool:
    """Return whether a row of ``suspects.sql`` breaks a bound; a contradiction may still be within the tolerance."""
    unit, better, lowest, highest, middle, total, in_parts, contradicts = extremes
    if contradicts or not all(math.isfinite(figure) for figure in (lowest, highest) if figure is not None):
        return True
    if lowest is None or bounds is None:
        return False
    its_unit, its_better, least, most, takes_time, whole, is_time = bounds
    return (
        (unit, better) != (its_unit, its_better)
        or (least is not None and lowest < least)
        or (most is not None and highest > most)
        or (takes_time and middle == 0)
        or (whole and bool(in_parts))
        or (is_time and (total or 0) > century_s)
    )


def mark_impossible(
    connection: "DuckDBPyConnection", database: str, sessions: Sequence[str] | None = None, *, cache: str | None
) -> list[str]:
    """Make impossible measurements not valid; return their reasons. The arguments are those of `find_impossible`."""
    found = find_impossible(connection, database, sessions, cache=cache)
    for first in range(0, len(found), _EXPLAINED):
        rows = ", ".join(f"({place}, {literal(reason)})" for place, reason in found[first : first + _EXPLAINED])
        connection.execute(
            f"UPDATE {identifier(database)}.measurement AS measurement SET valid = FALSE, reason = entry.reason "
            f"FROM (VALUES {rows}) AS entry (place, reason) WHERE measurement.rowid = entry.place"
        )
    return [reason for _, reason in found]


def _reason(row: dict[str, Any]) -> str:
    from pytest_benchdb.model.metric import METRICS, objection_to_reading, objection_to_statistics

    if row.pop("has_bad_counts"):
        return _COUNTS_REASON
    metric = METRICS.get(row["metric"])
    if metric is not None and metric.unit != row["unit"]:
        return f"its unit is {row['unit']!r}, and {metric.name} is in {metric.unit!r}"
    if metric is not None and metric.better != row["better"]:
        return f"its better is {row['better']!r}, and that of {metric.name} is {metric.better!r}"
    statistics = {name: value for name, value in row.items() if name != "value"}
    objection = objection_to_statistics(row["metric"], statistics)
    if objection is None and row["value"] is not None:
        objection = objection_to_reading(row["metric"], row["value"])
    return objection or _OTHER_REASON


def _bounds(cache: str | None) -> dict[str, Value]:
    """Return the bounds of all metrics, as the parameters of the statement."""
    if cache is None:
        return _defined()
    with open(_METRICS, "rb") as file:
        path = os.path.join(cache, f"bounds-{zlib.crc32(file.read()):08x}.json")
    with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
        return cast("dict[str, Value]", json.load(file))
    bounds = _defined()
    part = f"{path}.{os.getpid()}.part"
    with contextlib.suppress(OSError):
        with open(part, "w", encoding="utf-8") as file:
            json.dump(bounds, file)
        os.replace(part, path)
    return bounds


def _defined() -> dict[str, Value]:
    from pytest_benchdb.model.metric import BOUNDS, CENTURY_S, METRICS, TOLERANCE, is_time

    bounds = [BOUNDS[name] for name in METRICS]
    return {
        "metrics": list(METRICS),
        "units": [metric.unit for metric in METRICS.values()],
        "directions": [metric.better for metric in METRICS.values()],
        "least": [bound.least for bound in bounds],
        "most": [bound.most for bound in bounds],
        "takes_time": [bound.takes_time for bound in bounds],
        "whole": [bound.whole for bound in bounds],
        "is_time": [is_time(name) for name in METRICS],
        "tolerance": TOLERANCE,
        "century": CENTURY_S,
    }
