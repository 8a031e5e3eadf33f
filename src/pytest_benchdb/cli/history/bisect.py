"""`benchdb bisect`: find the commit that changed a benchmark."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_metrics
from pytest_benchdb.cli.frame.failure import ended_like_an_interrupt
from pytest_benchdb.cli.frame.options import CommandWithProgram, parse_share, passthrough_args
from pytest_benchdb.cli.frame.output import Output, make_output
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.answer.bisection import Bisection
from pytest_benchdb.operations.bisect.from_trend import find_change
from pytest_benchdb.operations.bisect.plan import COUNTED, BisectRequest, passes_for
from pytest_benchdb.operations.bisect.run import bisect
from pytest_benchdb.operations.commits.checkout import find_benchmark_files, find_origin
from pytest_benchdb.operations.commits.record import CommitSuite
from pytest_benchdb.operations.duet.recorded import recorded_words
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.pytest_run import split_command
from pytest_benchdb.operations.select.selection import path_exists
from pytest_benchdb.operations.select.spec.syntax import home_path
from pytest_benchdb.present.history.bisection import (
    bisection_json,
    bisection_lines,
    bisection_markdown,
    explain_command,
)

BISECT_DB = ".benchdb-bisect"
"""Apart from the history, whose newest sessions should be of the newest commits."""

_FORMATS = ("table", "md", "json")
_EXAMPLE = "benchdb bisect v1.2 main -- pytest tests/bench -k parse"
_STEPS, _SESSIONS, _CONFIDENCE = 14, 3, 95.0
_MOST_CONFIDENCE = 99.99

_STATUSES = {
    "found": exit_status.FINE,
    "range": exit_status.UNDECIDED,
    "undecided": exit_status.UNDECIDED,
    "unchanged": exit_status.NO_BASELINE,
}

_HELP = f"""Find the commit after GOOD, up to BAD, that changed a benchmark.

Both ends are measured first: if they do not differ, there is nothing to find. Each step then measures the commit that
splits the probability best, in turn with both ends, so that a machine that drifts shifts all of them alike. The search
ends when one commit has the --confidence, or after --max-steps. A metric that repeats exactly, such as python_peak or
instructions, needs one run for each step.

Commits are checked out into folders of their own, which are removed in the end. A commit that cannot be built or lacks
the benchmark is passed over; if the culprit may be one of those, the answer is a range. Of merges the first parent is
followed; if a merge is the culprit, its branch is searched.

Sessions go to {BISECT_DB}, and those of the history count as well. After Ctrl-C, or with more steps, the same command
goes on where it ended.

The exit status is 0 if one commit was found, 3 if the ends do not differ, and 4 if several commits are left.

Example: {_EXAMPLE}
"""


@click.command(
    "bisect",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
    options_metavar="[OPTIONS]",
)
@click.argument("good", required=False)
@click.argument("bad", required=False)
@click.option(
    "--from-trend",
    metavar="[BENCHMARK]",
    is_flag=False,
    flag_value="",
    help="Take both ends from the latest change of level in the history, of benchmarks that match.",
)
@click.option("-k", "keyword", metavar="EXPR", help="Benchmarks to follow, as with pytest: -k 'parse and not slow'.")
@click.option(
    "--metric", metavar="NAME", default="time", shell_complete=complete_metrics, help="Metric to follow [time]."
)
@click.option(
    "--threshold", metavar="PERCENT", help="Smallest change that counts: 5%. Default: that of the metric, 3% of times."
)
@click.option("--confidence", metavar="PERCENT", default=f"{_CONFIDENCE:g}%", help=f"When to stop [{_CONFIDENCE:g}%].")
@click.option(
    "--max-steps", metavar="N", type=click.IntRange(min=1), default=_STEPS, help=f"Most steps to make [{_STEPS}]."
)
@click.option(
    "--sessions",
    metavar="N",
    type=click.IntRange(min=1),
    default=_SESSIONS,
    help=f"Sessions of each commit in a step [{_SESSIONS}].",
)
@click.option(
    "--setup", metavar="CMD", help="Command that makes an environment in $BENCHDB_ENV for a set of dependencies."
)
@click.option("--build", metavar="CMD", help="Command to run in each checkout before its benchmarks.")
@click.option("--benchmarks-from", metavar="REF", help="Measure this commit's benchmark files at every commit.")
@click.option(
    "--pythonpath",
    metavar="DIR",
    multiple=True,
    help="Folder of each commit that Python looks into first, relative to the working folder: src. May be repeated.",
)
@click.option("--no-into-merge", is_flag=True, help="Do not search the branch of a merge that is the culprit.")
@click.option(
    "--record", metavar="PATH", default=BISECT_DB, help=f"Folder or .duckdb file to record into [{BISECT_DB}]."
)
@options.database_option
@options.format_option(_FORMATS)
@options.output_option
@options.display_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> int:
    """Search and show."""
    output = make_output(params, formats=_FORMATS)
    history = find_db(params["db"], Path.cwd())
    request = _request(params, passthrough_args(context), history, output)
    feedback = Feedback(warn=output.say)
    with ended_like_an_interrupt():
        try:
            answer = bisect(request, Path.cwd(), os.environ, feedback)
        except KeyboardInterrupt:
            output.say(f"the sessions so far are in {request.suite.database}; the same command goes on from there")
            raise
    _write(_explained(answer, request), output)
    return _STATUSES[answer.outcome]


def _request(params: Mapping[str, Any], words: Sequence[str] | None, history: Path, output: Output) -> BisectRequest:
    """Return the search that the options describe."""
    good, bad, metric, keyword, fullname = params["good"], params["bad"], params["metric"], params["keyword"], None
    if params["from_trend"] is not None:
        if good is not None:
            raise ConfigError("--from-trend finds both ends itself; leave GOOD and BAD out, or leave --from-trend out")
        found = find_change(history, metric, params["from_trend"] or keyword, Path.cwd(), os.environ)
        output.say(found.text)
        good, bad, metric, fullname = found.good, found.bad, found.metric, found.fullname
    elif good is not None and bad is None and ".." in good:
        good, _, bad = good.partition("..")
    if not good or not bad:
        raise ConfigError(f"name GOOD and BAD, for example: {_EXAMPLE}; or --from-trend takes them from the history")
    if words is None:
        words = recorded_words(history, Path.cwd(), _EXAMPLE)
        output.say(f"running as recorded: {shlex.join(words)}")
    program, arguments = split_command(words, _EXAMPLE)
    files = None
    if params["benchmarks_from"] is not None:
        files = find_benchmark_files(find_origin(Path.cwd(), os.environ), params["benchmarks_from"], arguments)
    return BisectRequest(
        good=good,
        bad=bad,
        suite=CommitSuite(
            program=program,
            arguments=passes_for(metric, arguments),
            database=home_path(params["record"]),
            pythonpath=tuple(params["pythonpath"]),
            setup=params["setup"],
            build=params["build"],
            files=files,
            counts=metric in COUNTED,
            cache=metric in COUNTED - {"instructions"},
        ),
        metric=metric,
        keyword=keyword,
        fullname=fullname,
        history=history if path_exists(history) else None,
        share=parse_share(params["threshold"], "--threshold") if params["threshold"] else None,
        confidence=_confidence(params["confidence"]),
        most_steps=params["max_steps"],
        sessions=params["sessions"],
        into_merges=not params["no_into_merge"],
    )


def _confidence(text: str) -> float:
    share = parse_share(text, "--confidence")
    if not 0.5 < share <= _MOST_CONFIDENCE / 100:  # noqa: PLR2004 - less than even odds is not confidence
        raise ConfigError(f"--confidence {text}: give a percentage above 50 and up to {_MOST_CONFIDENCE}")
    return share


def _explained(answer: Bisection, request: BisectRequest) -> Bisection:
    arguments = shlex.join([*request.suite.program, *request.suite.arguments])
    return replace(answer, explain=explain_command(answer, arguments))


def _write(answer: Bisection, output: Output) -> None:
    if output.format == "json":
        output.text(bisection_json(answer))
    elif output.format == "md":
        output.text(bisection_markdown(answer))
    else:
        output.lines(bisection_lines(answer, output.width))
