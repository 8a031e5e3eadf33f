"""`benchdb export`: write results in the formats of other tools."""

import sys
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call
from pytest_benchdb.cli.frame.output import Output, command_feedback
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.export.results import Exported, ExportRequest, export_results

_HELP = """Write results in the formats of other tools.

FORMAT is one of

\b
  csv, json, jsonl      a table with a row per measurement, rounds included
  parquet               the same; --partition-by date for a folder of days
  sqlite, excel         the same for SQLite, and without the rounds for Excel
  pytest-benchmark      its JSON, which pytest-benchmark compare reads
  asv                   a results folder of airspeed velocity
  bmf                   Bencher Metric Format
  github-action-benchmark   two files, smaller and bigger is better
  openmetrics           text with times, for Prometheus
  otava                 CSV files of Apache Otava with their otava.yaml

or the name of an exporter of another package.

SPEC is a file or folder of sessions, or a session, as for benchdb report. Without a SPEC, a time or --last every
session is exported in formats that hold a history, and the newest one in those that hold one session
(pytest-benchmark, bmf, github-action-benchmark). Several sessions in such a format make a folder of files.

Tables hold everything, with outcome and provenance; the other formats have no place for these, so runs that did not
pass or were simulated are left out, and counted on standard error. An existing file is replaced once the new one is
complete.

Example: benchdb export parquet -o results.parquet
"""


@click.command("export", context_settings=options.CONTEXT, help=_HELP)
@click.argument("exporter", metavar="FORMAT")
@options.specs_argument
@options.database_option
@options.run_options
@options.session_options
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    shell_complete=complete_paths,
    help="File to write, or folder for formats of several files. Default, and with -: standard output, for text.",
)
@click.option(
    "--partition-by",
    type=click.Choice(["date"]),
    help="With parquet: write a folder with a file for each day, date=2026-11-21/data_0.parquet.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only the data.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**params: Any) -> None:
    """Select, write, and say what was written and what was left out."""
    target = params.pop("output")
    call = Call(params)
    request = ExportRequest(
        format=params["exporter"],
        selection=call.selection(params["specs"]),
        target=None if target in {None, "-"} else Path(target).expanduser(),
        by_date=params["partition_by"] == "date",
    )
    with command_feedback(call.output, "Exporting") as feedback:
        exported = export_results(request, lambda piece: call.output.text(piece.decode("utf-8", "replace")), feedback)
    sys.stdout.flush()
    _report(exported, request, call.output)


def _report(exported: Exported, request: ExportRequest, output: Output) -> None:
    for name, reason in exported.not_used.items():
        output.say(f"exporters of {name} were not used: {reason}")
    if exported.left_out:
        counts = ", ".join(f"{number} {reason}" for reason, number in exported.left_out.items())
        output.say(f"left out of {request.format}: {counts}")
    what = f"{counted(exported.runs, 'run')} of {counted(exported.sessions, 'session')}"
    if not exported.runs:
        output.say(f"no run was exported: {request.selection.text() or 'these sessions have none that it can hold'}")
    if request.target is not None:
        several = f" in {len(exported.files)} files" if len(exported.files) > 1 else ""
        output.say(f"wrote {request.target}: {what}{several}")
