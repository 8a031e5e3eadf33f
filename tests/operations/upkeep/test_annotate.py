import datetime as dt

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.upkeep.annotate import parse_expiry

NOW = dt.datetime(2026, 11, 21, 8, 30, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", "2026-11-22T00:00:00.000000"),
        ("2027-01-31", "2027-02-01T00:00:00.000000"),
        ("30d", "2026-12-21T08:30:00.000000"),
        (" 2 W ", "2026-12-05T08:30:00.000000"),
    ],
)
def test_parse_expiry_is_the_first_moment_that_does_not_count(text: str, moment: str) -> None:
    assert parse_expiry(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "soon", "30", "30h", "-3d", "2026-13-01", "99999w9", "2026-11-21T08:00"])
def test_parse_expiry_of_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a day; write 2027-01-31, 30d or 4w"):
        parse_expiry(text, NOW)


@pytest.mark.parametrize("text", ["2026-11-20", "0d"])
def test_parse_expiry_that_has_passed_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="has passed"):
        parse_expiry(text, NOW)
