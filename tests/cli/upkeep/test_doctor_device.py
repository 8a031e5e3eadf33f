"""`benchdb doctor --device`: the claims as lines and as JSON, and the exit status."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.model.answer.device_claims import ClaimResult, DeviceClaims
from pytest_benchdb.operations.upkeep import device_claims

HOLDS = ClaimResult(claim="device_time holds no launch", expected="0.9 to 1.1", measured="1.01", verdict="holds")
FAILS = ClaimResult(
    claim="its energy counter changes often", expected="at most 200 ms", measured="950 ms", verdict="fails"
)
UNTESTED = ClaimResult(claim="a graph replays", expected="at most 1", measured="no graphs", verdict="untested")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets the results of the check."""

    def set_results(*results: ClaimResult) -> None:
        answer = DeviceClaims(device="NVIDIA H200", results=results)
        monkeypatch.setattr(device_claims, "check_device", lambda _name, **_options: answer)

    return set_results


def test_claims_are_listed_with_range_and_figure(benchdb: Callable[..., Any], checked: Callable[..., None]) -> None:
    checked(HOLDS, UNTESTED)

    ended = benchdb("doctor", "--device", "cuda")

    assert ended.status == 0
    assert ended.out.splitlines() == [
        "holds     device_time holds no launch",
        "          expected: 0.9 to 1.1",
        "          measured: 1.01",
        "untested  a graph replays",
        "          expected: at most 1",
        "          measured: no graphs",
        "NVIDIA H200: 1 hold, 0 fail, 1 untested",
    ]


def test_claim_that_fails_has_an_exit_status_of_its_own(
    benchdb: Callable[..., Any], checked: Callable[..., None]
) -> None:
    checked(HOLDS, FAILS)

    ended = benchdb("doctor", "--device", "cuda", "--format", "json")

    assert ended.status == 6
    document = json.loads(ended.out)
    assert document["device"] == "NVIDIA H200"
    assert document["claims"][1] == {
        "claim": "its energy counter changes often",
        "expected": "at most 200 ms",
        "measured": "950 ms",
        "verdict": "fails",
    }


def test_claims_of_a_missing_device_give_the_reason_once(benchdb: Callable[..., Any]) -> None:
    ended = benchdb("doctor", "--device", "cuda:9")

    assert ended.status == 0
    assert ended.out.splitlines()[-1].startswith("cuda:9: 0 hold, 0 fail, 20 untested: cuda")
    assert "measured" not in ended.out


def test_device_and_a_database_are_not_checked_at_once(benchdb: Callable[..., Any]) -> None:
    ended = benchdb("doctor", "results", "--device", "cuda")

    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "benchdb: --device cuda checks no database; leave out PATH and --full\n"
