"""Times for people, in the zone of the machine."""

import datetime as dt
import os
import time
from collections.abc import Iterator

import pytest

from pytest_benchdb.present.writing.times import ago_text, local_minute, local_text, zones_text

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process cannot be set on this system")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-21 03:03:04 CET"),
        ("<+0545>-5:45", "2026-11-21 07:48:04 UTC+0545"),
        ("EST5", "2026-11-20 21:03:04 EST"),
        ("UTC", "2026-11-21 02:03:04 UTC"),
    ],
    indirect=["zone"],
)
@pytest.mark.usefixtures("zone")
def test_local_text_has_the_zone_of_the_machine(text: str) -> None:
    assert local_text("2026-11-21T02:03:04.500000") == local_text("2026-11-21T02:03:04Z") == text


@pytest.mark.parametrize("zone", ["CET-1CEST,M3.5.0,M10.5.0/3"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_zones_of_a_column_are_named_once() -> None:
    summer, winter = "2026-07-01T10:00:00", "2026-12-01T10:00:00"

    assert zones_text([summer, summer, winter]) == "CEST/CET"
    assert local_minute(summer) == "2026-07-01 12:00"


def test_local_text_of_no_time_is_empty() -> None:
    assert local_text(None) == ""


@pytest.mark.parametrize("iso", ["1970-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_local_text_of_the_ends_of_the_calendar_is_a_text(iso: str) -> None:
    assert local_text(iso)[:4] in {"1969", "1970", "9999"}


@pytest.mark.parametrize(
    ("iso", "text"),
    [
        ("2026-11-21T12:00:30", "just now"),
        ("2026-11-21T11:59:30", "just now"),
        ("2026-11-21T11:58:59", "1 min ago"),
        ("2026-11-21T08:59:00", "3 h ago"),
        ("2026-11-20T11:00:00", "1 day ago"),
        ("2026-11-01T11:00:00", "20 days ago"),
        ("2026-08-01T11:00:00", "3 months ago"),
        ("2020-08-01T11:00:00", "6 years ago"),
        ("2026-11-22T11:00:00", "in the future"),
    ],
)
def test_ago_text(iso: str, text: str) -> None:
    assert ago_text(iso, NOW) == text


def test_the_suite_runs_in_utc() -> None:
    assert os.environ["TZ"] == "UTC"
