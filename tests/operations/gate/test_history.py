"""The history of a gate: up to the baseline, on the same machine, in CI on its branch, without disturbed sessions."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.gate.history import GateSides, add_history


@pytest.fixture
def sides(session: Callable[..., SessionRow]) -> Callable[..., GateSides]:
    """Return a function that makes sessions 0 to 9, of which the last is judged by one."""

    def make(
        baseline: Sequence[int] = (8,), *, ci: str | None = None, alone: bool = False, **changes: Any
    ) -> GateSides:
        per_session: dict[int, dict[str, Any]] = changes.pop("of", {})
        allow_cross = changes.pop("allow_cross", False)
        usual = {"fingerprint": "f", "branch": "main", "contended": False, "ci_provider": ci}
        rows = [session(str(at), f"2026-11-21T0{at}:00:00", **{**usual, **per_session.get(at, {})}) for at in range(10)]
        return add_history(rows[:9], rows[9:], [rows[at] for at in baseline], alone=alone, allow_cross=allow_cross)

    return make


def _names(sides: GateSides) -> str:
    return "".join(one.session_id for one in sides.history)


def test_history_ends_with_the_baseline(sides: Callable[..., GateSides]) -> None:
    assert _names(sides([8])) == "012345678"
    assert _names(sides([5])) == "012345"


def test_history_of_a_grouped_baseline_is_the_baseline(sides: Callable[..., GateSides]) -> None:
    assert _names(sides([3, 4], alone=True)) == "34"


def test_history_in_ci_is_that_of_the_baselines_branch(sides: Callable[..., GateSides]) -> None:
    of = {3: {"branch": "feature"}, 9: {"branch": "feature", "ci_provider": "github"}}

    assert _names(sides([8], ci="github", of=of)) == "01245678"
    assert _names(sides([8], of={3: {"branch": "feature"}})) == "012345678"


def test_history_excludes_other_machines_unless_allowed(sides: Callable[..., GateSides]) -> None:
    of = {at: {"fingerprint": "g"} for at in (0, 1, 2)}

    assert _names(sides([8], of=of)) == "345678"
    assert _names(sides([8], of=of, allow_cross=True)) == "012345678"


def test_history_of_other_machines_only_means_no_baseline(sides: Callable[..., GateSides]) -> None:
    found = sides([8], of={9: {"fingerprint": "g"}})

    assert found.history == ()
    assert "9 sessions" in (found.no_baseline or "") or "1 session" in (found.no_baseline or "")


@pytest.mark.parametrize(("disturbed", "expected"), [(4, "45678"), (5, "012345678")])
def test_history_leaves_disturbed_sessions_out_while_enough_are_left(
    sides: Callable[..., GateSides], disturbed: int, expected: str
) -> None:
    assert _names(sides([8], of={at: {"contended": True} for at in range(disturbed)})) == expected


@pytest.mark.parametrize(
    ("own", "dirty", "expected"),
    [((7, 8), False, "0123456"), ((7, 8), True, "012345678"), (range(4, 9), False, "012345678")],
    ids=["same commit", "uncommitted changes", "too few others"],
)
def test_history_leaves_the_candidates_own_commit_out_while_enough_are_left(
    sides: Callable[..., GateSides], own: Sequence[int], dirty: bool, expected: str
) -> None:
    of = {at: {"commit_sha": "c"} for at in own}

    found = sides([8], of={**of, 9: {"commit_sha": "c", "dirty": dirty}})

    assert _names(found) == expected


def test_sides_of_several_sessions_are_judged_as_sides(session: Callable[..., SessionRow]) -> None:
    rows = [session(str(at), f"2026-11-21T0{at}:00:00", fingerprint="f") for at in range(8)]

    assert add_history(rows[:5], rows[5:], rows[2:5], alone=True).are_many
    assert not add_history(rows[:5], rows[7:], rows[2:5], alone=True).are_many
