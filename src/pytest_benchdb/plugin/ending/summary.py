"""The section at the end of pytest's output: a table, where the data went, what to type next.

PYTEST_DONT_REWRITE
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest

from pytest_benchdb.model.report import ReportRow, RunNotes
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.record import SessionRecorder
from pytest_benchdb.plugin.ending import changes
from pytest_benchdb.plugin.ending.outputs import Outputs
from pytest_benchdb.plugin.ending.own_command import database_words, shown_path
from pytest_benchdb.plugin.recording import codspeed
from pytest_benchdb.plugin.recording.pytest_benchmark import DISABLED
from pytest_benchdb.present.report.session import missing_energy
from pytest_benchdb.present.report.table import layout
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.store.fold_process import FoldResult

ROW_LIMIT = 30
"""Most rows of the table; `benchdb-report` shows the others."""

REFUSED_LIMIT = 10
"""Most values that are named as not stored."""

NOTE_LIMIT = 3
"""Most unstable results, and most notes, that are named."""

_LARGE_BYTES = 8_000_000
_MARKUP: Mapping[str, dict[str, bool]] = {
    "head": {"bold": True},
    "dim": {"light": True},
    "good": {"green": True},
    "bad": {"red": True},
    "warn": {"yellow": True},
}


class Content(NamedTuple):
    """What the section has besides the results.

    Attributes:
        refused: what tests measured or set and is not stored, one line each.
        columns: names of the table's columns; empty for the usual ones.
        traced_by: what traced the session, and was off while code was timed.
        next_command: whether it names the command that helps next.
        serial: whether benchmarks ran alone although there were xdist workers.
    """

    refused: Sequence[str] = ()
    columns: Sequence[str] = ()
    traced_by: Sequence[str] = ()
    next_command: bool = True
    serial: bool = False


def write(
    reporter: "pytest.TerminalReporter",
    config: pytest.Config,
    recorder: SessionRecorder,
    result: FoldResult | None,
    outputs: Outputs,
    content: Content,
) -> None:
    """Write the section; ``-q`` omits the table, and ``-qq`` and ranks other than 0 show only trouble.

    Args:
        reporter: of this run.
        config: of this run.
        recorder: of this run.
        result: the result of its fold; None if nothing was recorded.
        outputs: the files that were written.
        content: what the section has besides.
    """
    verbosity = config.get_verbosity()
    messages = (recorder.problem, result.message if result else None, *outputs.trouble, *_shortened(content.refused))
    trouble = [text for text in messages if text]
    if (verbosity < -1 or _is_other_rank(recorder.start.tags)) and not trouble:
        return
    if verbosity >= 0:
        reporter.section("benchdb", sep="-")
        if result is not None and result.rows:
            _write_table(reporter, config, result, content.columns)
    traced = [f"{name} was off while code was timed" for name in content.traced_by if result is not None]
    for line in (*_remarks(config, recorder, result, serial=content.serial), *traced, *outputs.notes):
        reporter.write_line(sanitize(line))
    if content.next_command and verbosity >= 0 and result is not None and result.status == "stored":
        for line in _next(config, recorder, result):
            reporter.write_line(sanitize(line))
    for line in trouble:
        reporter.write_line(f"benchdb: {sanitize(line)}", yellow=True, bold=True)


def _shortened(refused: Sequence[str]) -> list[str]:
    hidden = len(refused) - REFUSED_LIMIT
    return [*refused[:REFUSED_LIMIT], *([f"{hidden} more values are not stored"] if hidden > 0 else [])]


def _is_other_rank(tags: Mapping[str, str]) -> bool:
    """Return whether rank 0 writes the section instead: torchrun mixes the output of its ranks."""
    return "world_size" in tags and tags.get("rank") != "0"


def announce(config: pytest.Config, recorder: SessionRecorder) -> None:
    """Announce on a terminal that a large session is being stored, which takes noticeable time."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if recorder.size_bytes < _LARGE_BYTES or reporter is None or not reporter.isatty or config.get_verbosity() < 0:
        return
    reporter.ensure_newline()
    reporter.write_line(f"benchdb: storing {recorder.size_bytes / 2**20:.0f} MiB of rounds ...")


def _write_table(
    reporter: "pytest.TerminalReporter", config: pytest.Config, result: FoldResult, columns: Sequence[str]
) -> None:
    writer = config.get_terminal_writer()
    encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
    rows: Sequence[ReportRow] = result.rows
    found = changes.shown_changes(result)
    if not columns and changes.is_beside_pytest_benchmark(config, rows):
        columns, rows = changes.lacking(rows, found)
        if not rows:
            return
    options, change = changes.table_options(columns, rows, found)
    ascii_only = not encoding.lower().startswith("utf")
    table = layout(rows, writer.fullwidth, options, extra=change, ascii_only=ascii_only)
    for line in table.said(writer.fullwidth):
        for span in line:
            reporter.write(span.text, **_MARKUP.get(span.style, {}))
        reporter.write_line("")


def _next(config: pytest.Config, recorder: SessionRecorder, result: FoldResult) -> list[str]:
    """Name the command that shows what is hidden, or what changed."""
    db = database_words(recorder.target.path, config)
    hidden = result.total_runs - len(result.rows)
    lines = [f"{hidden} more: {shlex.join(['benchdb', 'report', *db])}"] if hidden > 0 else []
    if result.earlier is not None and result.earlier.times:
        lines.append(f"next: {shlex.join(['benchdb', 'compare', *db])}")
    elif not hidden:
        lines.append("next: change the code and run again, to see what changed")
    return lines


def _remarks(config: pytest.Config, recorder: SessionRecorder, result: FoldResult | None, *, serial: bool) -> list[str]:
    if result is None:
        if recorder.problem is not None:
            return []
        return ["no benchmark ran, so nothing was recorded; --benchdb-all records plain tests too"]
    lines = []
    where = shown_path(result.path, config)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in result.outcomes.items())
    if result.status == "stored":
        lines.append(f"{counts} -> {where}")
    lines += _timing_remarks(result.rows, serial=serial)
    lines += remarks_about(result)
    if result.recovered:
        lines.append(f"also recovered {counted(len(result.recovered), 'session')} that had died")
    return [*lines, *changes.remarks(result, changes.shown_changes(result))]


def remarks_about(result: FoldResult) -> list[str]:
    """Return what was noticed while functions were timed, and why what was asked for could not be measured."""
    counts = [f"no hardware counters of {counted(runs, 'run')}: {why}" for why, runs in result.missing_counts.items()]
    return [*_notes(result.notes), *missing_energy(result.rows), *counts]


def _notes(runs: Sequence[RunNotes]) -> list[str]:
    """Name the results that are unstable, and what was noticed about functions."""
    unstable = [f"{run.name} ({run.unstable})" for run in runs if run.unstable is not None]
    lines = [f"note: {run.name}: {note}" for run in runs for note in run.notes]
    if len(lines) > NOTE_LIMIT:
        lines[NOTE_LIMIT:] = [f"note: {len(lines) - NOTE_LIMIT} more are in measurement.details"]
    if unstable:
        named, more = unstable[:NOTE_LIMIT], len(unstable) - NOTE_LIMIT
        names = ", ".join([*named, f"{more} more"] if more > 0 else named)
        lines.insert(0, f"unstable: {names}; close other programs, or measure longer: options(max_time_s=...)")
    return lines


def _timing_remarks(rows: Sequence[ReportRow], *, serial: bool) -> list[str]:
    """Explain why times are missing, or should not be compared with others."""
    remarks = []
    untimed = [row for row in rows if row.reason == DISABLED]
    if any(row.worker for row in untimed):
        remarks.append(
            "pytest-benchmark switches itself off under xdist: outcomes are recorded, times are not; run without -n, "
            "or with --benchdb-serial"
        )
    elif untimed:
        remarks.append("pytest-benchmark was disabled: outcomes are recorded, times are not")
    if any(row.reason == codspeed.DISABLED for row in rows):
        remarks.append("pytest-codspeed was disabled: outcomes are recorded, times are not valid; run with --codspeed")
    if not serial and any(row.worker and row.valid for row in rows):
        remarks.append(
            "timed in xdist's workers, which disturb each other: run without -n, or with --benchdb-serial, for times "
            "to compare"
        )
    return remarks
