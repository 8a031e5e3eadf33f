"""Times of day for people: in the zone of this machine, with its name, and how long ago they were.

Data formats keep ISO 8601 in UTC; only what people read goes through here.
"""

import datetime as dt
from collections.abc import Iterable

_LONGEST_ZONE = 5
_MINUTE, _HOUR, _DAY, _MONTH, _YEAR = 60, 3600, 86_400, 2_629_746, 31_556_952
_STEPS = ((_MINUTE, "min"), (_HOUR, "h"), (_DAY, "day"), (_MONTH, "month"), (_YEAR, "year"))


def local_text(iso: str | None, *, zone: bool = True) -> str:
    """Return a stored time for people: ``2026-11-21 03:03:04 CET``; empty for None.

    Args:
        iso: ISO 8601 in UTC, without an offset or with ``Z``.
        zone: False leaves out the zone, for columns whose head has it.
    """
    if iso is None:
        return ""
    local = _local(iso)
    return f"{local:%Y-%m-%d %H:%M:%S}" + (f" {_zone(local)}" if zone else "")


def local_minute(iso: str) -> str:
    """Return a stored time without seconds and zone, for columns: ``2026-11-21 03:03``."""
    return f"{_local(iso):%Y-%m-%d %H:%M}"


def zones_text(times: Iterable[str]) -> str:
    """Return the zones of stored times, for the head of a column: ``CET``, or ``CEST/CET`` over a change of clocks."""
    return "/".join(dict.fromkeys(_zone(_local(iso)) for iso in times))


def ago_text(iso: str, now: dt.datetime) -> str:
    """Return how long ago a stored time was: ``3 h ago``; for a time to come, ``in the future``.

    >>> ago_text("2026-11-21T02:03:04", dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.timezone.utc))
    '2 days ago'
    """
    seconds = (now - _utc(iso)).total_seconds()
    if seconds < -_MINUTE:  # clocks of two machines differ by less
        return "in the future"
    if seconds < _MINUTE:
        return "just now"
    span, name = next((step for step in reversed(_STEPS) if seconds >= step[0]), _STEPS[0])
    count = int(seconds // span)
    plural = "s" if count > 1 and span >= _DAY else ""
    return f"{count} {name}{plural} ago"


def _utc(iso: str) -> dt.datetime:
    return dt.datetime.fromisoformat(iso.removesuffix("Z")).replace(tzinfo=dt.timezone.utc)


def _local(iso: str) -> dt.datetime:
    utc = _utc(iso)
    try:
        return utc.astimezone()
    except (OSError, OverflowError, ValueError):  # years that the system's calendar does not know
        return utc


def _zone(local: dt.datetime) -> str:
    """Return the zone's abbreviation, or its offset where the system has only a long name."""
    name = local.tzname() or ""
    if name.isascii() and name.isalpha() and len(name) <= _LONGEST_ZONE:
        return name
    return f"UTC{local:%z}"
