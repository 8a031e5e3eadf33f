"""`--since` and `--until`."""

import datetime as dt
import time

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.select.filters.instant import parse_instant

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("option", "text", "moment"),
    [
        ("--since", "2026-11-20", "2026-11-20T00:00:00.000000"),
        ("--until", "2026-11-20", "2026-11-20T23:59:59.999999"),
        ("--since", "2026-11-20T08:30", "2026-11-20T08:30:00.000000"),
        ("--since", "2026-11-20T08:30:00+02:00", "2026-11-20T06:30:00.000000"),
        ("--since", "2026-11-20T08:30:00Z", "2026-11-20T08:30:00.000000"),
        ("--since", "90m", "2026-11-21T10:30:00.000000"),
        ("--since", "12h", "2026-11-21T00:00:00.000000"),
        ("--since", "7d", "2026-11-14T12:00:00.000000"),
        ("--until", "1w", "2026-11-14T12:00:00.000000"),
    ],
)
def test_instant_is_utc(option: str, text: str, moment: str) -> None:
    assert parse_instant(option, text, NOW) == moment


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be set on this system")
def test_instant_without_an_offset_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    try:
        assert parse_instant("--since", "2026-11-20T08:30", NOW) == "2026-11-20T07:30:00.000000"
        assert parse_instant("--until", "2026-11-20", NOW) == "2026-11-20T22:59:59.999999"
        assert parse_instant("--since", "2026-11-20T08:30Z", NOW) == "2026-11-20T08:30:00.000000"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01-", "7y", "999999w"])
def test_invalid_instant_is_explained(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--since .*write 2026-11-21"):
        parse_instant("--since", text, NOW)
