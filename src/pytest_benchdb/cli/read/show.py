"""`benchdb show`: one session or one run with everything that is known about it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import Output, make_output
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.model.report import Report
from pytest_benchdb.operations.read.show import find_shown
from pytest_benchdb.operations.select.sessions import split_specs
from pytest_benchdb.present.writing.grid import Line, Span

RUN_SCHEMA = "benchdb.run/1"
_ABOUT_SAMPLES = ("metric", "pass", "phase", "rank", "domain")

_HELP = """Show a session or a run with everything that is known about it.

ID is the beginning of an id, latest, latest~2, or a label; run:ID for a run. For a run: its parameters and labels,
every measurement with the way it was taken, phases below each other, ranks, sensors, series and requests, why figures
are missing, the files that belong to it, the shape of its rounds, and the command that runs it again.

Example: benchdb show latest
"""


@click.command(
    "show", context_settings=options.CONTEXT, help=_HELP, short_help="Show a session or a run with all that is known."
)
@click.argument("name", metavar="ID")
@options.database_option
@options.format_option(("table", "json"))
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Find and show."""
    output = make_output(given, formats=("table", "json"))
    source = split_specs([], find_db(given["db"], Path.cwd()), sessions=[given["name"]])
    with feedback_of(output, "Reading new sessions") as feedback:
        found = find_shown(source, feedback)
    if isinstance(found, Report):
        _session(found, output)
    elif output.format == "json":
        from pytest_benchdb.present.writing.values import object_json

        samples = [
            {**{name: row[name] for name in _ABOUT_SAMPLES}, "samples": found.samples[row["measurement_id"]]}
            for row in found.measurements
            if row["measurement_id"] in found.samples
        ]
        content = {
            "session": asdict(found.session),
            "run": found.run,
            "environment": found.environment,
            "measurements": found.measurements,
            "samples": samples,
            "series": found.series,
            "requests": found.requests,
            "attachments": found.attachments,
            "notes": found.notes,
        }
        output.text(object_json(RUN_SCHEMA, content))
    else:
        from pytest_benchdb.present.run.detail import run_lines

        output.lines(run_lines(found, output.width, ascii_only=output.ascii_only))


def _session(report: Report, output: Output) -> None:
    if output.format == "json":
        from pytest_benchdb.present.report.data import report_json

        output.text(report_json(report))
        return
    from pytest_benchdb.present.report.session import session_header
    from pytest_benchdb.present.report.table import layout

    (shown,) = report.sessions
    lines: list[Line] = session_header(shown, report, output.width, ascii_only=output.ascii_only)
    if shown.rows:
        table = layout(shown.rows, output.width, ascii_only=output.ascii_only)
        lines += [(Span(""),), *table.lines]
    output.lines(lines)
