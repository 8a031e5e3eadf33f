"""Sum up the runs of many sessions: performance, hardware, power."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_benchdb.model.answer.runs import (
    DeviceRow,
    Hardware,
    LatestRun,
    MachineRow,
    Performance,
    PerformanceRow,
    Power,
    PowerRow,
    Range,
)
from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.read.report import read_report
from pytest_benchdb.operations.select.selection import Selection, open_selection

NEWEST_SUMMED = 100
"""Sessions that are summed up, if the user does not say how many."""

MOST_TOP, MOST_LATEST = 10, 20

_Configuration = tuple[str, str, str, int]


def sum_up_performance(selection: Selection, *, feedback: Feedback = SILENT) -> Performance:
    """Sum up the runs of the selected sessions by what ran and where.

    Args:
        selection: as for a report, but without names the newest 100 sessions.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    rows, sessions = _read(selection, feedback)
    at = {session.session_id: session.placed_at for session in sessions}
    measured = [row for row in rows if row.provenance != "simulated"]
    groups: dict[_Configuration, list[ReportRow]] = {}
    for row in measured:
        if row.has_figures:
            key = (_subject(row), row.device or "", row.precision or "", row.batch_size or 0)
            groups.setdefault(key, []).append(row)
    summed = [_summed(members, at) for _, members in sorted(groups.items())]
    best: dict[str, PerformanceRow] = {}
    for found in sorted(summed, key=lambda row: -(row.throughput.max if row.throughput else 0.0)):
        if found.throughput is not None:
            best.setdefault(found.subject, found)
    newest = sorted(measured, key=lambda row: (at[row.session_id], row.run_id), reverse=True)
    return Performance(
        sources=tuple(map(str, selection.paths)),
        selection=selection.text(),
        sessions=len(sessions),
        rows=tuple(summed),
        top=tuple(best.values())[:MOST_TOP],
        latest=tuple(_latest(row, at[row.session_id]) for row in newest[:MOST_LATEST]),
        not_passed=sum(not row.has_figures for row in measured),
        simulated=len(rows) - len(measured),
    )


def sum_up_hardware(selection: Selection, *, feedback: Feedback = SILENT) -> Hardware:
    """Sum up on which devices and machines the selected sessions ran; the arguments are as above.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    rows, sessions = _read(selection, feedback)
    by_id = {session.session_id: session for session in sessions}
    devices: dict[tuple[str, str, str], list[ReportRow]] = {}
    for row in rows:
        machine = by_id[row.session_id].cpu_model
        devices.setdefault((machine or "", row.backend or "", row.device or ""), []).append(row)
    machines: dict[str, list[SessionRow]] = {}
    for session in sessions:
        machines.setdefault(session.fingerprint or "", []).append(session)
    return Hardware(
        sources=tuple(map(str, selection.paths)),
        selection=selection.text(),
        sessions=len(sessions),
        devices=tuple(_device(members, by_id) for _, members in sorted(devices.items())),
        machines=tuple(_machine(members) for members in machines.values()),
    )


def sum_up_power(selection: Selection, *, feedback: Feedback = SILENT) -> Power:
    """Return what runs took in power and energy: those of a report, without names those of the newest session.

    Args:
        selection: as for a report.
        feedback: as above.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    with open_selection(selection, feedback, newest=None) as selected:
        report = read_report(selected, selection)
        rows = [row for shown in report.sessions for row in shown.rows]
        measured = selected.reader.power_rows(sorted({row.session_id for row in rows}))
    chosen = {row.run_id for row in rows}
    found = tuple(PowerRow(**row) for row in measured if row["run_id"] in chosen)
    with_power = {row.run_id for row in found}
    without = [row for row in rows if row.has_figures and row.run_id not in with_power]
    return Power(
        sources=tuple(map(str, selection.paths)),
        selection=selection.text(),
        sessions=len(report.sessions),
        rows=found,
        without=len(without),
        reasons=dict(Counter(row.energy_reason for row in rows if row.energy_reason is not None)),
    )


def _read(selection: Selection, feedback: Feedback) -> tuple[list[ReportRow], list[SessionRow]]:
    with open_selection(selection, feedback, newest=NEWEST_SUMMED) as selected:
        report = read_report(selected, selection)
        rows = [row for shown in report.sessions for row in shown.rows]
        # A single session of a part of the suite comes with the newest runs of the rest.
        used = {row.session_id for row in rows} | {shown.session.session_id for shown in report.sessions}
        return rows, [session for session in selected.everything if session.session_id in used]


def _subject(row: ReportRow) -> str:
    return row.fullname if row.model is None else " ".join(filter(None, (row.model, row.model_version)))


def _range(values: Iterable[float | None]) -> Range | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Range(n=len(known), mean=sum(known) / len(known), min=min(known), max=max(known))


def _summed(rows: Sequence[ReportRow], at: dict[str, str]) -> PerformanceRow:
    first = rows[0]
    return PerformanceRow(
        subject=_subject(first),
        device=first.device,
        precision=first.precision,
        batch_size=first.batch_size,
        runs=len(rows),
        sessions=len({row.session_id for row in rows}),
        time_s=_range(row.median_s for row in rows),
        throughput=_range(row.throughput for row in rows),
        memory_bytes=_range(row.memory_bytes for row in rows),
        latest_at=max(at[row.session_id] for row in rows),
    )


def _latest(row: ReportRow, started_at: str) -> LatestRun:
    shown = row.has_figures
    return LatestRun(
        run_id=row.run_id,
        started_at=started_at,
        fullname=row.fullname,
        device=row.device,
        outcome=row.outcome,
        median_s=row.median_s if shown else None,
        throughput=row.throughput if shown else None,
    )


def _device(rows: Sequence[ReportRow], sessions: dict[str, SessionRow]) -> DeviceRow:
    times = sorted(sessions[row.session_id].placed_at for row in rows)
    return DeviceRow(
        backend=rows[0].backend,
        device=rows[0].device,
        machine=sessions[rows[0].session_id].cpu_model,
        sessions=len({row.session_id for row in rows}),
        runs=len(rows),
        outcomes=dict(Counter(row.outcome for row in rows)),
        subjects=len(set(map(_subject, rows))),
        first_at=times[0],
        latest_at=times[-1],
    )


def _machine(sessions: Sequence[SessionRow]) -> MachineRow:
    ordered = sorted(sessions, key=lambda session: session.placed_at)
    newest = ordered[-1]
    names = ("fingerprint", "cpu_model", "cores", "threads", "ram_bytes", "os", "python")
    return MachineRow(
        **{name: getattr(newest, name) for name in names},
        sessions=len(ordered),
        first_at=ordered[0].placed_at,
        latest_at=newest.placed_at,
    )
