"""What may pass: files of allowances, whom they speak of, and until when."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.annotation import Acceptance
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.operations.gate.allowances import (
    Allowance,
    active_allowance,
    allowance_from_acceptance,
    expired_warnings,
    read_allow_file,
)

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
        ("[[allow]]\npattern = '*'\nreason = 'a'\nexpires = 'soon'", "expires is not a date"),
        ("[[allow]]\npattern = '*'\nreason = 'a'\nexpires = 5", "expires is not a date"),
        ("[[allow]]\npattern = '*'\nreason = 'a'\nuntil = 5", "unknown key 'until'"),
        ("allow = 5", "something other"),
        ("allow = ['*']", "something other"),
        ("[[ignore]]\npattern = '*'", "something other"),
        ("", "something other"),
        ("[[allow", "not valid TOML"),
    ],
)
def test_invalid_allow_file_is_explained(tmp_path: Path, text: str, what: str) -> None:
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
def test_allowance_speaks_of_its_series_until_it_expires(
    session: Callable[..., SessionRow], allowance: Allowance, expected: bool
) -> None:
    assert (active_allowance([allowance], KEY, session("s", fingerprint="f"), NOW) is not None) is expected


@pytest.mark.parametrize(("since", "expected"), [(None, True), ("s", True), ("earlier", False)])
def test_allowance_from_an_earlier_session_on_excuses_no_second_change(
    session: Callable[..., SessionRow], since: str | None, expected: bool
) -> None:
    allowance = _allowance(since_session_id=since)

    assert (active_allowance([allowance], KEY, session("s"), NOW) is not None) is expected


def test_acceptance_of_a_benchmark_speaks_of_its_name() -> None:
    acceptance = Acceptance(
        acceptance_id="a", benchmark_id="b", reason="new codec", author="me", created_at="2026-11-20T10:00:00"
    )

    assert allowance_from_acceptance(acceptance, names={"b": KEY.fullname}).pattern == KEY.fullname
    assert allowance_from_acceptance(acceptance, names={}).pattern == ""
    assert allowance_from_acceptance(acceptance, names={}).text() == "new codec (accepted 2026-11-20 by me)"


def test_the_last_allowance_counts(session: Callable[..., SessionRow]) -> None:
    found = active_allowance([_allowance(reason="a"), _allowance(reason="b")], KEY, session("s"), NOW)

    assert found is not None
    assert found.reason == "b"


def test_allowance_that_has_expired_is_reported_where_it_matched_something() -> None:
    allowances = [
        _allowance(expires_at="2026-11-01T00:00:00", origin="allow.toml, entry 1"),
        _allowance("other", expires_at="2026-11-01T00:00:00"),
        _allowance(),
    ]

    assert expired_warnings(allowances, [KEY], NOW) == [
        "no longer allowed since 2026-11-01: * (allow.toml, entry 1: why)"
    ]


def test_allowance_text_has_the_reason_and_the_expiry() -> None:
    assert _allowance(origin="here", expires_at="2027-01-01T00:00:00").text() == "why (here, until 2027-01-01)"
    assert _allowance(origin="here").text() == "why (here)"
