"""`benchdb run`: time command lines, and record them like any benchmark."""

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.cli.frame.failure import ended_like_an_interrupt
from pytest_benchdb.cli.frame.options import CommandWithProgram, all_args, parse_tag, passthrough_args
from pytest_benchdb.cli.frame.output import Bar, Output, make_output, progress_bar
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.operations.adhoc.commands import AUTO, CommandRequest
from pytest_benchdb.operations.adhoc.measure import USUAL_ROUNDS, USUAL_TIME_S, Measured, RoundRules
from pytest_benchdb.operations.adhoc.record import AdhocOutcome, AdhocRequest, run_commands
from pytest_benchdb.operations.pytest_run import read_assignment
from pytest_benchdb.operations.read.report import build_report
from pytest_benchdb.operations.select.selection import make_selection
from pytest_benchdb.present.report.commands import command_lines
from pytest_benchdb.present.report.formats import report_text
from pytest_benchdb.present.writing.text import sanitize, shorten
from pytest_benchdb.present.writing.units import one_quantity

_FORMATS = ("table", "md", "html", "json", "csv")
_HOOKS = ("setup", "prepare", "conclude", "cleanup")
_DEVICES = {"null": os.devnull, "show": None}
_NAME = 30
_MOST_S = 1e7
_OTHER_TOOL = frozenset({"null", "pipe", "inherit"})

_HELP = f"""Time command lines, compare them, and record them like any benchmark.

A command runs at least {USUAL_ROUNDS} times and for {USUAL_TIME_S:g} s, unless --runs is given. Several commands
take turns (A, B, B, A), so that what disturbs the machine disturbs all of them; with --setup or --cleanup they run one
after another.

A command after -- is run as it is. One in quotes is split into words, and run by sh only if it has a shell's syntax
(a pipe, a variable, a pattern); then the time in which the shell starts is shown, and never subtracted.

Times are from the start of a process until it has ended; user and system time and peak memory are of the command and
of all descendants that it waited for. A command that exits with another code than 0, is killed or takes longer than
--timeout has failed, and has no times.

The exit status is 1 if a command failed. Names with -N keep a history: benchdb trend -k build, benchdb regress.

\b
Two commands, compared:  benchdb run 'grep -c x f' 'rg -c x f' -w 3
A parameter:             benchdb run -L level 1,6,9 'gzip -{{level}} -k -f data'

Example: benchdb run -N build --prepare 'make clean' -- make -j4
"""


def _hook(letter: str, name: str, text: str) -> Callable[[Any], Any]:
    return click.option(f"-{letter}", f"--{name}", metavar="CMD", multiple=True, help=text)


@click.command(
    "run",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
    options_metavar="[OPTIONS]",
)
@click.argument("commands", metavar="['CMD']... [-- CMD ARGS]", nargs=-1)
@click.option(
    "-N",
    "-n",
    "--name",
    "--command-name",
    "names",
    metavar="NAME",
    multiple=True,
    help="Name of the benchmark, for a history of its own; once for each command [its text].",
)
@click.option("-r", "--runs", metavar="N", type=click.IntRange(min=1), help="Rounds of each command.")
@click.option("-w", "--warmup", metavar="N", type=click.IntRange(min=0), default=0, help="Rounds before those [0].")
@click.option(
    "-m", "--min-runs", metavar="N", type=click.IntRange(min=1), default=None, help=f"Fewest rounds [{USUAL_ROUNDS}]."
)
@click.option("-M", "--max-runs", metavar="N", type=click.IntRange(min=1), help="Most rounds.")
@click.option(
    "--min-time",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help=f"Least time of all rounds together [{USUAL_TIME_S:g}].",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="End a round that takes longer.",
)
@_hook("s", "setup", "Run CMD once before the rounds of each command: a build.")
@_hook("p", "prepare", "Run CMD before each round, warm-up included, untimed.")
@_hook("C", "conclude", "Run CMD after each round, untimed.")
@_hook("c", "cleanup", "Run CMD once after the rounds of each command.")
@click.option(
    "-L",
    "--parameter-list",
    "lists",
    metavar="VAR A,B,C",
    nargs=2,
    multiple=True,
    help="Measure for each value what has {VAR} in it.",
)
@click.option(
    "-P",
    "--parameter-scan",
    "scans",
    metavar="VAR MIN MAX",
    nargs=3,
    multiple=True,
    help="Measure for each number from MIN to MAX.",
)
@click.option(
    "-D", "--parameter-step-size", "steps", metavar="STEP", multiple=True, help="Step of --parameter-scan [1]."
)
@click.option("-i", "--ignore-failure", is_flag=True, help="Accept other exit codes than 0, and record them.")
@click.option(
    "-S", "--shell", metavar="SHELL", default=AUTO, help="Run by this shell: default is sh, none never uses one [auto]."
)
@click.option("--input", metavar="FILE", shell_complete=complete_paths, help="Standard input [none].")
@click.option(
    "--stdout", metavar="FILE", default="null", shell_complete=complete_paths, help="Standard output: null, show, FILE."
)
@click.option("--show-output", is_flag=True, help="Show what the commands write, on standard error.")
@click.option("--sequential", is_flag=True, help="All rounds of a command before the next one, not in turns.")
@db_option("Folder or .duckdb file to record into. Default: [tool.benchdb] db of pyproject.toml, then .benchdb.")
@click.option("--project", metavar="NAME", help="Name of the project. Default: as with pytest --benchdb.")
@click.option("--label", metavar="TEXT", help="Label of the session.")
@click.option("--tag", "tags", metavar="K=V", multiple=True, help="Tag of the session; can be given several times.")
@click.option("--note", metavar="TEXT", help="A text that is kept with the session.")
@options.format_option(_FORMATS)
@options.output_option
@options.display_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> int:
    """Measure, store and show."""
    _refuse_other_meanings(params["output"])
    output = make_output(params, formats=_FORMATS)
    request = _request(params, context)
    with ended_like_an_interrupt(), progress_bar("Running", shown=output.progress, by_itself=False) as bar:
        outcome = run_commands(request, lambda series, turn: _tell(bar, series, turn))
    if request.only is None:
        _show(outcome, request.target, output)
    if outcome.problem is not None:
        click.echo(f"benchdb: {outcome.problem}", err=True)
    if outcome.results.interrupted:
        return exit_status.INTERRUPTED
    if outcome.stored is None or outcome.stored.status == "failed":
        return exit_status.DATABASE
    return exit_status.GATE_FAILED if outcome.results.failed else exit_status.FINE


def _refuse_other_meanings(output: str | None) -> None:
    """Refuse what other tools mean by ``--output``."""
    if output in _OTHER_TOOL:
        raise ConfigError(f"-o {output}: -o is the file for the results; --stdout is for what the commands write")


def _request(params: Mapping[str, Any], context: click.Context) -> AdhocRequest:
    words, again = passthrough_args(context), read_assignment(os.environ)
    commands = CommandRequest(
        texts=params["commands"],
        words=None if words is None else tuple(words),
        names=params["names"],
        lists=params["lists"],
        scans=params["scans"],
        steps=params["steps"],
        shell=params["shell"],
        hooks={name: params[name] for name in _HOOKS},
    )
    return AdhocRequest(
        commands=commands,
        rules=_rules(params),
        target=str(find_db(params["db"], Path.cwd())) if again is None else again.target,
        argv=["benchdb", "run", *all_args(context)],
        project=params["project"] or None,
        label=params["label"] or None,
        tags=dict(map(parse_tag, params["tags"])),
        note=params["note"] or None,
        only=None if again is None else again.names,
    )


def _rules(params: Mapping[str, Any]) -> RoundRules:
    least, most = params["min_runs"] or USUAL_ROUNDS, params["max_runs"]
    if most is not None and params["min_runs"] is not None and most < least:
        raise ConfigError(f"--max-runs {most} is less than --min-runs {least}")
    if params["runs"] is not None and (params["min_runs"] or most or params["min_time"] is not None):
        raise ConfigError("--runs is the exact number of rounds; leave out --min-runs, --max-runs and --min-time")
    for option in ("min_time", "timeout"):
        if params[option] is not None and not params[option] < _MOST_S:
            raise ConfigError(
                f"--{option.replace('_', '-')} {params[option]:g}: give fewer than {_MOST_S:,.0f} seconds"
            )
    return RoundRules(
        runs=params["runs"],
        warmup=params["warmup"],
        min_runs=least if most is None else min(least, most),
        max_runs=most,
        min_time_s=USUAL_TIME_S if params["min_time"] is None else params["min_time"],
        in_turns=not params["sequential"],
        accept_failures=params["ignore_failure"],
        timeout_s=params["timeout"],
        input=params["input"] or os.devnull,
        output=None if params["show_output"] else _DEVICES.get(params["stdout"], params["stdout"]),
    )


def _tell(bar: Bar | None, series: Sequence[Measured], turn: Measured) -> None:
    """Show how far it is, and the current estimate of the command that is next."""
    if bar is None:
        return
    wall_s = [each.wall_ns / 1e9 for each in turn.rounds]
    estimate = f" {one_quantity(statistics.fmean(wall_s), 's')}" if wall_s else ""
    bar.describe(f"{shorten(sanitize(turn.command.shown), _NAME)}{estimate}")
    bar(sum(len(each.rounds) for each in series), sum(each.target or USUAL_ROUNDS for each in series))


def _show(outcome: AdhocOutcome, target: str, output: Output) -> None:
    if output.format == "table":
        output.lines(command_lines(outcome.results, output.width, ascii_only=output.ascii_only, verbose=output.verbose))
    elif outcome.stored is not None and outcome.stored.status != "failed":
        selection = make_selection([str(outcome.stored.path), f"session:{outcome.session_id}"], Path(target))
        output.text(report_text(build_report(selection), output.format))
    if outcome.results.interrupted:
        output.say("benchdb run: interrupted; what was measured is kept")
    if outcome.stored is not None and outcome.stored.status == "stored":
        output.say(f"-> {os.path.relpath(outcome.stored.path)}")
