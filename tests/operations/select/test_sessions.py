"""The sessions that SPECs name."""

from collections.abc import Callable

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.selection import find_sessions

Make = Callable[..., SessionRow]
FIRST = "019a9e5c-0001-7000-8000-000000000001"
SECOND = "019a9e5c-0002-7000-8000-000000000002"
THIRD = "019a9e60-0003-7000-8000-000000000003"


@pytest.fixture
def sessions(session: Make) -> list[SessionRow]:
    return [session(FIRST, label="nightly"), session(SECOND, label="nightly"), session(THIRD)]


@pytest.mark.parametrize(
    ("specs", "found"),
    [
        (["latest"], [THIRD]),
        (["latest~0"], [THIRD]),
        (["latest~2"], [FIRST]),
        (["nightly"], [SECOND]),
        (["label:nightly"], [SECOND]),
        (["019a9e60"], [THIRD]),
        ([FIRST], [FIRST]),
        ([FIRST.upper()], [FIRST]),
        (["session:019a9e5c-0002"], [SECOND]),
        (["latest", THIRD, "latest~1"], [THIRD, SECOND]),
    ],
    ids=",".join,
)
def test_find_sessions_by_name(sessions: list[SessionRow], specs: list[str], found: list[str]) -> None:
    assert [session.session_id for session in find_sessions(specs, sessions)] == found


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("latest~3", "there are only 3 sessions"),
        ("weekly", "'weekly' is not a session"),
        ("label:019a9e60", "no session has the label '019a9e60'"),
        ("session:nightly", "is not a session"),
        ("ffff", "is not a session"),
        ("019", "is not a session"),
        ("019a9e5c", f"matches 2 sessions: {FIRST} .*{SECOND} .*write more of the id"),
    ],
)
def test_find_sessions_by_a_wrong_name_is_refused(sessions: list[SessionRow], spec: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        find_sessions([spec], sessions)
