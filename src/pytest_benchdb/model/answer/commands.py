"""The commands that `benchdb run` measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.model.run import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A command and its rounds; sequences have one entry per round, in run order, warm-up excluded.

    Attributes:
        name: as the table shows it.
        reason: why it did not pass; None if it did.
        peak_bytes: the largest peak of all rounds; None if it is not known.
        memory_reason: why the peak is not known.
        exit_codes: of each round; None for one that a signal ended.
        planned: number of rounds that were wanted; more than there are if it failed or was interrupted.
        shell: the shell that ran it; None if none did.
        notes: what makes its times doubtful, each a sentence about "it".
    """

    name: str
    outcome: Outcome
    reason: str | None
    wall_s: Sequence[float]
    user_s: Sequence[float]
    system_s: Sequence[float]
    peak_bytes: int | None
    memory_reason: str | None
    exit_codes: Sequence[int | None]
    planned: int
    shell: str | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResults:
    """What one `benchdb run` measured.

    Attributes:
        commands: in the order in which they were given.
        in_turns: whether the rounds of the commands took turns.
        shell_startup_s: the time in which their shell starts and does nothing, which is part of their times; None if no
            shell was used.
        interrupted: whether Ctrl-C ended the measurement.
    """

    commands: tuple[CommandResult, ...]
    in_turns: bool
    shell_startup_s: float | None = None
    interrupted: bool = False

    @property
    def failed(self) -> bool:
        """Whether a command failed."""
        return any(command.outcome != "passed" for command in self.commands)
