"""Parse `--since` and `--until`: dates, times and spans before now."""

import datetime as dt
import re

from pytest_benchdb.errors import ConfigError

_SPAN = re.compile(r"(\d{1,6})\s*([mhdw])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DATE_LENGTH = len("2026-11-21")


def parse_instant(option: str, text: str, now: dt.datetime) -> str:
    """Return a time in UTC as ISO 8601 without an offset, the store's format.

    Args:
        option: name of the option, for the error message.
        text: ``2026-11-21``, ``2026-11-21T08:00`` (in this machine's zone unless it has an offset), or a span before
            now: ``90m``, ``12h``, ``7d``, ``4w``. A date for `--until` includes that day.
        now: the current time, timezone-aware.

    Raises:
        ConfigError: the text is not a time.
    """
    span = _SPAN.fullmatch(text.strip().lower())
    try:
        moment = _before(now, span) if span else _moment(option, text.strip())
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"{option} {text!r}: not a time; write 2026-11-21, 2026-11-21T08:00 or 7d") from error
    return moment.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")


def _before(now: dt.datetime, span: re.Match[str]) -> dt.datetime:
    return now - dt.timedelta(seconds=int(span[1]) * _SECONDS[span[2]])


def _moment(option: str, text: str) -> dt.datetime:
    # Python 3.10 does not parse "Z".
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if option == "--until" and len(text) == _DATE_LENGTH:
        moment = dt.datetime.combine(moment.date(), dt.time.max)
    return moment.astimezone()  # one without an offset is local time, as reports show it
