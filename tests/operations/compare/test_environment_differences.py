"""How the environments of two sides differ."""

from collections.abc import Callable
from typing import Any

from pytest_benchdb.model.comparison import Difference, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.compare.machines import MOST_SESSIONS, side_differences

Make = Callable[..., SessionRow]


class Environments:
    """Stands for the reader of a history."""

    def __init__(self, **environments: dict[str, Any]) -> None:
        self._environments = environments
        self.asked: list[str] = []

    def environment_of(self, session_id: str) -> dict[str, Any]:
        self.asked.append(session_id)
        return self._environments.get(session_id, {})


def differences(reader: Any, first: list[SessionRow], second: list[SessionRow]) -> tuple[Difference, ...]:
    return side_differences(reader, Side(name="one", sessions=tuple(first)), Side(name="two", sessions=tuple(second)))


def test_facts_that_differ_are_told_with_both_values(session: Make) -> None:
    reader = Environments(
        a={"fingerprint": "f", "cpu_model": "X", "os": "Debian 12", "packages": {"numpy": "2.0", "scipy": "1.0"}},
        b={"fingerprint": "g", "cpu_model": "Y", "os": "Debian 12", "packages": {"numpy": "2.1"}},
    )

    assert differences(reader, [session("a")], [session("b")]) == (
        Difference(name="cpu", baseline="X", candidate="Y"),
        Difference(name="packages.numpy", baseline="2.0", candidate="2.1"),
        Difference(name="packages.scipy", baseline="1.0", candidate=None),
    )


def test_several_sessions_tell_all_that_was_found(session: Make) -> None:
    reader = Environments(
        a={"details": {"cpu": {"governor": "performance"}}}, b={"details": {"cpu": {"governor": "powersave"}}}
    )

    assert differences(reader, [session("a"), session("b")], [session("c")]) == (
        Difference(name="details.cpu.governor", baseline="performance, powersave", candidate=None),
    )


def test_session_of_both_sides_is_read_once_and_differs_in_nothing(session: Make) -> None:
    reader = Environments(a={"os": "Debian 12"})

    assert differences(reader, [session("a")], [session("a")]) == ()
    assert reader.asked == ["a"]


def test_long_side_is_read_up_to_its_newest_sessions(session: Make) -> None:
    reader = Environments()
    sessions = [session(f"s{number}") for number in range(MOST_SESSIONS + 5)]

    differences(reader, sessions, [session("x")])

    assert reader.asked[0] == "s5"
    assert len(reader.asked) == MOST_SESSIONS + 1
