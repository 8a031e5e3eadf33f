"""Runs commands in turns until each has its rounds, with what its user wants to run around them."""

import math
import os
import shutil
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytest_benchdb.errors import ConfigError, MeasurementError
from pytest_benchdb.measure.command.runner import CommandCall, CommandRound, Runner
from pytest_benchdb.model.run import Outcome
from pytest_benchdb.operations.adhoc.commands import Command, find_program, missing_program

USUAL_ROUNDS, USUAL_TIME_S = 10, 3.0
"""Fewest rounds of a command, and the least time that they take together."""
_STARTUP_ROUNDS = 20
MOST_ROUNDS = 100_000
_STDERR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRules:
    """How often and how commands run.

    Attributes:
        runs: rounds of each command; None for as many as the next three say.
        warmup: rounds before those, which are not kept.
        in_turns: whether the rounds of several commands take turns, where nothing is set up for one of them.
        accept_failures: whether a command may exit with another code than 0.
        timeout_s: after how long a round is ended; None for no limit.
        input: file for the standard input of each round.
        output: file for the standard output; None shows the output of the commands.
    """

    runs: int | None = None
    min_runs: int = USUAL_ROUNDS
    max_runs: int | None = None
    min_time_s: float = USUAL_TIME_S
    warmup: int = 0
    in_turns: bool = True
    accept_failures: bool = False
    timeout_s: float | None = None
    input: str = os.devnull
    output: str | None = os.devnull

    def rounds_for(self, first_s: float) -> int:
        """Return how many rounds a command gets whose first took this long, that one included.

        >>> RoundRules().rounds_for(0.1), RoundRules().rounds_for(2.0), RoundRules(runs=5).rounds_for(2.0)
        (30, 10, 5)
        """
        if self.runs is not None:
            return self.runs
        by_time = math.ceil(min(self.min_time_s / max(first_s, 1e-6), MOST_ROUNDS))
        return min(max(by_time, self.min_runs), self.max_runs or MOST_ROUNDS)


@dataclass(slots=True, kw_only=True)
class Measured:
    """A command and what was measured of it so far.

    Attributes:
        target: how many rounds it gets; None before the first.
        outcome: what it comes to if nothing else happens to it.
        reason: why it did not pass.
        began_unix_us: when its first round, warm-up included, began; None before.
    """

    command: Command
    rounds: list[CommandRound] = field(default_factory=list)
    target: int | None = None
    outcome: Outcome = "passed"
    reason: str | None = None
    began_unix_us: int | None = None
    call: CommandCall | None = None

    @property
    def is_open(self) -> bool:
        """Whether it needs more rounds."""
        return self.outcome == "passed" and (self.target is None or len(self.rounds) < self.target)

    def fail(self, outcome: Outcome, reason: str) -> None:
        """End its measurement."""
        self.outcome, self.reason = outcome, reason


Tell = Callable[[Sequence[Measured], Measured], None]
"""Is called with all commands and the one that is next, between rounds."""


def next_in_turn(done: Sequence[int], targets: Sequence[int]) -> int | None:
    """Return which command is next: the one whose share of its rounds is smallest; None if all have theirs.

    Commands with as many rounds take turns as A, B, B, A, A, B: what disturbs the machine disturbs both, and none
    always follows the same one.

    >>> next_in_turn([0, 0], [5, 5]), next_in_turn([1, 0], [5, 5]), next_in_turn([1, 1], [5, 5])
    (0, 1, 1)
    """
    waiting = [at for at, target in enumerate(targets) if done[at] < target]
    if not waiting:
        return None
    return min(waiting, key=lambda at: (done[at] / targets[at], at if done[at] % 2 == 0 else -at))


def measure_commands(
    series: Sequence[Measured], rules: RoundRules, runner: Runner, now_us: Callable[[], int], tell: Tell
) -> bool:
    """Measure commands, and return whether Ctrl-C ended it; then each has the rounds it had.

    Args:
        series: the commands; what is measured is added to them.
        rules: how often and how they run.
        runner: runs them.
        now_us: the time of day.
        tell: is called between rounds.
    """
    in_turns = takes_turns([each.command for each in series], rules)
    groups = [list(series)] if in_turns else [[each] for each in series]
    work = _Work(rules, runner, now_us, tell, series)
    try:
        for group in groups:
            work.measure(group)
    except KeyboardInterrupt:
        return True
    return False


def takes_turns(commands: Sequence[Command], rules: RoundRules) -> bool:
    """Return whether the rounds of these commands take turns: what is set up for one could not stay for another."""
    return rules.in_turns and len(commands) > 1 and not any({"setup", "cleanup"} & set(each.hooks) for each in commands)


def startup_of(shell: Sequence[str], runner: Runner) -> float:
    """Return the time in seconds in which a shell starts and does nothing: the median of some rounds.

    Raises:
        ConfigError: it does not take ``-c``.
    """
    call = _call_of((shutil.which(shell[0]) or shell[0], *shell[1:], "-c", ""), RoundRules())
    rounds = [runner.run(call) for _ in range(_STARTUP_ROUNDS)]
    if any(each.failure for each in rounds):
        raise ConfigError(f"--shell {' '.join(shell)}: cannot run a command given with -c ({rounds[0].failure})")
    return statistics.median(each.wall_ns for each in rounds) / 1e9


class _Work:
    """Measures groups of commands."""

    def __init__(
        self, rules: RoundRules, runner: Runner, now_us: Callable[[], int], tell: Tell, series: Sequence[Measured]
    ) -> None:
        self._rules = rules
        self._runner = runner
        self._now_us = now_us
        self._tell = tell
        self._series = series

    def measure(self, group: Sequence[Measured]) -> None:
        """Measure commands in turns."""
        try:
            for each in group:
                self._hook(each, "setup")
            for turn in range(self._rules.warmup):
                for each in group if turn % 2 == 0 else reversed(group):
                    if each.is_open:
                        self._round(each)
            self._rounds(group)
        finally:
            for each in group:
                self._hook(each, "cleanup")

    def _rounds(self, group: Sequence[Measured]) -> None:
        while open_ones := [each for each in group if each.is_open]:
            # How many rounds a command needs is not known before its first.
            at = next_in_turn([len(each.rounds) for each in open_ones], [each.target or 1 for each in open_ones])
            each = open_ones[at or 0]
            measured = self._round(each)
            if measured is not None:
                each.rounds.append(measured)
                each.target = each.target or self._rules.rounds_for(measured.wall_ns / 1e9)

    def _round(self, each: Measured) -> CommandRound | None:
        """Run a command once, with what runs before and after; None if it failed."""
        each.began_unix_us = each.began_unix_us or self._now_us()
        self._tell(self._series, each)
        if not self._hook(each, "prepare") or (call := self._call(each)) is None:
            return None
        try:
            measured = self._runner.run(call)
        except MeasurementError as error:
            each.fail("error", str(error))
            return None
        kept = measured if self._accepts(each, measured) else None
        return kept if self._hook(each, "conclude") else None

    def _accepts(self, each: Measured, measured: CommandRound) -> bool:
        failure = measured.failure
        if failure is None or (self._rules.accept_failures and measured.exit_code):
            return True
        if measured.timed_out:
            each.fail("timeout", f"took longer than --timeout {self._rules.timeout_s:g} s")
        else:
            where = f"round {len(each.rounds) + 1}" if each.rounds or not self._rules.warmup else "its warm-up"
            each.fail("failed" if measured.signal is None else "crashed", f"{failure} in {where}")
        return False

    def _call(self, each: Measured) -> CommandCall | None:
        if each.call is None:
            path = find_program(each.command)
            if path is None:
                each.fail("error", missing_program(each.command))
                return None
            each.call = _call_of((path, *each.command.argv[1:]), self._rules)
        return each.call

    def _hook(self, each: Measured, name: str) -> bool:
        """Run what the user wants to run around a command; return whether it did not fail."""
        text = each.command.hooks.get(name)
        if text is None or (not each.is_open and name == "prepare"):
            return True
        shown = _STDERR if self._rules.output is None else subprocess.DEVNULL
        done = subprocess.run(  # noqa: S602 - it is the user's own command line
            text, shell=True, stdin=subprocess.DEVNULL, stdout=shown, stderr=shown, check=False
        )
        if done.returncode:
            if each.outcome == "passed":
                each.fail("error", f"--{name} {text!r} ended with exit code {done.returncode}")
            return False
        return True


def _call_of(argv: Sequence[str], rules: RoundRules) -> CommandCall:
    return CommandCall(argv=tuple(argv), input=rules.input, output=rules.output, timeout_s=rules.timeout_s)
