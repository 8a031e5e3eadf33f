"""What may pass: files of allowances, whom they speak of, and until when."""

from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.operations.allowances import Allowance, active_allowance, expired_warnings, read_allow_file

KEY = SeriesKey(fullname="tests/test_a.py::test_x[1]", metric="wall_time")
NOW = "2026-11-21T08:00:00"


def _allowance(pattern: str = "*", **values: str | None) -> Allowance:
    return Allowance(**{"pattern": pattern, "metric": None, "reason": "why", "expires_at": None, **values})  # type: ignore[arg-type]


def test_allow_file_is_read_entry_by_entry(tmp_path: Path) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(
        '[[allow]]\npattern = "tests/*"\nmetric = "time"\nreason = "known\\n since 3"\nexpires = 2026-12-31\n'
        '[[allow]]\npattern = "*"\nreason = "b"\n'
        '[[allow]]\npattern = "*"\nreason = "c"\nexpires = 2026-12-31T12:00:00+02:00\n'
        '[[allow]]\npattern = "*"\nreason = "d"\nexpires = "2026-12-31"\n'
    )

    read = read_allow_file(path)

    assert [one.reason for one in read] == ["known since 3", "b", "c", "d"]
    assert [one.expires_at for one in read] == [
        "2027-01-01T00:00:00",
        None,
        "2026-12-31T10:00:00",
        "2027-01-01T00:00:00",
    ]
    assert read[0].metric == "time"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[allow]]\nreason = 'a'", "pattern is None"),
        ("[[allow]]\npattern = '*'", "reason is None"),
        ("[[allow]]\npattern = '*'\nreason = ' '", "reason is ' '"),
        ("[[allow]]\npattern = '*'\nreason = 'a'\nmetric = 5", "metric is 5"),
        ("[[allow]]\npattern = '*'\nreason = 'a'\nexpires = 'soon'", "expires is no date"),
        ("[[allow]]\npattern = '*'\nreason = 'a'\nexpires = 5", "expires is no date"),
        ("[[allow]]\npattern = '*'\nreason = 'a'\nuntil = 5", "unknown key 'until'"),
        ("allow = 5", "something else"),
        ("allow = ['*']", "something else"),
        ("[[ignore]]\npattern = '*'", "something else"),
        ("", "something else"),
        ("[[allow", "not valid TOML"),
    ],
)
def test_allow_file_that_cannot_be_read_says_what_is_wrong(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=what) as refused:
        read_allow_file(path)

    assert str(path) in str(refused.value)


def test_allow_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name a file that exists"):
        read_allow_file(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("allowance", "expected"),
    [
        (_allowance(), True),
        (_allowance("tests/test_a.py::test_x[[]1]"), False),
        (_allowance("tests/test_a.py::test_x[1]"), True),
        (_allowance("tests/test_b.py::*"), False),
        (_allowance(metric="time"), True),
        (_allowance(metric="wall_time"), True),
        (_allowance(metric="memory"), False),
        (_allowance(fingerprint="f"), True),
        (_allowance(fingerprint="other"), False),
        (_allowance(expires_at="2026-11-21T08:00:00"), False),
        (_allowance(expires_at="2026-11-21T08:00:01"), True),
    ],
    ids=[
        "all",
        "bracket",
        "name",
        "other file",
        "word",
        "metric",
        "other metric",
        "machine",
        "other machine",
        "over",
        "not over",
    ],
)
def test_allowance_speaks_of_its_series_until_it_expires(allowance: Allowance, expected: bool) -> None:
    assert (active_allowance([allowance], KEY, "f", NOW) is not None) is expected


def test_the_last_allowance_counts() -> None:
    found = active_allowance([_allowance(reason="a"), _allowance(reason="b")], KEY, None, NOW)

    assert found is not None
    assert found.reason == "b"


def test_allowance_that_has_expired_is_told_where_it_spoke_of_something() -> None:
    allowances = [
        _allowance(expires_at="2026-11-01T00:00:00", origin="allow.toml, entry 1"),
        _allowance("other", expires_at="2026-11-01T00:00:00"),
        _allowance(),
    ]

    assert expired_warnings(allowances, [KEY], NOW) == [
        "no longer allowed since 2026-11-01: * (allow.toml, entry 1: why)"
    ]


def test_allowance_tells_its_reason_and_its_end() -> None:
    assert _allowance(origin="here", expires_at="2027-01-01T00:00:00").text() == "why (here, until 2027-01-01)"
    assert _allowance(origin="here").text() == "why (here)"
