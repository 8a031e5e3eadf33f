"""Leaves out of a run the single values that a session file cannot hold, so that the rest of it is stored."""

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.run import Measurement, Request, Run, Summary
from pytest_benchdb.model.value.number import number, shown, whole

T = TypeVar("T")

_COUNT_LIMIT = 2**63
_COUNTS = ("iterations", "rounds", "warmup_rounds", "calls", "result_count")
_LABEL_COUNTS = ("batch_size", "sequence_length")
_WINDOWS = ("window_s", "tick_s")
_STATISTICS = tuple(field.name for field in fields(Summary) if field.name != "n")
_TOKENS = ("tokens_in", "tokens_out")
_SHOWN = 3
"""How many of the samples that are not finite a reason shows."""


def storable(run: Run) -> tuple[Run, tuple[str, ...]]:
    """Return the run with values that can be stored, and one line for each value that was left out.

    A value that is not a finite number makes its measurement not valid, with the reason.
    """
    refused: list[str] = []
    timing = _with_counts(run.timing, _COUNTS, "", refused)
    rows = tuple(_row(row, refused) for row in timing.measurements)
    if any(new is not old for new, old in zip(rows, timing.measurements, strict=True)):
        timing = replace(timing, measurements=rows)
    requests = tuple(_request(request, refused) for request in timing.requests)
    if any(new is not old for new, old in zip(requests, timing.requests, strict=True)):
        timing = replace(timing, requests=requests)
    labels: Labels = _with_counts(run.labels, _LABEL_COUNTS, "label ", refused)
    if timing is run.timing and labels is run.labels:
        return run, ()
    return replace(run, timing=timing, labels=labels), tuple(refused)


def _with_counts(holder: T, names: Sequence[str], prefix: str, refused: list[str]) -> T:
    """Return a dataclass whose fields `names` are whole numbers or None."""
    changed: dict[str, int | None] = {}
    for name in names:
        value = getattr(holder, name)
        if value is None or (type(value) is int and -_COUNT_LIMIT <= value < _COUNT_LIMIT):
            continue
        try:
            count = whole(value)
        except ValueError as error:
            refused.append(f"{prefix}{name} is not stored: {error}")
            changed[name] = None
            continue
        changed[name] = count if -_COUNT_LIMIT <= count < _COUNT_LIMIT else None
        if changed[name] is None:
            refused.append(f"{prefix}{name} is not stored: {shown(value)} does not fit into 64 bits")
    return replace(holder, **changed) if changed else holder  # type: ignore[type-var]


def _row(row: Measurement, refused: list[str]) -> Measurement:
    """Return a measurement that can be stored; the same one, if it can."""
    changed: dict[str, Any] = {}
    for name in _WINDOWS:
        if not _is_stored_as_it_is(seconds := getattr(row, name)):
            changed[name] = _finite(seconds)
    if not _is_stored_as_it_is(row.value):
        changed.update(_value_changes(row, row.value))
    elif row.samples is not None and not _are_stored_as_they_are(row.samples):
        changed.update(_sample_changes(row, row.samples))
    elif row.summary is not None:
        changed.update(_summary_changes(row, row.summary))
    if not changed:
        return row
    if "reason" in changed:
        refused.append(f"{row.metric} is not valid: {changed['reason']}")
        if row.reason is not None and not row.valid:
            changed["reason"] = row.reason  # the cause
    return replace(row, **changed)


def _value_changes(row: Measurement, value: object) -> dict[str, Any]:
    try:
        single = number(value)
    except ValueError as error:
        return {"value": None, "valid": False, "reason": str(error)}
    if math.isfinite(single):
        return {"value": single}
    return {"value": None, "valid": False, "reason": f"{row.method or 'it'} gave {single}"}


def _sample_changes(row: Measurement, samples: Sequence[object]) -> dict[str, Any]:
    kept: list[float] = []
    bad: list[str] = []
    for sample in samples:
        try:
            value = number(sample)
        except ValueError:
            bad.append(shown(sample))
            continue
        if math.isfinite(value):
            kept.append(value)
        else:
            bad.append(str(value))
    if not bad:
        return {"samples": kept}
    examples = ", ".join(dict.fromkeys(bad[:_SHOWN]))
    return {
        "samples": kept or None,
        "valid": False,
        "reason": f"{row.method or 'it'} gave {examples} in {len(bad)} of {len(samples)} rounds",
        "details": {**(row.details or {}), "not_finite": len(bad)},
    }


def _summary_changes(row: Measurement, summary: Summary) -> dict[str, Any]:
    wrong = [name for name in _STATISTICS if not _is_stored_as_it_is(getattr(summary, name))]
    if not wrong:
        return {}
    changed: dict[str, Any] = {name: _finite(getattr(summary, name)) for name in wrong}
    lost = [name for name in wrong if changed[name] is None]
    reason = f"{row.method or 'it'} gave no finite {', '.join(lost)}"
    return {"summary": replace(summary, **changed), **({"valid": False, "reason": reason} if lost else {})}


def _request(request: Request, refused: list[str]) -> Request:
    if all(type(getattr(request, name)) in {int, type(None)} for name in _TOKENS):
        return request
    return _with_counts(request, _TOKENS, f"request {request.index}: ", refused)


def _is_stored_as_it_is(value: object) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    return value is None or (type(value) is int and -_COUNT_LIMIT <= value < _COUNT_LIMIT)


def _are_stored_as_they_are(samples: Sequence[object]) -> bool:
    if not {float, int}.issuperset(map(type, samples)):
        return False
    try:
        # The sum of finite numbers is not finite only if it is too large, and then the slow way finds them all good.
        return math.isfinite(sum(samples))  # type: ignore[arg-type]
    except OverflowError:
        return False


def _finite(value: object) -> float | None:
    try:
        single = number(value)
    except ValueError:
        return None
    return single if math.isfinite(single) else None
