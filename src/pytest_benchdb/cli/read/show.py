"""`benchdb show`: one session, benchmark or run in full detail."""

import click

from pytest_benchdb.cli.frame.candidates import complete_shown
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.read.report import report_lines
from pytest_benchdb.model.answer.benchmark import BenchmarkChoice, BenchmarkDetail
from pytest_benchdb.model.report import Report
from pytest_benchdb.operations.read.show import Shown, read_shown
from pytest_benchdb.present.report.columns import USUAL_OPTIONS
from pytest_benchdb.present.writing.grid import Line

_FORMATS = ("table", "json")

_HELP = """Show everything about a benchmark, a session or a run.

NAME is a SPEC (latest, latest~2, a label, HEAD~1), the beginning of an id, run:ID, or a benchmark: its full name, the
end of it from a file, a class or a function on, or that without parameters. Without NAME it is the newest session. PATH
is a file or folder of sessions.

Of a benchmark: its history on this machine with the change from session to session, and its newest run. Of a run: its
parameters and labels, every measurement with the way it was taken, phases below each other, ranks, sensors, series and
requests, why figures are missing, the files that belong to it, the shape of its rounds, and the command that runs it
again. Notes are shown with what they are about.

Example: benchdb show test_tokenize
"""


@reading_command(
    "show",
    _HELP,
    click.argument("specs", metavar="[PATH] [NAME]", nargs=-1, shell_complete=complete_shown),
    formats=_FORMATS,
)
def command(call: Call) -> None:
    """Find and show."""
    selection = call.selection(call.params["specs"], benchmarks=True)
    with call.reading() as feedback:
        shown = read_shown(selection, feedback)
    if call.output.format == "json":
        call.output.text(_json(shown))
    else:
        call.output.lines(_lines(shown, call))


def _lines(shown: Shown, call: Call) -> list[Line]:
    output = call.output
    if isinstance(shown, Report):
        return report_lines(shown, output, USUAL_OPTIONS)
    from pytest_benchdb.present.benchmark import benchmark_lines, choice_lines
    from pytest_benchdb.present.run import run_lines

    if isinstance(shown, BenchmarkDetail):
        return benchmark_lines(shown, output.width, ascii_only=output.ascii_only, verbose=output.verbose)
    if isinstance(shown, BenchmarkChoice):
        return choice_lines(shown, output.width, ascii_only=output.ascii_only)
    return run_lines(shown, output.width, ascii_only=output.ascii_only)


def _json(shown: Shown) -> str:
    from pytest_benchdb.present.benchmark import benchmark_json, choice_json
    from pytest_benchdb.present.report.formats import report_json
    from pytest_benchdb.present.run import RUN_SCHEMA, run_json
    from pytest_benchdb.present.writing.values import object_json

    if isinstance(shown, Report):
        return report_json(shown)
    if isinstance(shown, BenchmarkDetail):
        return benchmark_json(shown)
    return choice_json(shown) if isinstance(shown, BenchmarkChoice) else object_json(RUN_SCHEMA, run_json(shown))
