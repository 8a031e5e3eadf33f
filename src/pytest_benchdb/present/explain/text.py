"""Explanations in sentences, and as lines for a terminal."""

from collections.abc import Iterator, Sequence

from pytest_benchdb.model.answer.explanation import (
    CallChange,
    Explanation,
    Explanations,
    FunctionChange,
    MemoryChange,
    ProfileChange,
)
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, Style, fit
from pytest_benchdb.present.writing.text import clip, sanitize, wrap

MOST_SHOWN = 6
"""Functions in a table; JSON has all."""
_LEAST_SHOWN = 0.01
"""Smallest share of the growth of a line that is shown beside the first."""
_MOST_CALLERS = 3
_NOTHING_BEFORE = ", for which nothing was held before"
_REASONS = 4
_ONCE = "once"


def explanation_lines(explanations: Explanations, width: int, *, ascii_only: bool = False) -> list[Line]:
    """Return lines for a terminal, none wider than `width`."""
    lines: list[Line] = []
    for one in worth_showing(explanations):
        lines += _benchmark_lines(one, width, ascii_only=ascii_only)
        lines.append((Span(""),))
    return [*lines, *_wrapped(closing_text(explanations), width, "dim", ascii_only=ascii_only)]


def worth_showing(explanations: Explanations) -> Sequence[Explanation]:
    """Return the benchmarks that execute more, and those without an answer; all if there is only one."""
    if len(explanations.benchmarks) == 1:
        return explanations.benchmarks
    return [one for one in explanations.benchmarks if has_cause(one) or one.reason is not None]


def has_cause(explanation: Explanation) -> bool:
    """Return whether anything explains why a benchmark became slower or larger."""
    changes = (explanation.python, explanation.native)
    return any(change is not None and change.culprit is not None for change in (*changes, explanation.memory))


def closing_text(explanations: Explanations) -> str:
    """Return one line on the benchmarks of both sides that have nothing to explain."""
    same = sum(not has_cause(one) and one.reason is None for one in explanations.benchmarks)
    sides = f"{explanations.head} against {explanations.base}"
    number = counted(len(explanations.benchmarks), "benchmark")
    what = "a line that holds more" if _is_memory(explanations) else "a function that executes more"
    return f"{sides}: {number}, {same} without {what}"


def _is_memory(explanations: Explanations) -> bool:
    return bool(explanations.benchmarks) and all(one.metric != "instructions" for one in explanations.benchmarks)


def title_text(explanations: Explanations) -> str:
    """Return a heading for all benchmarks."""
    return f"Why {explanations.head} {'holds' if _is_memory(explanations) else 'executes'} more"


def _benchmark_lines(one: Explanation, width: int, *, ascii_only: bool) -> Iterator[Line]:
    yield (Span(clip(sanitize(one.fullname, ascii_only=ascii_only), width, ascii_only=ascii_only), "head"),)
    if one.reason is not None:
        yield from _wrapped(f"not explained: {one.reason}", width, "warn", ascii_only=ascii_only)
    for change in (one.python, one.native):
        if change is not None:
            for text in sentences(change):
                yield from _wrapped(text, width, "", ascii_only=ascii_only)
            if change.functions:
                yield from _table(change, width, ascii_only=ascii_only)
    for text in () if one.memory is None else memory_sentences(one.memory):
        yield from _wrapped(text, width, "", ascii_only=ascii_only)
    for note in one.notes:
        yield from _wrapped(f"note: {note}", width, "dim", ascii_only=ascii_only)


def sentences(change: ProfileChange) -> list[str]:
    """Return what differs, and which function caused it, in sentences; the later ones are indented."""
    share = change.growth / change.base_total if change.base_total else None
    texts = [
        f"executes {change.head_total:,} {change.unit} instead of {change.base_total:,} ({percent_text(share)})"
        if change.growth
        else f"executes {change.head_total:,} {change.unit} on both sides"
    ]
    culprit = change.culprit
    if culprit is None:
        return [*texts, "no function is the cause: it is not the code that executes more"]
    part = change.share(culprit)
    explained = "" if part is None else f", which explains {min(part, 9.99) * 100:.0f} % of it"
    because = (f"  {text}" for text in reasons(culprit, change.unit))
    return [*texts, f"because of {culprit.function}{explained}:", *because]


def reasons(culprit: FunctionChange, unit: str) -> list[str]:
    """Return what changed in a function."""
    texts = []
    own = _own_text(culprit, unit)
    if own is not None:
        texts.append(own)
    texts += (
        f"line {line.line} runs {_times(line.head)} instead of {_times(line.base)}: {line.text}"
        for line in culprit.lines[:2]
        if line.head > line.base
    )
    texts += (call_text(call, unit) for call in culprit.calls if call.head > call.base)
    return texts[:_REASONS] or ["it changed, and what it executes with it"]


def call_text(call: CallChange, unit: str) -> str:
    """Return how much more often a function is called."""
    cost = f" (+{call.caused:,.0f} {unit})" if round(call.caused) > 0 else ""
    before = "not at all" if not call.base else f"{_rate(call.base)}"
    return f"in each of its calls it calls {call.callee} {_rate(call.head)} instead of {before}{cost}"


def memory_sentences(change: MemoryChange) -> list[str]:
    """Return which lines hold more at the peak, in sentences; the later ones are indented."""
    share = change.growth / change.base_peak if change.base_peak else None
    sizes = f"{change.head_peak:,} B at its peak instead of {change.base_peak:,} B"
    texts = [f"{change.metric}: holds {sizes} ({percent_text(share)})"]
    culprit = change.culprit
    if culprit is None:
        return [*texts, "no line is the cause"]
    part = change.share(culprit) or 0.0
    texts.append(f"because of {culprit.line}, which has {min(part, 9.99) * 100:.0f} % of the growth:")
    if culprit.line.text:
        texts.append(f"  {culprit.line.text}")
    before, after = (
        f"{size:,} B in {counted(blocks, 'block')}" if blocks else f"{size:,} B"
        for size, blocks in ((culprit.base_bytes, culprit.base_blocks), (culprit.head_bytes, culprit.head_blocks))
    )
    texts.append(f"  holds {after} instead of {before}")
    if culprit.within is not None:
        texts.append(f"  allocated for it by {culprit.within}")
    texts += (
        f"  called by {line}{_NOTHING_BEFORE if line == culprit.keeper else ''}: {line.text}"
        for line in culprit.callers[:_MOST_CALLERS]
    )
    grown = [one for one in change.lines if one.growth > max(change.variation, _LEAST_SHOWN * change.growth)]
    texts += (
        f"also {one.line}: {one.head_bytes:,} B instead of {one.base_bytes:,} B: {one.line.text}".removesuffix(": ")
        for one in grown[1:MOST_SHOWN]
    )
    return texts


def _own_text(culprit: FunctionChange, unit: str) -> str | None:
    if not culprit.base_calls or not culprit.head_calls:
        return None
    before, after = culprit.base_cost / culprit.base_calls, culprit.head_cost / culprit.head_calls
    if round(after, 1) <= round(before, 1):
        return None
    return f"a call executes {after:,.6g} {unit} itself instead of {before:,.6g}"


def _times(count: int) -> str:
    return _ONCE if count == 1 else f"{count:,} times" if count else "never"


def _rate(rate: float) -> str:
    return _ONCE if rate == 1 else f"{rate:,.4g} times"


def _table(change: ProfileChange, width: int, *, ascii_only: bool) -> Sequence[Line]:
    headings = [
        Heading(title="function"),
        Heading(title="calls", align="right", flexible=False, priority=2),
        Heading(title="", align="right", flexible=False, priority=2),
        Heading(title="itself", unit=change.unit, align="right", flexible=False),
        Heading(title="", align="right", flexible=False),
        Heading(title="caused", align="right", flexible=False, priority=1),
        Heading(title="", flexible=False, priority=3),
    ]
    entries = []
    for one in change.functions[:MOST_SHOWN]:
        texts = [str(one.function), *figures(one, change), one.state if one.state != "both" else ""]
        entries.append(Entry(cells=tuple(Span(sanitize(text, ascii_only=ascii_only)) for text in texts)))
    return fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only).lines


def figures(one: FunctionChange, change: ProfileChange) -> list[str]:
    """Return the figures of a function as texts: calls and own cost at both sides, and the share that it caused."""
    part = change.share(one)
    return [
        f"{one.base_calls:,}",
        f"{one.head_calls:,}",
        f"{one.base_cost:,}",
        f"{one.head_cost:,}",
        "-" if part is None or not round(one.caused) else f"{part * 100:.0f} %",
    ]


def _wrapped(text: str, width: int, style: Style, *, ascii_only: bool) -> Iterator[Line]:
    indent = len(text) - len(text.lstrip())
    safe = sanitize(text.lstrip(), ascii_only=ascii_only)
    for line in wrap(safe, max(width - indent, 1), ascii_only=ascii_only):
        yield (Span(" " * indent), Span(line, style))
