"""The order in which commands run, and what ends them: with rounds from a script instead of processes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.measure.command.runner import CommandCall, CommandRound, Runner
from pytest_benchdb.operations.adhoc.commands import CommandRequest, read_commands
from pytest_benchdb.operations.adhoc.measure import Measured, RoundRules, measure_commands, next_in_turn, takes_turns


class Script(Runner):
    """Returns given rounds instead of running anything, and remembers what it was asked for."""

    def __init__(self, *rounds: CommandRound | type[BaseException]) -> None:
        super().__init__()
        self.calls: list[str] = []
        self._rounds: Iterator[CommandRound | type[BaseException]] = iter(rounds)

    def run(self, call: CommandCall) -> CommandRound:
        self.calls.append(call.argv[1])
        made = next(self._rounds, took(0.1))
        if isinstance(made, CommandRound):
            return made
        raise made


def took(seconds: float, **changes: Any) -> CommandRound:
    values = {"user_s": 0.01, "system_s": 0.0, "peak_bytes": None, "exit_code": 0, **changes}
    return CommandRound(wall_ns=round(seconds * 1e9), **values)


def measure(runner: Script, texts: Sequence[str], rules: RoundRules, **request: Any) -> tuple[list[Measured], bool]:
    commands = read_commands(CommandRequest(texts=tuple(texts), **request))
    series = [Measured(command=command) for command in commands]
    return series, measure_commands(series, rules, runner, lambda: 1, lambda _all, _next: None)


def test_commands_take_turns_and_none_always_follows_the_other() -> None:
    runner = Script()

    measure(runner, ["echo a", "echo b"], RoundRules(runs=4))

    assert "".join(runner.calls) == "abbaabba"


def test_commands_with_unequal_numbers_of_rounds_are_spread_over_the_time() -> None:
    runner = Script(took(1.0), took(0.25))

    measure(runner, ["echo a", "echo b"], RoundRules(min_runs=2, min_time_s=2.0))

    assert (runner.calls.count("a"), runner.calls.count("b")) == (2, 8)
    first_half = runner.calls[:5]
    assert first_half.count("b") == 4


@pytest.mark.parametrize(
    ("hooks", "rules"), [({"setup": (":",)}, {}), ({"cleanup": (":",)}, {}), ({}, {"in_turns": False})]
)
def test_commands_with_a_setup_run_one_after_another(hooks: dict[str, tuple[str, ...]], rules: dict[str, Any]) -> None:
    runner = Script()

    measure(runner, ["echo a", "echo b"], RoundRules(runs=3, **rules), hooks=hooks)

    assert "".join(runner.calls) == "aaabbb"


def test_what_runs_around_the_rounds_runs_in_this_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    hooks = {name: (f"echo {name} >>{log}",) for name in ("setup", "prepare", "conclude", "cleanup")}

    series, _ = measure(Script(), ["echo a"], RoundRules(runs=2, warmup=1), hooks=hooks)

    assert log.read_text().split() == ["setup", *["prepare", "conclude"] * 3, "cleanup"]
    assert len(series[0].rounds) == 2


def test_warm_up_is_not_kept() -> None:
    series, _ = measure(Script(took(9.0), took(0.2), took(0.3)), ["echo a"], RoundRules(runs=2, warmup=1))

    assert [each.wall_ns for each in series[0].rounds] == [200_000_000, 300_000_000]


@pytest.mark.parametrize(
    ("failure", "outcome", "reason"),
    [
        ({"exit_code": 2}, "failed", "exit code 2 in round 2"),
        ({"exit_code": None, "signal": 11}, "crashed", "killed by signal SIGSEGV in round 2"),
        ({"exit_code": None, "signal": 15, "timed_out": True}, "timeout", "took longer than --timeout 3 s"),
    ],
    ids=["code", "signal", "timeout"],
)
def test_failure_ends_a_command_and_no_other(failure: dict[str, Any], outcome: str, reason: str) -> None:
    runner = Script(took(0.1), took(0.1), took(0.1), took(0.1, **failure))

    (first, second), interrupted = measure(runner, ["echo a", "echo b"], RoundRules(runs=3, timeout_s=3.0))

    assert (first.outcome, first.reason, len(first.rounds)) == (outcome, reason, 1)
    assert (second.outcome, len(second.rounds)) == ("passed", 3)
    assert not interrupted


def test_failure_in_the_warm_up_is_a_failure() -> None:
    (only,), _ = measure(Script(took(0.1, exit_code=1)), ["echo a"], RoundRules(runs=3, warmup=1))

    assert (only.outcome, only.reason, only.rounds) == ("failed", "exit code 1 in its warm-up", [])


def test_accepted_exit_codes_are_kept_but_not_signals() -> None:
    rules = RoundRules(runs=2, accept_failures=True)

    (accepted,), _ = measure(Script(took(0.1, exit_code=3)), ["echo a"], rules)
    (killed,), _ = measure(Script(took(0.1, exit_code=None, signal=9)), ["echo a"], rules)

    assert (accepted.outcome, [each.exit_code for each in accepted.rounds]) == ("passed", [3, 0])
    assert killed.outcome == "crashed"


@pytest.mark.parametrize("name", ["setup", "prepare", "conclude"])
def test_what_fails_around_a_command_ends_it(name: str) -> None:
    (only,), _ = measure(Script(), ["echo a"], RoundRules(runs=3), hooks={name: ("exit 4",)})

    assert (only.outcome, only.reason) == ("error", f"--{name} 'exit 4' ended with exit code 4")


def test_interrupt_keeps_the_rounds_and_cleans_up(tmp_path: Path) -> None:
    runner = Script(took(0.1), took(0.1), KeyboardInterrupt)

    (only,), interrupted = measure(
        runner, ["echo a"], RoundRules(runs=5), hooks={"cleanup": (f"touch {tmp_path / 'clean'}",)}
    )

    assert interrupted
    assert (only.outcome, len(only.rounds)) == ("passed", 2)
    assert (tmp_path / "clean").exists()


def test_program_that_a_setup_should_have_built_is_missing_afterwards() -> None:
    (only,), _ = measure(Script(), ["./not-built"], RoundRules(runs=2), hooks={"setup": (":",)})

    assert only.outcome == "error"
    assert only.reason is not None
    assert only.reason.startswith("./not-built: no such program")


@pytest.mark.parametrize(
    ("first_s", "changes", "expected"),
    [
        (0.1, {}, 30),
        (0.001, {"max_runs": 50}, 50),
        (60.0, {}, 10),
        (60.0, {"min_runs": 3}, 3),
        (0.1, {"runs": 7}, 7),
        (0.1, {"min_time_s": 0.0}, 10),
        (0.0, {}, 100_000),
    ],
)
def test_number_of_rounds(first_s: float, changes: dict[str, Any], expected: int) -> None:
    assert RoundRules(**changes).rounds_for(first_s) == expected


def test_next_in_turn_ends_when_all_have_their_rounds() -> None:
    assert next_in_turn([3, 2], [3, 2]) is None
    assert next_in_turn([3, 1], [3, 2]) == 1


def test_a_single_command_takes_no_turns() -> None:
    assert not takes_turns(read_commands(CommandRequest(texts=("echo a",))), RoundRules())
