"""Check the cells of one row of a long table, and convert its value to the SI unit."""

import datetime as dt
import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_benchdb.importers.reading.files import LATEST_US, unix_us
from pytest_benchdb.importers.reading.units import UNITS, NamedUnit
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.metric import METRICS, Better, objection_to_round
from pytest_benchdb.model.value.json_value import json_value

REQUIRED = ("session", "started_at", "benchmark", "value")
OPTIONAL = ("round", "metric", "unit", "better", "commit", "branch", "fingerprint", "backend", "params")
COLUMNS = (*REQUIRED, *OPTIONAL)
_MAX_TEXT = 100_000
_MAX_PARAMS = 100_000
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_AROUND = " \t"
"""What may surround a number; a control character may not."""
_BETTER: dict[str, Better] = {"lower": "lower", "higher": "higher", "none": "none"}

Cells = Mapping[str, Any]
"""The cells of a row by column; None and an empty text both mean no value. An integer in `started_at` is in us."""


class BadRow(Exception):  # noqa: N818 - it is caught where the row is read
    """A row cannot be used; the message has the cell, its value, and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row that can be used.

    Attributes:
        value: in `unit`.
        params: JSON text with sorted keys; None without parameters.
        written_unit: the unit in the file; None without one.
    """

    session: str
    started_us: int
    benchmark: str
    metric: str
    unit: str
    better: Better
    value: float
    round: int | None
    written_unit: str | None
    commit: str | None
    branch: str | None
    fingerprint: str | None
    backend: str | None
    params: str | None


def parse_row(cells: Cells) -> TableRow:
    """Check the cells of a row.

    Raises:
        BadRow: one of them cannot be used.
    """
    metric = _text(cells, "metric") or "wall_time"
    written = _text(cells, "unit")
    value, unit = _in_si(metric, _value(cells), written)
    if objection := objection_to_round(metric, value):
        raise BadRow(objection if written is None else f"{objection}; its cell is {cells['value']} {written}")
    return TableRow(
        session=_required(cells, "session"),
        started_us=_started(cells),
        benchmark=_required(cells, "benchmark"),
        metric=metric,
        unit=unit,
        better=_better(metric, _text(cells, "better")),
        value=value,
        round=_round(cells),
        written_unit=written,
        commit=_text(cells, "commit"),
        branch=_text(cells, "branch"),
        fingerprint=_fingerprint(_text(cells, "fingerprint")),
        backend=_text(cells, "backend"),
        params=_params(cells.get("params")),
    )


def is_empty(cells: Cells) -> bool:
    """Return whether a row is empty in every known column."""
    return all(cells.get(name) in {None, ""} for name in COLUMNS if not isinstance(cells.get(name), (dict, list)))


def conversion_of(written: str | None) -> NamedUnit:
    """Return how values become those of the SI unit, for a unit that `parse_row` takes."""
    unit = UNITS.get(written) if written is not None else None
    return unit if unit is not None else NamedUnit("", "other")


def _in_si(metric: str, value: float, written: str | None) -> tuple[float, str]:
    """Return a value and its SI unit; both are unchanged if neither metric nor unit is known."""
    registered = METRICS.get(metric)
    if written is None:
        return value, "1" if registered is None else registered.unit
    unit = UNITS.get(written)
    if registered is None:
        return (value, written) if unit is None else (_finite(unit.to_si(value)), unit.si)
    if unit is None:
        raise BadRow(f"unit {written!r} is not known; {metric} is stored in {registered.unit!r}")
    if unit.si != registered.unit:
        raise BadRow(f"unit {written!r} is not a unit of {metric}, which is stored in {registered.unit!r}")
    return _finite(unit.to_si(value)), unit.si


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise BadRow("value is too large in its SI unit")
    return value


def _value(cells: Cells) -> float:
    cell = cells.get("value")
    if cell is None or cell == "":
        raise BadRow("value is empty; leave out rows that were not measured")
    if isinstance(cell, str):
        text = cell.strip(_AROUND)
        if not _NUMBER.fullmatch(text):
            raise BadRow(f"value is {cell[:40]!r}; expected a finite number, with a point for decimals")
        cell = float(text)
    if not isinstance(cell, float) or not math.isfinite(cell):
        raise BadRow(f"value is {cell!r}; expected a finite number")
    return cell


def _started(cells: Cells) -> int:
    cell = cells.get("started_at")
    if type(cell) is int:
        if not 0 <= cell <= LATEST_US:
            raise BadRow(f"started_at is {cell} us after 1970; a time is from 1970 to 9999")
        return cell
    if not isinstance(cell, dt.datetime):
        cell = _required(cells, "started_at")
    try:
        return unix_us(cell)
    except (ValueError, OverflowError) as error:
        raise BadRow(f"started_at: {error}") from error


def _round(cells: Cells) -> int | None:
    cell = cells.get("round")
    if cell is None or cell == "":
        return None
    text = str(int(cell) if type(cell) is float and cell.is_integer() else cell).strip(_AROUND)
    if not _COUNT.fullmatch(text):
        raise BadRow(f"round is {text[:40]!r}; expected a whole number")
    return int(text)


def _better(metric: str, written: str | None) -> Better:
    registered = METRICS.get(metric)
    if written is None:
        return "none" if registered is None else registered.better
    better = _BETTER.get(written.lower())
    if better is None:
        raise BadRow(f"better is {written[:40]!r}; write lower, higher or none")
    if registered is not None and better != registered.better:
        raise BadRow(f"better is {better!r}, but for the metric {metric} it is {registered.better!r}")
    return better


def _fingerprint(written: str | None) -> str | None:
    """Return the key of a machine; a UUID is kept, because it is a fingerprint of this package."""
    if written is None:
        return None
    try:
        return str(uuid.UUID(written))
    except ValueError:
        return content_id("fingerprint/table/1", written)


def _params(cell: object) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        if len(cell) > _MAX_PARAMS:
            raise BadRow(f"params has more than {_MAX_PARAMS} characters")
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise BadRow(f'params is not JSON ({error}); write an object: {{"n": 100}}') from error
    if not isinstance(cell, dict):
        raise BadRow(f'params is a {type(cell).__name__}; write a JSON object: {{"n": 100}}')
    return json.dumps(json_value(cell), sort_keys=True) if cell else None


def _required(cells: Cells, column: str) -> str:
    text = _text(cells, column)
    if text is None:
        raise BadRow(f"{column} is empty")
    return text


def _text(cells: Cells, column: str) -> str | None:
    cell = cells.get(column)
    if cell is None:
        return None
    text = str(cell).strip()
    if len(text) > _MAX_TEXT:
        raise BadRow(f"{column} has more than {_MAX_TEXT} characters")
    if not text.isprintable():
        raise BadRow(f"{column} is {text[:40]!r}, which has characters that a name cannot have")
    return text or None
