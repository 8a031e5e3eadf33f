"""`benchdb show`: one session or run in full detail."""

from dataclasses import asdict, fields

import click

from pytest_benchdb.cli.frame.candidates import complete_shown
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.read.report import report_lines
from pytest_benchdb.model.report import Report, RunDetail
from pytest_benchdb.operations.read.report import read_session_or_run
from pytest_benchdb.present.report.columns import USUAL_OPTIONS

RUN_SCHEMA = "benchdb.run/1"
_ABOUT_SAMPLES = ("metric", "pass", "phase", "rank", "domain")
_FORMATS = ("table", "json")

_HELP = """Show everything about a session or a run.

ID is the beginning of an id, latest, latest~2, or a label; run:ID for a run. For a run: its parameters and labels,
every measurement with the way it was taken, phases below each other, ranks, sensors, series and requests, why figures
are missing, the files that belong to it, the shape of its rounds, and the command that runs it again.

Example: benchdb show latest
"""


@reading_command(
    "show",
    _HELP,
    click.argument("name", metavar="ID", shell_complete=complete_shown),
    formats=_FORMATS,
)
def command(call: Call) -> None:
    """Find and show."""
    selection = call.selection(sessions=[call.params["name"]])
    with call.reading() as feedback:
        shown = read_session_or_run(selection, feedback)
    if call.output.format == "json":
        call.output.text(_json(shown))
    elif isinstance(shown, Report):
        call.output.lines(report_lines(shown, call.output, USUAL_OPTIONS))
    else:
        from pytest_benchdb.present.run import run_lines

        call.output.lines(run_lines(shown, call.output.width, ascii_only=call.output.ascii_only))


def _json(shown: Report | RunDetail) -> str:
    from pytest_benchdb.present.report.formats import report_json
    from pytest_benchdb.present.writing.values import object_json

    if isinstance(shown, Report):
        return report_json(shown)
    samples = [
        {**{name: row[name] for name in _ABOUT_SAMPLES}, "samples": shown.samples[row["measurement_id"]]}
        for row in shown.measurements
        if row["measurement_id"] in shown.samples
    ]
    content = {field.name: getattr(shown, field.name) for field in fields(shown)}
    return object_json(RUN_SCHEMA, {**content, "session": asdict(shown.session), "samples": samples})
