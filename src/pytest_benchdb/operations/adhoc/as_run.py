"""A measured command as the benchmark and the run to store, and as the result to show."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pytest_benchdb.measure.command.remarks import remarks_on
from pytest_benchdb.measure.command.runner import CommandRound
from pytest_benchdb.measure.timing.stability import instability
from pytest_benchdb.model.answer.commands import CommandResult
from pytest_benchdb.model.benchmark import COMMAND_FILE, Benchmark, Labels
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.run import Measurement, Run, Timing
from pytest_benchdb.operations.adhoc.commands import Command, masked
from pytest_benchdb.operations.adhoc.measure import Measured, RoundRules

_CLOCK = "posix_spawn to wait4, perf_counter_ns"
_USAGE = "wait4: of the command and all descendants that were waited for"
_PEAK = "wait4: the largest ru_maxrss of the command and the descendants that were waited for"
_MIB = 1 << 20


def full_name(command: Command) -> str:
    """Return the full name of a command's benchmark."""
    return f"{COMMAND_FILE}::{command.full_name}"


def benchmark_of(command: Command, project: str) -> Benchmark:
    """Return the benchmark of a command; another command under the same name has another `code_hash`."""
    return Benchmark(
        benchmark_id=content_id("benchmark", project, full_name(command)),
        project=project,
        fullname=full_name(command),
        file=COMMAND_FILE,
        class_name=None,
        function=command.name,
        name=command.full_name,
        group_name=None,
        params=command.params or None,
        param_id=command.param_id,
        code_hash=content_id("command", command.shell, command.template).replace("-", ""),
    )


def run_of(
    measured: Measured, benchmark: Benchmark, rules: RoundRules, *, run_id: str, facts: Mapping[str, object]
) -> Run:
    """Return the run of a command; `facts` are stored with it."""
    command, rounds = measured.command, measured.rounds
    around = {name: masked(text) for name, text in command.hooks.items()}
    return Run(
        run_id=run_id,
        benchmark=benchmark,
        labels=Labels(),
        outcome=measured.outcome,
        reason=measured.reason,
        started_unix_us=measured.began_unix_us or 0,
        duration_s=sum(each.wall_ns for each in rounds) / 1e9 if rounds else None,
        timing=_timing(measured, rules),
        extra_info={"command": command.template, "exit_codes": exit_codes(rounds), **around, **facts},
    )


def exit_codes(rounds: Sequence[CommandRound]) -> dict[str, int]:
    """Return how many rounds ended with each exit code; those that a signal ended have none."""
    return dict(Counter(str(each.exit_code) for each in rounds if each.exit_code is not None))


def _timing(measured: Measured, rules: RoundRules) -> Timing:
    rounds = measured.rounds
    invalid = None if measured.outcome == "passed" else f"the command did not pass: {measured.outcome}"
    if not rounds:
        return Timing.missing(invalid or "it has no rounds")
    wall_ns = [each.wall_ns for each in rounds]
    details = {"notes": _notes(measured, rules), "unstable": instability(wall_ns)}
    rows = (
        Measurement.of("wall_time", round_ns=wall_ns, method=_CLOCK, details=details),
        Measurement.of("cpu_time", samples=[each.cpu_s for each in rounds], method=_USAGE),
        Measurement.of("user_time", samples=[each.user_s for each in rounds], method=_USAGE),
        Measurement.of("system_time", samples=[each.system_s for each in rounds], method=_USAGE),
        _peak(rounds),
        # The clocks side by side, for what judges whether a command waits or computes.
        Measurement.of("block_wall_time", value=sum(wall_ns) / 1e9, method=_CLOCK),
        Measurement.of("block_cpu_time", value=sum(each.cpu_s for each in rounds), method=_USAGE),
    )
    return Timing(
        measurements=rows,
        iterations=1,
        rounds=len(rounds),
        warmup_rounds=rules.warmup,
        calls=len(rounds) + rules.warmup,
        timer="time.perf_counter_ns",
        invalid=invalid,
        provenance="measured",
    )


def _peak(rounds: Sequence[CommandRound]) -> Measurement:
    reason = memory_reason(rounds)
    if reason is not None:
        return Measurement.of("command_peak", method=_PEAK, reason=reason, valid=False)
    return Measurement.of("command_peak", samples=[float(each.peak_bytes or 0) for each in rounds], method=_PEAK)


def memory_reason(rounds: Sequence[CommandRound]) -> str | None:
    """Return why the peak memory of a command is not known; None if it is known of every round."""
    floor = max((each.floor_bytes or 0 for each in rounds if each.peak_bytes is None), default=None)
    if floor is None:
        return None
    return f"no more than the {floor / _MIB:.0f} MiB of the process that started it, which the system counts as its own"


def result_of(measured: Measured, rules: RoundRules) -> CommandResult:
    """Return a command as the table shows it."""
    rounds = measured.rounds
    reason = memory_reason(rounds) if rounds else None
    return CommandResult(
        name=measured.command.shown,
        outcome=measured.outcome,
        reason=measured.reason,
        wall_s=[each.wall_ns / 1e9 for each in rounds],
        user_s=[each.user_s for each in rounds],
        system_s=[each.system_s for each in rounds],
        peak_bytes=max(each.peak_bytes or 0 for each in rounds) if rounds and reason is None else None,
        memory_reason=reason,
        exit_codes=[each.exit_code for each in rounds],
        shell=measured.command.shell,
        planned=measured.target or len(rounds),
        notes=_notes(measured, rules),
    )


def _notes(measured: Measured, rules: RoundRules) -> list[str]:
    rounds = measured.rounds
    notes = remarks_on([each.wall_ns / 1e9 for each in rounds], warmup=rules.warmup)
    failed = {code: count for code, count in exit_codes(rounds).items() if code != "0"}
    if failed:
        codes = ", ".join(f"{code} in {count} of {len(rounds)}" for code, count in failed.items())
        notes.append(f"it exited with {codes} rounds, which --ignore-failure accepts")
    if measured.target is not None and len(rounds) < measured.target and measured.outcome == "passed":
        notes.append(f"interrupted after {len(rounds)} of {measured.target} rounds")
    return notes
