"""Rows of ``queries/session_values.sql`` as values of the model."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_benchdb.model.series import SeriesKey, SessionValue

LABELS = (
    "model",
    "version",
    "precision",
    "implementation",
    "workload",
    "batch_size",
    "sequence_length",
    "framework",
    "use_case",
)
"""Columns that become labels where a run told them."""

_KEY = ("fullname", "metric", "phase", "backend", "device")


def values_of(rows: Iterable[dict[str, Any]]) -> list[SessionValue]:
    """Return the rows as session values, in their order."""
    keys: dict[tuple[Any, ...], SeriesKey] = {}
    params: dict[str, Mapping[str, object]] = {}
    values = []
    for row in rows:
        about = tuple(row.pop(name) for name in _KEY)
        if about not in keys:
            keys[about] = SeriesKey(**dict(zip(_KEY, about, strict=True)))
        text = row.pop("params")
        if text is not None and text not in params:
            params[text] = json.loads(text)
        told = {name: row.pop(name) for name in LABELS}
        labels = {name: str(value) for name, value in told.items() if value is not None}
        given = None if text is None else params[text]
        values.append(SessionValue(key=keys[about], labels=labels, params=given, **row))
    return values
