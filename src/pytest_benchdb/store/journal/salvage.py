"""Salvages damaged journals: keeps the lines that can be read, and counts the others.

A journal is damaged where a bad disk or an editor has changed a line. The torn last line of a dead session is not
damage; the fold cuts it off.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.journal.checksum import has_checksum, is_changed
from pytest_benchdb.store.statement import is_timestamp

_ID_LENGTH = 36
_MOST = 2**63 - 1
"""The largest integer that a column can hold."""
_MOST_TRIES = 200
"""How often a damaged journal is tried; what is not tried by then counts as damaged."""
_UNREADABLE = "the first line of the journal was damaged"


def salvage(journal: str) -> tuple[str, list[int], list[int]]:
    """Copy the good lines of a journal to ``.<session>.clean`` beside it.

    A lost first line is rebuilt from the file's name and its runs.

    Returns:
        Path of the copy, numbers of the lines in it from its second on, numbers of the lines left out.
    """
    name = os.path.basename(journal)
    session_id = name.split(".", 1)[0]
    clean = os.path.join(os.path.dirname(journal), f".{session_id}.clean")
    kept: list[int] = []
    damaged: list[int] = []
    opening = None
    seen: set[bytes] = set()
    with open(journal, "rb") as source:
        sealed = any(map(has_checksum, source))
    with open(journal, "rb") as source, open(clean + ".body", "wb") as body:
        for number, raw in enumerate(source, 1):
            entry = None if sealed and (not has_checksum(raw) or is_changed(raw)) else _entry(raw)
            digest = blake2b(raw, digest_size=16).digest()
            if entry is None or digest in seen:
                damaged.append(number)
                continue
            seen.add(digest)
            if entry["k"] == "session":
                opening = opening or entry
            else:
                kept.append(number)
                body.write(_line(entry))
    if opening is None:
        opening = _substitute(session_id, _entries(clean + ".body"))
    with open(clean, "wb") as target, open(clean + ".body", "rb") as body:
        target.write(_line(opening))
        target.writelines(body)
    os.unlink(clean + ".body")
    return clean, kept, damaged


def drop_bad_lines(clean: str, numbers: Sequence[int], is_storable: Callable[[], bool]) -> list[int]:
    """Remove lines that DuckDB refuses from a salvaged journal, by halving it; return their numbers.

    Args:
        clean: the copy that `salvage` made; its first line is replaced if that alone cannot be stored.
        numbers: of the lines in it from its second on, in the journal.
        is_storable: returns whether the copy, as it is now, can be stored.
    """
    if is_storable():
        return []
    with open(clean, "rb") as file:
        first, *texts = file
    lines = list(zip(numbers, texts, strict=True))
    tries = 0

    def write(kept: Sequence[tuple[int, bytes]]) -> None:
        with open(clean, "wb") as file:
            file.writelines([first, *(text for _, text in kept)])

    def storable(part: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        nonlocal tries
        write(part)
        tries += 1
        if tries > _MOST_TRIES:
            return []
        if is_storable():
            return list(part)
        half = len(part) // 2
        return [*storable(part[:half]), *storable(part[half:])] if half else []

    write([])
    refused = []
    if not is_storable():
        refused.append(1)
        session_id = os.path.basename(clean).split(".")[1]
        first = _line(_substitute(session_id, (entry for text in texts if (entry := _entry(text)))))
    kept = storable(lines) if lines else []
    write(kept)
    return refused + sorted({number for number, _ in lines} - {number for number, _ in kept})


def _entries(path: str) -> Iterator[dict[str, Any]]:
    with open(path, "rb") as file:
        for raw in file:
            entry = _entry(raw)
            if entry is not None:
                yield entry


def _entry(raw: bytes) -> dict[str, Any] | None:
    """Return the object in a line; None if the fold cannot use it."""
    try:
        entry = json.loads(raw.decode("utf-8"), parse_constant=str)
    except (ValueError, RecursionError):
        return None
    check = _CHECKS.get(str(entry.get("k"))) if isinstance(entry, dict) else None
    try:
        return entry if check is not None and check(entry) else None
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def _is_id(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) == _ID_LENGTH
        and not value.replace("-", "").strip("0123456789abcdefABCDEF")
    )


def _is_number(value: object, *kinds: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    return not isinstance(value, int) or -_MOST <= value <= _MOST


def _session_is_good(entry: dict[str, Any]) -> bool:
    session, environment = entry["session"], entry.get("environment") or {}
    return (
        _is_id(session["session_id"])
        and is_timestamp(session["started_us"])
        and all(isinstance(session[key], str) for key in ("project", "kind", "tool"))
        and all(_is_id(environment[key]) for key in ("environment_id", "fingerprint") if environment)
        and all(_is_id(device["device_id"]) and device["backend"] and device["name"] for device in entry["devices"])
    )


def _chunk_is_good(entry: dict[str, Any]) -> bool:
    numbers = entry.get("ns", entry.get("v"))
    kinds = (int,) if "ns" in entry else (int, float)
    return (
        _is_id(entry["id"])
        and _is_number(entry["i"], int)
        and isinstance(numbers, list)
        and all(number is None or _is_number(number, *kinds) for number in numbers)
    )


def _test_is_good(entry: dict[str, Any]) -> bool:
    benchmark = entry["benchmark"]
    return (
        _is_id(entry["run_id"])
        and is_timestamp(entry["started_us"])
        and _is_id(benchmark["benchmark_id"])
        and all(isinstance(benchmark[key], str) for key in ("project", "fullname", "name"))
    )


def _run_is_good(entry: dict[str, Any]) -> bool:
    return (
        _test_is_good(entry)
        and isinstance(entry["outcome"], str)
        and (entry.get("device_id") is None or _is_id(entry["device_id"]))
        and isinstance(entry["measurements"], list)
        and all(map(_measurement_is_good, entry["measurements"]))
        and all(map(_attachment_is_good, entry.get("attachments") or ()))
        and all(number is None or _is_number(number, int, float) for number in entry.get("boundary") or ())
    )


def _measurement_is_good(entry: dict[str, Any]) -> bool:
    return _is_id(entry["id"]) and all(isinstance(entry[key], str) for key in ("metric", "unit", "better"))


def _attachment_is_good(entry: dict[str, Any]) -> bool:
    return (
        _is_id(entry["id"])
        and all(isinstance(entry[key], str) for key in ("name", "checksum"))
        and all(_is_number(entry[key], int) for key in ("size_bytes", "created_us"))
    )


def _series_is_good(entry: dict[str, Any]) -> bool:
    return (
        _is_id(entry["run"])
        and (entry.get("device") is None or _is_id(entry["device"]))
        and all(isinstance(entry[key], str) for key in ("metric", "unit", "provenance"))
        and _is_number(entry["i"], int)
        and _are_numbers(entry["t"])
        and _are_numbers([value for value in entry["v"] if value is not None])
    )


def _request_is_good(entry: dict[str, Any]) -> bool:
    times = ("due", "sent")
    counts = ("tokens_in", "tokens_out")
    return (
        _is_id(entry["run"])
        and _is_number(entry["i"], int)
        and isinstance(entry["provenance"], str)
        and isinstance(entry["ok"], bool)
        and all(entry[key] is None or _is_number(entry[key], int, float) for key in times)
        and all(entry[key] is None or _is_number(entry[key], int) for key in counts)
        and _are_numbers(entry["chunks"])
    )


def _are_numbers(values: object) -> bool:
    return isinstance(values, list) and all(_is_number(value, int, float) for value in values)


def _end_is_good(entry: dict[str, Any]) -> bool:
    return (
        isinstance(entry["outcome"], str)
        and is_timestamp(entry["finished_us"])
        and (entry.get("lost") is None or _is_number(entry["lost"], int))
    )


_CHECKS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "session": _session_is_good,
    "begin": _test_is_good,
    "chunk": _chunk_is_good,
    "series": _series_is_good,
    "request": _request_is_good,
    "run": _run_is_good,
    "end": _end_is_good,
    "room": bool,
    "full": lambda entry: _is_number(entry["lost"], int),
}


def _substitute(session_id: str, entries: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Return a first line for a journal that lost its own, with whatever its runs and its name give."""
    project, started_us = "unknown", None
    for entry in entries:
        if "benchmark" in entry:
            project, started_us = entry["benchmark"]["project"], entry["started_us"]
            break
    if started_us is None:
        # A UUIDv7 begins with its milliseconds since the epoch.
        started_us = int(session_id.replace("-", "")[:12], 16) * 1000 if _is_id(session_id) else 0
        started_us = started_us if is_timestamp(started_us) else 0
    session = {
        "session_id": session_id if _is_id(session_id) else uuid7(),
        "project": project,
        "kind": "pytest",
        "started_us": started_us,
        "note": _UNREADABLE,
        "tool": "pytest-benchdb",
    }
    return {"k": "session", "session": session, "environment": None, "devices": [], "unmeasured": {}}


def _line(entry: dict[str, Any]) -> bytes:
    """Return a line of the copy, whose old checksum means nothing any more."""
    text = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace") + b"\n"
