"""`benchdb backfill`: record the benchmarks of past commits into the history."""

import os
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call
from pytest_benchdb.cli.frame.failure import ended_like_an_interrupt
from pytest_benchdb.cli.frame.options import CommandWithProgram, passthrough_args
from pytest_benchdb.cli.frame.output import Output, command_feedback, write_table
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.backfill.run import BackfillPlan, BackfillRequest, Progress, plan_backfill, run_backfill
from pytest_benchdb.operations.commits.checkout import SHORT, Origin, find_benchmark_files, find_origin
from pytest_benchdb.operations.commits.record import CommitSuite
from pytest_benchdb.operations.pytest_run import split_command

BACKFILL_SCHEMA = "benchdb.backfill/1"

_PASSES = 2
_EXAMPLE = "benchdb backfill HEAD~20.. -- pytest tests/bench"
_COLUMNS = ("commit", "date", "subject", "recorded", "to_do", "failure")
_SUBJECT = 40
_MINUTE_S = 60
_STEP = re.compile(r"(\d{1,5})\s*([hdw])")
_STEP_S = {"h": 3600, "d": 86_400, "w": 604_800}

_HELP = f"""Record the benchmarks of past commits into the history, as if each had been recorded in its day.

RANGE is A..B for the commits of B that A lacks (A.. up to HEAD), a glob of tags such as 'v1.*', or one commit. Of a
merge only the merge commit counts, not the commits that it brought in, unless --all-parents is given. What the history
has already, from this machine and Python and with the same benchmarks, is not recorded again.

Each commit is checked out into a folder of its own, which is removed in the end; your checkout is not touched and may
have changes. The commit's src and top folder go first on Python's path, and a commit that imports other code than its
own ends the backfill. --setup makes an environment for each set of dependencies instead of using this Python; --build
runs in each checkout.

The order is spread over the range, and each second pass goes the way back, so that a drift of the machine does not
become a trend. Ctrl-C keeps what was recorded; the same command goes on. Sessions count from the time of their commit:
`benchdb trend` and the gate put them there.

Example: {_EXAMPLE}
"""


@click.command(
    "backfill",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
    options_metavar="[OPTIONS]",
)
@click.argument("range_", metavar="RANGE", required=False)
@click.option("--every", metavar="N", type=click.IntRange(min=1), default=1, help="Only each N-th commit.")
@click.option(
    "--tags", metavar="[GLOB]", is_flag=False, flag_value="*", help="Only commits with a tag, or one that matches GLOB."
)
@click.option("--step-dates", metavar="SPAN", help="At most one commit in this time: 12h, 7d, 4w.")
@click.option(
    "--around-changes",
    is_flag=True,
    help="Only the commits between the two sides of each change that `benchdb trend` finds.",
)
@click.option("--all-parents", is_flag=True, help="Also the commits that merges brought in.")
@click.option(
    "--passes", metavar="N", type=click.IntRange(1, 20), default=_PASSES, help=f"Sessions of each commit [{_PASSES}]."
)
@click.option(
    "--setup",
    metavar="COMMAND",
    help="Make an environment in $BENCHDB_ENV for the checkout $BENCHDB_CHECKOUT of $BENCHDB_COMMIT, in a shell; "
    "commits with the same dependency files share it.",
)
@click.option("--build", metavar="COMMAND", help="Run in each checkout before its benchmarks, with the same variables.")
@click.option(
    "--benchmarks-from",
    metavar="COMMIT",
    help="Use the files of benchmarks that this commit has, at every commit: HEAD.",
)
@click.option(
    "--pythonpath",
    metavar="DIR",
    multiple=True,
    help="Folder of each checkout that Python looks into first, relative to the working folder. May be repeated.",
)
@click.option("--retry-failed", is_flag=True, help="Try commits again that failed before.")
@click.option("--dry-run", is_flag=True, help="Show what would be recorded, and record nothing.")
@options.database_option
@options.format_option()
@options.output_option
@options.display_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> None:
    """Plan, record and show."""
    call = Call(params)
    output = call.output
    words = passthrough_args(context)
    origin = find_origin(Path.cwd(), os.environ)
    with ended_like_an_interrupt(), command_feedback(output, "Reading new sessions") as feedback:
        plan = plan_backfill(_request(params, words or (), call.database, origin), origin, feedback)
    output.say(_summary(plan))
    if params["dry_run"]:
        write_table(_plan_table(plan, params["passes"]), output)
        return
    if plan.turns:
        _record(plan, output)
        output.say(f"see the levels with: benchdb trend --db {shlex.quote(str(plan.suite.database))}")


def _record(plan: BackfillPlan, output: Output) -> None:
    failed = 0

    def watch(progress: Progress) -> None:
        nonlocal failed
        failed += progress.recorded.failure is not None
        output.say(_run_text(progress))

    try:
        with ended_like_an_interrupt(), command_feedback(output, "Reading new sessions") as feedback:
            results = run_backfill(plan, watch, feedback)
    except KeyboardInterrupt:
        output.say("interrupted: what was recorded is kept, the checkouts are removed; the same command goes on")
        raise
    recorded = len(results) - failed
    more = f", {counted(failed, 'commit')} failed (--retry-failed tries again)" if failed else ""
    output.say(f"recorded {counted(recorded, 'session')} in {plan.suite.database}{more}")


def _summary(plan: BackfillPlan) -> str:
    failed = sum(one.failure is not None for one in plan.commits)
    there = sum(one.recorded > 0 for one in plan.commits)
    parts = [f"{counted(len(plan.commits), 'commit')}: {counted(len(plan.turns), 'run')} to do"]
    parts += [f"{there} recorded before"] if there else []
    parts += [f"{failed} failed before (benchdb exclude --list says why)"] if failed else []
    return ", ".join(parts)


def _run_text(progress: Progress) -> str:
    """Return one line about a run: its place, its commit, what came of it, and how long the rest takes."""
    recorded, commit = progress.recorded, progress.turn.planned.commit
    runs = sum(session.runs for session in recorded.sessions)
    what = (
        f"failed: {recorded.failure.text}"
        if recorded.failure
        else "; ".join((counted(runs, "benchmark"), *recorded.notes))
    )
    left = f"; about {_span(progress.left_s)} left" if progress.left_s else ""
    subject = f" ({commit.subject[:_SUBJECT]})" if commit.subject else ""
    return f"{progress.done} of {progress.total}: {commit.sha[:SHORT]}{subject}: {what}{left}"


def _span(seconds: float) -> str:
    """Return a rough length of time."""
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    minutes = round(seconds / _MINUTE_S)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


def _plan_table(plan: BackfillPlan, passes: int) -> DataTable:
    """Return the commits, newest first, with the number of their sessions that are there and that are to do."""
    missing = Counter(turn.planned.commit.sha for turn in plan.turns)
    rows = [
        (
            one.commit.sha[:SHORT],
            one.commit.authored_at,
            one.commit.subject,
            one.recorded,
            missing[one.commit.sha],
            one.failure,
        )
        for one in reversed(plan.commits)
    ]
    return DataTable(schema=BACKFILL_SCHEMA, columns=_COLUMNS, rows=rows, facts={"passes": passes})


def _request(params: Mapping[str, Any], words: Sequence[str], database: Path, origin: Origin) -> BackfillRequest:
    program, arguments = split_command(words, _EXAMPLE)
    range_, tags = params["range_"], params["tags"]
    if range_ is None and tags is not None and ".." in tags:
        range_, tags = tags, "*"  # `--tags A..B`: an option whose value may be left out takes the next word
    source = params["benchmarks_from"]
    suite = CommitSuite(
        program=program,
        arguments=arguments,
        database=database,
        pythonpath=tuple(params["pythonpath"]),
        setup=params["setup"],
        build=params["build"],
        files=None if source is None else find_benchmark_files(origin, source, arguments),
    )
    return BackfillRequest(
        range=range_,
        suite=suite,
        every=params["every"],
        tags=tags,
        step_s=_step_s(params["step_dates"]),
        around_changes=params["around_changes"],
        all_parents=params["all_parents"],
        passes=params["passes"],
        retry_failed=params["retry_failed"],
    )


def _step_s(text: str | None) -> float | None:
    if text is None:
        return None
    match = _STEP.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"--step-dates {text!r}: give a span such as 12h, 7d or 4w")
    return float(int(match[1]) * _STEP_S[match[2]])
