"""What changed since the last run: a column of the summary, remarks, and the comparison that was asked for.

PYTEST_DONT_REWRITE
"""

import sys
from collections.abc import Mapping, Sequence

import pytest

from pytest_benchdb.model import exit_status
from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.model.wording import counted, percent_text, share_text
from pytest_benchdb.operations.compare.last_run import Change, changes_of
from pytest_benchdb.plugin.ending.own_command import database_with, last_line, run_benchdb
from pytest_benchdb.plugin.settings import CHANGE, Settings
from pytest_benchdb.present.report.columns import RenderOptions, columns_named
from pytest_benchdb.present.report.table import ExtraColumn
from pytest_benchdb.present.writing.grid import Heading, Span, Style
from pytest_benchdb.store.fold_process import FoldResult
from pytest_benchdb.store.target import Target

ROUGH = "~"
_BUSY = 0.9
"""Share of the wall time below which the CPU time of a benchmark is worth a column."""


def are_shown(config: pytest.Config, settings: Settings) -> bool:
    """Return whether the summary will have a table with the column, so that earlier times are needed."""
    return config.get_verbosity() >= 0 and (not settings.columns or CHANGE in settings.columns)


def table_options(
    columns: Sequence[str], rows: Sequence[ReportRow], changes: Mapping[str, Change]
) -> tuple[RenderOptions, ExtraColumn | None]:
    """Return the columns of the table; the change is one of them if some run has one."""
    columns = ("benchmark", CHANGE) if tuple(columns) == (CHANGE,) else columns
    names = [name for name in columns if name != CHANGE]
    options = RenderOptions(columns=columns_named(names) if names else None)
    shown = [column.key for column in options.columns_of(rows)]
    if not changes or (columns and CHANGE not in columns):
        return options, None
    place = list(columns).index(CHANGE) if columns else shown.index("median") + 1
    heading = Heading(title="change", unit="%", align="right", priority=1, flexible=False)
    spans = [_span(changes.get(row.run_id)) if row.has_figures else Span("") for row in rows]
    return options, ExtraColumn(heading=heading, spans=spans, place=place)


def lacking(rows: Sequence[ReportRow], changes: Mapping[str, Change]) -> tuple[tuple[str, ...], Sequence[ReportRow]]:
    """Return the columns and the rows that say more than pytest-benchmark's own table."""
    timed = [row for row in rows if row.has_figures]
    waited = any(row.cpu_per_wall is not None and row.cpu_per_wall < _BUSY for row in timed)
    measured = any(row.memory_bytes is not None for row in timed)
    columns = ("benchmark", CHANGE, *(["cpu"] if waited else []), *(["memory"] if measured else []))
    return columns, rows if changes or waited or measured else [row for row in rows if not row.has_figures]


def shown_changes(result: FoldResult) -> dict[str, Change]:
    """Return the changes of the times that the table shows, by run."""
    if result.earlier is None:
        return {}
    shown = {row.run_id: (row.main_metric, row.main_phase) for row in result.rows}
    return {
        change.run_id: change
        for change in changes_of(result.earlier.times)
        if shown.get(change.run_id) == (change.metric, change.phase)
    }


def _span(change: Change | None) -> Span:
    if change is None:
        return Span("")
    style: Style = ""
    if change.size != "small":
        style = "good" if not change.is_worse else "bad" if change.size == "large" else "warn"
    return Span(f"{ROUGH}{share_text(change.share)}", style)


def remarks(result: FoldResult, changes: Mapping[str, Change]) -> list[str]:
    """Return what there is to say about the changes: what they are, which rows are hidden, what was not searched."""
    if result.earlier is None:
        return []
    lines = []
    if changes:
        sessions = {change.session_id for change in changes.values()}
        runs = "the run before" if len(sessions) == 1 else "each benchmark's last run"
        lines.append(f"change: since {runs} on this machine; {ROUGH} rough, because one run a side shows no noise")
    hidden = {row.run_id for row in result.rows}
    worse = [
        change
        for change in changes_of(result.earlier.times)
        if change.run_id not in hidden and change.is_worse and change.size != "small"
    ]
    if worse:
        most = max(change.share for change in worse)
        lines.append(f"{counted(len(worse), 'benchmark')} below the table became slower, by up to {percent_text(most)}")
    if result.earlier.left:
        left = counted(result.earlier.left, "earlier session")
        lines.append(f"change: blank where none of the newest sessions has the benchmark; {left} not searched")
    if result.earlier.problem is not None:
        lines.append(f"change: {'not all shown' if changes else 'not shown'}: {result.earlier.problem}")
    return lines


def is_beside_pytest_benchmark(config: pytest.Config, rows: Sequence[ReportRow]) -> bool:
    """Return whether pytest-benchmark's table shows all of these times."""
    session = getattr(config, "_benchmarksession", None)
    if session is None or getattr(session, "quiet", True) or not getattr(session, "groups", None):
        return False
    names = {getattr(benchmark, "name", None) for benchmark in getattr(session, "benchmarks", ())}
    timed = [row for row in rows if row.has_figures and row.median_s is not None]
    return bool(timed) and all(row.name in names for row in timed)


def compare(
    config: pytest.Config, settings: Settings, target: Target, session_id: str, result: FoldResult | None
) -> list[str] | None:
    """Return the lines of the comparison that ``--benchdb-compare`` asks for; None if it does not."""
    if settings.compare is None or result is None:
        return None
    if result.status == "failed":
        return ["not compared, because the session is not in the database yet"]
    terminal = config.get_terminal_writer()
    words = [
        "compare",
        settings.compare,
        f"session:{session_id}",
        f"--db={database_with(result, target)}",
        f"--width={terminal.fullwidth}",
        f"--color={'always' if terminal.hasmarkup else 'never'}",
        "--no-progress",
    ]
    encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
    try:
        done = run_benchdb(words, config.invocation_params.dir, {"PYTHONIOENCODING": encoding})
    except OSError as error:
        return [f"not compared: {sys.executable!r} cannot be started: {error.strerror}"]
    if done.returncode == exit_status.FINE:
        return done.stdout.decode(encoding, "replace").rstrip("\n").splitlines()
    return [f"not compared: {last_line(done.stderr) or f'its process ended with exit status {done.returncode}'}"]


def write_comparison(reporter: "pytest.TerminalReporter", lines: Sequence[str]) -> None:
    """Write the comparison in a section of its own."""
    reporter.section("benchdb comparison", sep="-")
    for line in lines:
        reporter.write_line(line)
