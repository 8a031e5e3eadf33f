"""The commands that `benchdb run` measured: a table, and how many times as fast one is as another."""

import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pytest_benchdb.analysis.statistics.means import Estimate, mean_of, ratio_of_means
from pytest_benchdb.model.answer.commands import CommandResult, CommandResults
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit, outcome_style
from pytest_benchdb.present.writing.text import sanitize, shorten, wrap
from pytest_benchdb.present.writing.units import (
    NOT_MEASURED,
    FigureKind,
    RowUnits,
    Unit,
    align_points,
    choose_unit,
    one_quantity,
    row_units,
    write_figure,
)

_PLUS_MINUS, _DOTS = "\N{PLUS-MINUS SIGN}", "\N{HORIZONTAL ELLIPSIS}"
_NAME = 40
"""Longest name of a command in a sentence."""


def command_lines(
    results: CommandResults, width: int, *, ascii_only: bool = False, verbose: bool = False
) -> list[Line]:
    """Return lines for a terminal, none wider than `width`: a table, a comparison, and what makes times doubtful."""
    lines = _table(results.commands, width, ascii_only=ascii_only)
    sentences = list(comparison_of(results.commands, ascii_only=ascii_only))
    if sentences:
        lines.append((Span(""),))
    for number, text in enumerate(sentences):
        indent = "  " if number else ""
        lines += [(Span(indent + line),) for line in wrap(text, width - len(indent), ascii_only=ascii_only)]
    for text in notes_of(results, ascii_only=ascii_only, verbose=verbose):
        lines += [(Span(line, "warn"),) for line in wrap(text, width, ascii_only=ascii_only)]
    return lines


def comparison_of(commands: Sequence[CommandResult], *, ascii_only: bool = False) -> Iterator[str]:
    """Yield how many times as fast the fastest command is as each of the others; nothing of a single one."""
    timed = sorted((each for each in commands if _is_timed(each)), key=lambda each: statistics.fmean(each.wall_s))
    if len(timed) < 2:  # noqa: PLR2004 - a comparison needs two
        return
    fastest, *others = timed
    yield f"{_name(fastest, ascii_only=ascii_only)} was the fastest:"
    ratios = [ratio_of_means(other.wall_s, fastest.wall_s) for other in others]
    texts = align_points([f"{ratio.value:.2f}" for ratio in ratios])
    widest = max(map(len, texts))
    for other, ratio, text in zip(others, ratios, texts, strict=True):
        name = _name(other, ascii_only=ascii_only)
        half = "" if ratio.half is None else f" {_sign(_PLUS_MINUS, ascii_only=ascii_only)} {ratio.half:.2f}"
        doubt = "" if ratio.half is None or ratio.value - ratio.half > 1 else ", which may be chance"
        yield f"{text:>{widest}}{half} times as fast as {name}{doubt}"


def notes_of(results: CommandResults, *, ascii_only: bool = False, verbose: bool = False) -> Iterator[str]:
    """Yield what makes the times of commands doubtful, and what is part of them."""
    several = len(results.commands) > 1
    for command in results.commands:
        prefix = f"{_name(command, ascii_only=ascii_only)}: " if several else ""
        for note in command.notes:
            yield f"note: {prefix}{note}"
        if verbose and command.memory_reason is not None:
            yield f"note: {prefix}its peak memory is not known: {command.memory_reason}"
    by_shell = [command for command in results.commands if command.shell is not None]
    if by_shell and results.shell_startup_s is not None:
        which = [_name(command, ascii_only=ascii_only) for command in by_shell]
        what = ", ".join(which) if len(by_shell) < len(results.commands) else "the time of each command"
        shell = sanitize(str(by_shell[0].shell), ascii_only=ascii_only)
        startup = one_quantity(results.shell_startup_s, "s")
        yield f"note: {what if several else 'the time'} includes the start of {shell}, about {startup}"


def _is_timed(command: CommandResult) -> bool:
    return command.outcome == "passed" and bool(command.wall_s)


def _name(command: CommandResult, *, ascii_only: bool) -> str:
    return shorten(sanitize(command.name, ascii_only=ascii_only), _NAME, ascii_only=ascii_only)


def _sign(sign: str, *, ascii_only: bool) -> str:
    return {_PLUS_MINUS: "+-", _DOTS: ".."}[sign] if ascii_only else sign


def _table(commands: Sequence[CommandResult], width: int, *, ascii_only: bool) -> list[Line]:
    timed = [each for each in commands if _is_timed(each)]
    columns = _columns(timed, ascii_only=ascii_only) if timed else []
    headings = [Heading(title="command"), *(column.heading for column in columns)]
    rows = iter(zip(*(column.texts for column in columns), strict=True))
    entries = []
    for command in commands:
        name = Span(sanitize(command.name, ascii_only=ascii_only))
        if _is_timed(command):
            entries.append(Entry(cells=(name, *map(Span, next(rows)))))
            continue
        text = sanitize(f"{command.outcome}: {command.reason}", ascii_only=ascii_only)
        message = Span(text, outcome_style(command.outcome))
        if columns:
            entries.append(Entry(cells=(name, *[Span("")] * len(columns)), message=message))
        else:
            entries.append(Entry(cells=(name, message)))
    if not columns:
        headings.append(Heading(title="outcome"))
    return list(fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only).lines)


class _Column(NamedTuple):
    """A column of figures, with a text for each command."""

    heading: Heading
    texts: list[str]


def _columns(timed: Sequence[CommandResult], *, ascii_only: bool) -> list[_Column]:
    means = [mean_of(each.wall_s) for each in timed]
    lows, highs = [min(each.wall_s) for each in timed], [max(each.wall_s) for each in timed]
    user, system = ([statistics.fmean(values) for values in each] for each in zip(*map(_cpu, timed), strict=True))
    peaks = [each.peak_bytes for each in timed]
    wall = _units("time", lows, highs, ascii_only=ascii_only)
    cpu = _units("time", user, system, ascii_only=ascii_only)
    memory = _units("memory", peaks, ascii_only=ascii_only)
    half = [_half(mean, unit) for mean, unit in zip(means, wall.of_rows, strict=True)]
    columns = [
        _column("mean", [mean.value for mean in means], wall, priority=0),
        _Column(Heading(title=f"{_sign(_PLUS_MINUS, ascii_only=ascii_only)} 95 %", flexible=False), half),
        _column("min", lows, wall, priority=2),
        _column("max", highs, wall, priority=3),
        _column("user", user, cpu, priority=4),
        _column("system", system, cpu, priority=5),
    ]
    if any(peak is not None for peak in peaks):
        columns.append(_column("peak", peaks, memory, priority=6))
    rounds = [str(len(each.wall_s)) for each in timed]
    return [*columns, _Column(Heading(title="rounds", align="right", flexible=False, priority=7), rounds)]


def _cpu(command: CommandResult) -> tuple[Sequence[float], Sequence[float]]:
    return command.user_s, command.system_s


def _units(kind: FigureKind, *columns: Sequence[float | None], ascii_only: bool) -> RowUnits:
    """Return the units of columns that share them."""
    units = row_units(list(zip(*columns, strict=True)), lambda values: choose_unit(kind, values))
    return units.ascii() if ascii_only else units


def _column(title: str, values: Sequence[float | None], units: RowUnits, *, priority: int) -> _Column:
    texts = [write_figure(value, unit) for value, unit in zip(values, units.of_rows, strict=True)]
    symbol = "" if units.shared is None else units.shared.symbol
    heading = Heading(title=title, unit=symbol, align="right", flexible=False, priority=priority)
    return _Column(heading, units.add_to(align_points(texts) if units.shared else texts))


def _half(mean: Estimate, unit: Unit) -> str:
    """Return half the interval, with as many digits as the mean has."""
    if mean.half is None:
        return NOT_MEASURED
    decimals = len(write_figure(mean.value, unit).partition(".")[2])
    return f"{mean.half / unit.size:.{decimals}f}"
