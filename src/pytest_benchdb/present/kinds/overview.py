"""Performance, hardware and power as sheets, and as JSON in SI units."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

from pytest_benchdb.model.answer.runs import (
    DeviceRow,
    Hardware,
    LatestRun,
    MachineRow,
    Performance,
    PerformanceRow,
    Power,
    Range,
)
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.kinds.sheet import Sheet, Sheets, figure_column, sheet_of, text_column
from pytest_benchdb.present.writing.times import local_minute, zones_text
from pytest_benchdb.present.writing.units import (
    NOT_MEASURED,
    FigureKind,
    choose_unit,
    one_quantity,
    row_units,
    write_figure,
)
from pytest_benchdb.present.writing.values import object_json

PERFORMANCE_SCHEMA, HARDWARE_SCHEMA, POWER_SCHEMA = "benchdb.performance/1", "benchdb.hardware/1", "benchdb.power/1"


def performance_sheets(found: Performance) -> Sheets:
    """Return the summary by model and device, the fastest, and the newest runs."""
    notes = []
    if found.not_passed:
        notes.append(f"{counted(found.not_passed, 'run')} without figures left out: not passed, or not valid")
    if found.simulated:
        notes.append(f"{counted(found.simulated, 'simulated run')} left out")
    if found.selection:
        notes.append(f"only {found.selection}")
    runs = sum(row.runs for row in found.rows)
    return Sheets(
        head=f"Performance: {counted(runs, 'run')} in {counted(found.sessions, 'session')}",
        notes=tuple(notes),
        sheets=(
            _performance_sheet("by model or benchmark, and device", found.rows),
            _performance_sheet("highest throughput", found.top),
            _latest_sheet(found.latest),
        ),
    )


def _performance_sheet(title: str, rows: Sequence[PerformanceRow]) -> Sheet:
    times = _ranges([row.time_s for row in rows], "time")
    rates = _ranges([row.throughput for row in rows], "rate")
    sizes = _ranges([row.memory_bytes for row in rows], "memory")
    zone = zones_text(row.latest_at for row in rows)
    columns = [
        text_column("model or benchmark"),
        text_column("device", 1),
        text_column("precision", 2),
        figure_column("batch", priority=2),
        figure_column("runs", priority=4),
        *(
            figure_column(f"time, {name}", priority=priority)
            for name, priority in (("mean", 0), ("min", 5), ("max", 5))
        ),
        *(figure_column(f"items/s, {name}", priority=p) for name, p in (("mean", 1), ("min", 6), ("max", 6))),
        *(figure_column(f"memory, {name}", priority=p) for name, p in (("min", 7), ("max", 3))),
        figure_column(f"latest ({zone})", priority=8),
    ]
    texts = [
        (
            row.subject,
            row.device or NOT_MEASURED,
            row.precision or NOT_MEASURED,
            NOT_MEASURED if row.batch_size is None else str(row.batch_size),
            str(row.runs),
            *time,
            *rate,
            *size[1:],
            local_minute(row.latest_at),
        )
        for row, time, rate, size in zip(rows, times, rates, sizes, strict=True)
    ]
    return sheet_of(title, columns, texts)


def _ranges(ranges: Sequence[Range | None], kind: FigureKind) -> list[tuple[str, str, str]]:
    """Return mean, smallest and largest figure of each row, with their unit."""
    figures = [[None] * 3 if one is None else [one.mean, one.min, one.max] for one in ranges]

    units = row_units(figures, partial(choose_unit, kind)).of_rows
    written = []
    for values, unit in zip(figures, units, strict=True):
        mean, low, high = (_with_unit(value, write_figure(value, unit), unit.symbol) for value in values)
        written.append((mean, low, high))
    return written


def _with_unit(value: float | None, text: str, symbol: str) -> str:
    return NOT_MEASURED if value is None else f"{text} {symbol}".strip()


def _latest_sheet(rows: Sequence[LatestRun]) -> Sheet:
    zone = zones_text(row.started_at for row in rows)
    columns = [
        text_column("benchmark"),
        text_column("device", 2),
        text_column("outcome", 1),
        figure_column("time"),
        figure_column("throughput", priority=3),
        figure_column(f"session ({zone})", priority=4),
    ]
    texts = [
        (
            row.fullname,
            row.device or NOT_MEASURED,
            row.outcome,
            one_quantity(row.median_s, "s"),
            one_quantity(row.throughput, "1/s"),
            local_minute(row.started_at),
        )
        for row in rows
    ]
    return sheet_of("newest runs", columns, texts)


def hardware_sheets(found: Hardware) -> Sheets:
    """Return devices with what ran on them, and machines."""
    head = f"Hardware: {counted(len(found.devices), 'device')} on {counted(len(found.machines), 'machine')}"
    notes = (f"only {found.selection}",) if found.selection else ()
    sheets = (_devices_sheet(found.devices), _machines_sheet(found.machines))
    return Sheets(head=f"{head}, {counted(found.sessions, 'session')}", notes=notes, sheets=sheets)


def _devices_sheet(devices: Sequence[DeviceRow]) -> Sheet:
    zone = zones_text(row.latest_at for row in devices)
    outcomes = list(dict.fromkeys(outcome for row in devices for outcome in row.outcomes))
    columns = [
        text_column("device"),
        text_column("backend", 3),
        text_column("machine", 4),
        figure_column("sessions", priority=5),
        figure_column("benchmarks", priority=2),
        figure_column("runs"),
        *(figure_column(outcome, priority=1) for outcome in outcomes),
        figure_column(f"first ({zone})", priority=7),
        figure_column(f"latest ({zone})", priority=6),
    ]
    rows = [
        (
            row.device or "no device",
            row.backend or NOT_MEASURED,
            row.machine or NOT_MEASURED,
            str(row.sessions),
            str(row.subjects),
            str(row.runs),
            *(str(row.outcomes.get(outcome, 0)) for outcome in outcomes),
            local_minute(row.first_at),
            local_minute(row.latest_at),
        )
        for row in devices
    ]
    return sheet_of("devices", columns, rows)


def _machines_sheet(machines: Sequence[MachineRow]) -> Sheet:
    columns = [
        text_column("processor"),
        figure_column("cores", priority=1),
        figure_column("threads", priority=2),
        figure_column("memory", priority=1),
        text_column("system", 3),
        text_column("Python", 4),
        figure_column("sessions"),
        figure_column(f"latest ({zones_text(row.latest_at for row in machines)})", priority=5),
    ]
    rows = [
        (
            row.cpu_model or NOT_MEASURED,
            str(row.cores or NOT_MEASURED),
            str(row.threads or NOT_MEASURED),
            one_quantity(row.ram_bytes, "B"),
            row.os or NOT_MEASURED,
            row.python or NOT_MEASURED,
            str(row.sessions),
            local_minute(row.latest_at),
        )
        for row in machines
    ]
    return sheet_of("machines", columns, rows)


def power_sheets(found: Power) -> Sheets:
    """Return power, energy and heat of each run."""
    zone = zones_text(row.started_at for row in found.rows)
    columns = [
        text_column("benchmark"),
        text_column("device", 3),
        figure_column("energy"),
        figure_column("power, mean", priority=1),
        figure_column("power, peak", priority=2),
        figure_column("heat, mean", priority=5),
        figure_column("heat, peak", priority=4),
        figure_column("items/J", priority=6),
        text_column("method", 8),
        figure_column(f"run ({zone})", priority=7),
    ]
    rows = [
        (
            row.fullname,
            row.device or NOT_MEASURED,
            one_quantity(row.energy_j, "J"),
            one_quantity(row.mean_w, "W"),
            one_quantity(row.peak_w, "W"),
            _celsius(row.mean_celsius),
            _celsius(row.peak_celsius),
            NOT_MEASURED if row.items_per_joule is None else f"{row.items_per_joule:.4g}",
            row.method or NOT_MEASURED,
            local_minute(row.started_at),
        )
        for row in found.rows
    ]
    notes = ["energy is that of one iteration; only valid figures of runs that passed are shown"] if rows else []
    if found.without:
        notes.append(
            f"{counted(found.without, 'run')} measured neither power nor energy: --benchdb-passes time,energy does"
        )
    notes += [f"{counted(number, 'run')} without energy: {reason}" for reason, number in found.reasons.items()]
    if found.selection:
        notes.append(f"only {found.selection}")
    head = f"Power: {counted(len(found.rows), 'run')} in {counted(found.sessions, 'session')}"
    return Sheets(head=head, notes=tuple(notes), sheets=(sheet_of("power and energy", columns, rows),))


def _celsius(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.1f} \N{DEGREE SIGN}C"


def overview_json(schema: str) -> Callable[[Performance | Hardware | Power], str]:
    """Return a function that writes such a summary as JSON."""

    def write(found: Performance | Hardware | Power) -> str:
        return object_json(schema, asdict(found))

    return write
