"""`benchdb peaks`: measure what the devices of this machine can do."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import write_table
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.answer.peaks import MeasuredPeaks, PeakRow
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.operations.peaks import measure_peaks
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.units import one_quantity

PEAKS_SCHEMA = "benchdb.peaks/1"

_HELP = """Measure the peak memory bandwidth and the peak FLOP/s of devices, and store them in the database.

DEVICE is a device such as cpu or cuda:0; the default is all hardware that is there. Bandwidth is that of copies, bytes
read and written; FLOP/s is that of products of matrices, for each precision that the device has: with NumPy on the
processor, with torch elsewhere. The fastest of several rounds counts. It takes some seconds for each; leave the machine
alone meanwhile.

`benchdb report` then shows how close a benchmark comes to these peaks, if its test gives the amount of work:
bench(f, flops=..., bytes=...). For flops it needs the label precision. Peaks are of one machine and one device, and the
newest count.

Example: benchdb peaks --db results cpu
"""

_WORDS = {"peak_bytes_per_second": "memory", "peak_flops_per_second": "compute"}


@reading_command(
    "peaks",
    _HELP,
    click.argument("devices", metavar="[DEVICE]...", nargs=-1),
)
def command(call: Call) -> int:
    """Measure, store and show."""
    output = call.output
    answer = measure_peaks(
        call.database,
        call.params["devices"],
        folder=Path.cwd(),
        environ=os.environ,
        argv=["benchdb", *sys.argv[1:]],
        say=output.say if output.progress or output.verbose else lambda _text: None,
    )
    if output.format == "table":
        output.lines(_lines(answer.rows, output.width, ascii_only=output.ascii_only))
    else:
        write_table(_table(answer), output)
    if answer.problem is not None:
        output.say(answer.problem)
        return exit_status.DATABASE
    output.say(f"stored in {answer.path}")
    return exit_status.FINE


def _lines(rows: Sequence[PeakRow], width: int, *, ascii_only: bool) -> Sequence[Line]:
    headings = [
        Heading(title="device", align="left", priority=1, flexible=True),
        Heading(title="peak", align="left", priority=0),
        Heading(title="value", align="right", priority=0),
        Heading(title="measured by", align="left", priority=2, flexible=True),
    ]
    entries = []
    for row in rows:
        name = " ".join(text for text in (_WORDS[row.metric], row.precision) if text)
        texts = [row.device, name, _value(row), row.method or row.reason or ""]
        entries.append(Entry(cells=tuple(Span(sanitize(text, ascii_only=ascii_only)) for text in texts)))
    return fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only).said(width)


def _value(row: PeakRow) -> str:
    return one_quantity(row.value, "B/s" if row.unit == "B/s" else "FLOP/s")


def _table(answer: MeasuredPeaks) -> DataTable:
    columns = ("device", "metric", "precision", "value", "unit", "method", "reason")
    rows = [tuple(getattr(row, column) for column in columns) for row in answer.rows]
    return DataTable(schema=PEAKS_SCHEMA, columns=columns, rows=rows)
