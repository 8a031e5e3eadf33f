"""`benchdb report`: the benchmarks of a session, as a table or as data."""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_columns, complete_groups, complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.cli.read.report_kinds import KINDS, SUMMARY, write_kind
from pytest_benchdb.model.answer.picture import NO_PICTURES, ReportPictures
from pytest_benchdb.model.report import Report, ReportRow
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.history.pictures import HISTORY, build_illustrated
from pytest_benchdb.operations.history.trend import TrendRequest
from pytest_benchdb.operations.read.report import build_report
from pytest_benchdb.operations.select.filters.where import parse_where, report_columns
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.present.report.columns import (
    COLUMN_KEYS,
    GROUP_KEYS,
    RenderOptions,
    check_params,
    check_sort,
    columns_named,
    default_columns,
    figure_of,
    parse_grouping,
    percentiles_named,
    sort_key,
    sorted_report,
    units_named,
    wide_columns,
)
from pytest_benchdb.present.report.formats import report_text
from pytest_benchdb.present.report.session import session_header
from pytest_benchdb.present.report.table import layout
from pytest_benchdb.present.writing.grid import Line, Span
from pytest_benchdb.present.writing.units import parse_units

_FORMATS = ("table", "md", "html", "json", "csv")

_HELP = """Show the benchmarks of a session: time, spread, CPU time, memory and rounds.

SPEC is a file or folder of sessions, or a session in the database: latest, latest~2, a label, or the beginning of an
id. Without a SPEC the newest session of the database is shown; of several files, as many as there are files.

Times are for one iteration. IQR is the interquartile range of the rounds in percent of the median; CPU is the CPU time
of the process in percent of the wall-clock time; memory is what the benchmark itself needed, where that is known, and
--columns peak_rss shows what the whole process had. A run that did not pass shows its outcome and the reason, never a
number.

A run that was not timed as a whole shows its training steps, its requests or its longest phase: then a column names the
metric of each run. Throughput (items per second) and energy (of one iteration, valid figures only) are shown where at
least one run has them.

Other kinds sum up many sessions, the newest 100 unless SPECs or --last name others; in Markdown, for job summaries.

Example: benchdb report results -k "sort and not slow" --sort=-median
"""


@reading_command(
    "report",
    _HELP,
    options.specs_argument,
    options.run_options,
    options.session_options,
    click.option(
        "--kind",
        type=click.Choice([SUMMARY, *KINDS]),
        default=SUMMARY,
        help="What to report on. performance: by model and device, the fastest, the newest runs. hardware: devices and "
        "machines. compatibility: what works where, as benchdb matrix. trend, correlation: as those commands. power: "
        "energy, power, heat. Default: the runs of a session.",
    ),
    click.option(
        "--columns",
        metavar="NAMES",
        shell_complete=complete_columns,
        help=f"Columns in this order: --columns benchmark,median,p99.9,memory. There are: {', '.join(COLUMN_KEYS)}; "
        "any percentile of the rounds (p50, p99.9); param:NAME, a parameter; gflops, tflops and gb/s for rates.",
    ),
    click.option(
        "--group-by",
        metavar="KEYS",
        shell_complete=complete_groups,
        help="Group the runs by one or several keys: --group-by function,param:n. There are: "
        f"{', '.join(GROUP_KEYS)}, param:NAME, none. Default: group, else model, else file.",
    ),
    click.option(
        "--sort",
        metavar="COLUMN",
        shell_complete=complete_columns,
        help="Order the runs by a column; --sort=-median puts the slowest first.",
    ),
    click.option(
        "--unit",
        metavar="KIND=UNIT",
        multiple=True,
        help="Show figures in a unit: --unit time=us, energy=mJ, rate=k/s, flops=GFLOP/s, bandwidth=GB/s, memory=MiB.",
    ),
    click.option(
        "--history",
        metavar="N",
        type=click.IntRange(min=0),
        default=HISTORY,
        help=f"With -f html: sessions in the history of each benchmark [{HISTORY}]; 0 draws none.",
    ),
    click.option(
        "--baseline",
        metavar="SPEC",
        shell_complete=complete_specs,
        help="With -f html: compare each benchmark with the sessions of SPEC: auto, branch:main, label:before, HEAD~3.",
    ),
    formats=_FORMATS,
)
def command(call: Call) -> None:
    """Read, select and show."""
    params, output = call.params, call.output
    if params["kind"] != SUMMARY:
        write_kind(call, params["kind"])
        return
    columns = params["columns"].split(",") if params["columns"] is not None else None
    shown = RenderOptions(
        columns=None if columns is None else columns_named(columns),
        group_by=params["group_by"],
        units=units_named(columns or ()) | parse_units(params["unit"]),
    )
    check_sort(params["sort"])
    groups = parse_grouping(params["group_by"] or "none")
    keys = [column.key for column in shown.columns or ()] + ([sort_key(params["sort"])] if params["sort"] else [])
    selection = call.selection(params["specs"])
    with call.reading() as feedback:
        report, pictures = _read(call, selection, percentiles_named(keys), feedback)
    check_params([*keys, *groups], [row for session in report.sessions for row in session.rows])
    report = sorted_report(report, params["sort"], shown)
    metrics = parse_where(selection.where or "").metrics
    if output.format == "table":
        output.lines(report_lines(report, output, shown, metrics))
    else:
        if output.format != "csv":
            shown = _with_metrics([row for session in report.sessions for row in session.rows], metrics, shown)
        output.text(report_text(report, output.format, shown, pictures))
    if report.selection and not any(session.rows for session in report.sessions):
        output.say(f"no run matches {report.selection}")


def _read(
    call: Call, selection: Selection, percentiles: Sequence[float], feedback: Feedback
) -> tuple[Report, ReportPictures]:
    """Return the report, and what its page draws; nothing is drawn in other formats."""
    if call.output.format != "html":
        return build_report(selection, percentiles=percentiles, feedback=feedback), NO_PICTURES
    request = TrendRequest(root=Path.cwd(), environ=os.environ)
    history = call.params["history"]
    shown = build_illustrated(
        selection,
        request,
        percentiles=percentiles,
        history=history,
        baseline=call.params["baseline"],
        feedback=feedback,
    )
    return shown.report, shown.pictures


def report_lines(report: Report, output: Output, shown: RenderOptions, metrics: Sequence[str] = ()) -> list[Line]:
    """Return terminal lines: each session's facts, followed by its runs or by one table of all runs."""
    lines: list[Line] = []
    together = "benchmark" in parse_grouping(shown.group_by or "none")
    now = dt.datetime.now(dt.timezone.utc)
    for number, session in enumerate(report.sessions):
        lines += [(Span(""),)] if number else []
        lines += session_header(session, report, output.width, now=now, ascii_only=output.ascii_only)
        if not together:
            lines += _rows(session.rows, output, metrics, shown)
    if together:
        lines += _rows([row for session in report.sessions for row in session.rows], output, metrics, shown)
    return lines


def _rows(rows: Sequence[ReportRow], output: Output, metrics: Sequence[str], shown: RenderOptions) -> list[Line]:
    if not rows:
        return []
    usual = _with_metrics(rows, metrics, shown)
    table = layout(rows, output.width, usual, ascii_only=output.ascii_only)
    if usual.columns is None and not table.left_out:
        more = replace(usual, columns=wide_columns(rows))
        wider = layout(rows, output.width, more, ascii_only=output.ascii_only)
        table = table if wider.left_out else wider
    if table.left_out:
        output.say(f"hidden (too narrow): {', '.join(table.left_out)}; --columns or --width N shows them")
    return [(Span(""),), *table.lines]


def _with_metrics(rows: Sequence[ReportRow], metrics: Sequence[str], shown: RenderOptions) -> RenderOptions:
    """Replace the default figures by those of the metrics in `-w`, unless `--columns` was used."""
    if shown.columns is not None or not metrics:
        return shown
    texts = tuple(column for column in default_columns(rows) if column.kind == "text")
    columns = columns_named(report_columns(metrics))
    measured = tuple(column for column in columns if any(figure_of(row, column.key) is not None for row in rows))
    return replace(shown, columns=texts + (measured or columns))
