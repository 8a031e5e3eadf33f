"""The commands that `benchdb run` measured: a table, and how many times as fast one is as another."""

import statistics
from collections.abc import Iterator, Sequence

from pytest_benchdb.analysis.statistics.means import Estimate, mean_of, ratio_of_means
from pytest_benchdb.model.answer.commands import CommandResult, CommandResults
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit, outcome_style
from pytest_benchdb.present.writing.text import sanitize, shorten, wrap
from pytest_benchdb.present.writing.units import (
    NOT_MEASURED,
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
    if results.shell is not None and results.shell_startup_s is not None:
        startup = one_quantity(results.shell_startup_s, "s")
        shell = sanitize(results.shell, ascii_only=ascii_only)
        yield f"note: run by {shell}, which takes {startup} to start; that is part of the time (-S none avoids it)"


def _is_timed(command: CommandResult) -> bool:
    return command.outcome == "passed" and bool(command.wall_s)


def _name(command: CommandResult, *, ascii_only: bool) -> str:
    return shorten(sanitize(command.name, ascii_only=ascii_only), _NAME, ascii_only=ascii_only)


def _sign(sign: str, *, ascii_only: bool) -> str:
    return {_PLUS_MINUS: "+-", _DOTS: ".."}[sign] if ascii_only else sign


def _table(commands: Sequence[CommandResult], width: int, *, ascii_only: bool) -> list[Line]:
    timed = [each for each in commands if _is_timed(each)]
    wall = _ascii(
        row_units([(min(each.wall_s), max(each.wall_s)) for each in timed], lambda values: choose_unit("time", values)),
        ascii_only=ascii_only,
    )
    cpu = choose_unit("time", [statistics.fmean(values) for each in timed for values in (each.user_s, each.system_s)])
    cpu = cpu.ascii() if ascii_only else cpu
    memory = choose_unit("memory", [each.peak_bytes for each in timed])
    headings = (
        Heading(title="command"),
        Heading(title="mean", unit=wall.shared.symbol if wall.shared else "", align="right", flexible=False),
        Heading(title=f"{_sign(_PLUS_MINUS, ascii_only=ascii_only)} 95 %", flexible=False),
        Heading(title="min", align="right", flexible=False, priority=2),
        Heading(title="max", align="right", flexible=False, priority=3),
        Heading(title="user", unit=cpu.symbol, align="right", flexible=False, priority=4),
        Heading(title="system", unit=cpu.symbol, align="right", flexible=False, priority=5),
        Heading(title="peak", unit=memory.symbol, align="right", flexible=False, priority=6),
        Heading(title="rounds", align="right", flexible=False, priority=7),
    )
    columns = iter(zip(*_columns(timed, wall, cpu, memory), strict=True))
    entries = []
    for command in commands:
        name = Span(sanitize(command.name, ascii_only=ascii_only))
        if _is_timed(command):
            cells = tuple(map(Span, next(columns)))
            entries.append(Entry(cells=(name, *cells)))
        else:
            text = sanitize(f"{command.outcome}: {command.reason}", ascii_only=ascii_only)
            message = Span(text, outcome_style(command.outcome))
            entries.append(Entry(cells=(name, *[Span("")] * (len(headings) - 1)), message=message))
    return list(fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only).lines)


def _columns(timed: Sequence[CommandResult], wall: RowUnits, cpu: Unit, memory: Unit) -> list[list[str]]:
    """Return the cells of each column of figures, one per command."""
    if not timed:
        return [[] for _ in range(8)]
    means: list[Estimate] = [mean_of(each.wall_s) for each in timed]

    def times(values: Sequence[float | None]) -> list[str]:
        texts = [write_figure(value, unit) for value, unit in zip(values, wall.of_rows, strict=True)]
        return wall.add_to(align_points(texts) if wall.shared else texts)

    def cpu_times(values: Sequence[Sequence[float]]) -> list[str]:
        return align_points([write_figure(statistics.fmean(each), cpu) for each in values])

    return [
        times([mean.value for mean in means]),
        [_half(mean, unit) for mean, unit in zip(means, wall.of_rows, strict=True)],
        times([min(each.wall_s) for each in timed]),
        times([max(each.wall_s) for each in timed]),
        cpu_times([each.user_s for each in timed]),
        cpu_times([each.system_s for each in timed]),
        align_points([write_figure(each.peak_bytes, memory) for each in timed]),
        [str(len(each.wall_s)) for each in timed],
    ]


def _half(mean: Estimate, unit: Unit) -> str:
    """Return half the interval, with as many digits as the mean has."""
    if mean.half is None:
        return NOT_MEASURED
    decimals = len(write_figure(mean.value, unit).partition(".")[2])
    return f"{mean.half / unit.size:.{decimals}f}"


def _ascii(units: RowUnits, *, ascii_only: bool) -> RowUnits:
    return units.ascii() if ascii_only else units
