import datetime as dt

import pytest

from pytest_benchdb.importers.reading.files import unix_us, utc_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00", 0),
        ("1970-01-01 00:00:01", 1_000_000),
        ("1970-01-01T00:00:00.1", 100_000),
        ("1970-01-01T00:00:00.123456789", 123_456),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T01:00:00+0100", 0),
        ("1970-01-01T01:00:00+01", 0),
        ("1970-01-01T00:00:00-00:30", 1_800_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:00:00 UTC", 0),
    ],
)
def test_unix_us_reads_iso_times_and_takes_those_without_offset_as_utc(text: str, expected: int) -> None:
    assert unix_us(text) == expected


def test_unix_us_takes_times_as_they_are() -> None:
    assert unix_us(dt.datetime(1970, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))) == 0
    assert unix_us(dt.datetime(1970, 1, 2)) == 86_400_000_000  # noqa: DTZ001 - one without a zone is meant


@pytest.mark.parametrize(
    "text", ["", "now", "2026-02-30", "2026-01-01T25:00", "1969-12-31", "21/11/2026", "1700000000"]
)
def test_unix_us_refuses_other_texts(text: str) -> None:
    with pytest.raises(ValueError):
        unix_us(text)


def test_utc_text_has_no_offset() -> None:
    assert utc_text("2026-11-20T08:00:00+01:00") == "2026-11-20T07:00:00"
