"""A machine's noise as text, with advice for the worst benchmarks, and as data."""

import math
from collections.abc import Iterator, Sequence

from pytest_benchdb.analysis.series.noise import LEAST_SESSIONS
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.answer.noise import Cause, NoiseRow, NoiseScore
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import clip, sanitize, wrap
from pytest_benchdb.present.writing.units import one_quantity

NOISE_SCHEMA = "benchdb.noise/1"

MOST_ADVICE = 5
"""Number of benchmarks that get advice, unless verbose."""

_LARGE = 0.5
_SHARES = (0.5, 0.9)


def noise_lines(score: NoiseScore, width: int, *, ascii_only: bool = False, verbose: bool = False) -> list[Line]:
    """Return lines for a terminal, none wider than `width`."""
    lines: list[Line] = [(Span(clip(sanitize(f"Noise of {score.machine}", ascii_only=ascii_only), width), "head"),)]
    for text in (*summary_of(score), *warnings_of(score)):
        lines += [(Span(line),) for line in wrap(sanitize(text, ascii_only=ascii_only), width)]
    if not score.rows:
        return lines
    lines += [(Span(""),), *_table(score, width, ascii_only=ascii_only)]
    advice = list(advice_of(score))
    shown = advice if verbose else advice[:MOST_ADVICE]
    for name, text in shown:
        lines += [(Span(""),), (Span(clip(sanitize(name, ascii_only=ascii_only), width), "head"),)]
        lines += [(Span(f"  {line}"),) for line in wrap(sanitize(text, ascii_only=ascii_only), width - 2)]
    if len(shown) < len(advice):
        lines += [(Span(""),), (Span(f"advice for {len(advice) - len(shown)} more: -v shows all", "dim"),)]
    return lines


def summary_of(score: NoiseScore) -> Iterator[str]:
    """Yield sentences about the changes that the machine can detect."""
    noises = [row.noise for row in score.rows if row.noise is not None]
    yield f"{counted(score.sessions, 'session')} of {counted(score.commits, 'commit')}, {len(score.rows)} series"
    if not noises:
        yield f"too few: {LEAST_SESSIONS} sessions are needed, 10 are better; record unchanged code again"
        return
    for count in score.per_side:
        half, most = (quantile([_finite(noise.detectable[count]) for noise in noises], share) for share in _SHARES)
        yield f"{count} sessions per side find {percent(half)} in half of them, {percent(most)} in nine of ten"
    half, most = (quantile([_finite(noise.detectable_by_history) for noise in noises], share) for share in _SHARES)
    reruns = f", repeated by {counted(score.confirms, 're-run')}," if score.confirms else ""
    against = f"1 session against {score.history}{reruns}"
    yield f"{against} finds {percent(half)} in half of them, {percent(most)} in nine of ten"


def warnings_of(score: NoiseScore) -> Iterator[str]:
    """Yield notes on the reliability of the score."""
    if score.commits > 1:
        yield f"the sessions are of {score.commits} commits: what changed between them counts as noise"
    if score.contended:
        yield f"other work disturbed {score.contended} of {counted(score.sessions, 'session')}"
    if score.other_machines:
        yield f"{counted(score.other_machines, 'session')} of other machines left out"


def advice_of(score: NoiseScore) -> Iterator[tuple[str, str]]:
    """Yield name and advice for each series whose history would not show the requested change."""
    for row in score.rows:
        noise = row.noise
        if noise is None or noise.detectable_by_history <= score.change:
            continue
        causes = [_advice(cause, row) for cause in noise.causes] or ["nothing that was recorded explains it"]
        yield name_of(row), "; ".join([*causes, _sessions_text(row, score.change)])


def name_of(row: NoiseRow) -> str:
    """Return benchmark, phase and metric of a series."""
    phase = f" phase {row.key.phase}" if row.key.phase is not None else ""
    return f"{row.key.fullname}{phase} {row.key.metric}"


def percent(share: float) -> str:
    """Return a share as a percentage.

    >>> percent(0.0312), percent(0.0), percent(2.5), percent(float("inf"))
    ('3.1 %', '0.0 %', '250 %', 'nothing')
    """
    if not math.isfinite(share) or share >= 1e6:  # noqa: PLR2004 - as good as infinite
        return "nothing"
    return f"{share * 100:.0f} %" if share >= _LARGE else f"{share * 100:.1f} %"


def _finite(value: float) -> float:
    return min(value, 1e9)


def _advice(cause: Cause, row: NoiseRow) -> str:
    other = None if row.key.metric in {"cpu_time", "thread_time"} else row.cpu_clock
    texts: dict[Cause, str] = {
        "contended": (
            f"other work takes the processor (wall-clock time is {row.wall_per_cpu or 0:.2f} times the CPU time): use "
            f"a quieter machine{'' if other is None else f', or follow --metric {other}'}"
        ),
        "level changed": "its level changed, the noise is that since then: see benchdb trend",
        "bimodal": (
            "its sessions fall into two groups: fix what differs by process, such as PYTHONHASHSEED, the processor's "
            "clock or the cores it may use"
        ),
        "short rounds": (
            f"a round lasts only {one_quantity(row.round_s, 's')}: let one call do more, or more calls make a round"
        ),
        "few rounds": f"only {row.rounds or 0:.0f} rounds a session: record more of them",
        "exact": "it never varied",
    }
    return texts[cause]


def _sessions_text(row: NoiseRow, change: float) -> str:
    needed = None if row.noise is None else row.noise.needed
    if needed is None:
        return f"100 sessions per side do not find {percent(change)}"
    return f"{percent(change)} takes {needed} sessions per side, run in turn: benchdb duet --pairs {needed}"


def _table(score: NoiseScore, width: int, *, ascii_only: bool) -> Sequence[Line]:
    metrics = len({row.key.metric for row in score.rows}) > 1
    headings = [
        Heading(title="benchmark"),
        *([Heading(title="metric", flexible=False)] if metrics else []),
        Heading(title="sessions", align="right", flexible=False, priority=6),
        Heading(title="noise", align="right", flexible=False),
        Heading(title="worst", unit="session", align="right", flexible=False, priority=5),
        *(
            Heading(title=f"{count} a side", unit="finds", align="right", flexible=False, priority=4 - place)
            for place, count in enumerate(score.per_side)
        ),
        Heading(title=f"1 against {score.history}", unit="finds", align="right", flexible=False),
        Heading(
            title=f"for {percent(score.change)}", unit="sessions a side", align="right", flexible=False, priority=7
        ),
        Heading(title="why", priority=8),
    ]
    entries = tuple(_entry(row, score, metrics=metrics, ascii_only=ascii_only) for row in score.rows)
    return fit(headings, [Section(title=None, entries=entries)], width, ascii_only=ascii_only).said(width)


def _entry(row: NoiseRow, score: NoiseScore, *, metrics: bool, ascii_only: bool) -> Entry:
    noise = row.noise
    name = row.key.fullname if row.key.phase is None else f"{row.key.fullname} phase {row.key.phase}"
    texts = [name, *([row.key.metric] if metrics else []), str(row.measured)]
    if noise is None:
        texts += ["-"] * (4 + len(score.per_side)) + ["too few sessions"]
    else:
        texts += [
            percent(noise.deviation),
            percent(noise.worst),
            *(percent(noise.detectable[count]) for count in score.per_side),
            percent(noise.detectable_by_history),
            "over 100" if noise.needed is None else str(noise.needed),
            ", ".join(noise.causes) or "-",
        ]
    return Entry(cells=tuple(Span(sanitize(text, ascii_only=ascii_only)) for text in texts))


def noise_table(score: NoiseScore) -> DataTable:
    """Return the score as plain values; changes are shares, 0.05 is 5 %."""
    columns = (
        *("fullname", "metric", "phase", "backend", "device", "unit", "sessions", "noise", "worst_session"),
        *(f"detectable_{count}_per_side" for count in score.per_side),
        f"detectable_against_{score.history}",
        *("sessions_per_side_needed", "causes", "wall_per_cpu", "round_s", "rounds"),
    )
    facts = {
        "sources": list(score.sources),
        "machine": score.machine,
        "fingerprint": score.fingerprint,
        "sessions": score.sessions,
        "other_machines": score.other_machines,
        "commits": score.commits,
        "contended": score.contended,
        "change": score.change,
        "power": 0.8,
        "confidence": 0.99,
        "selection": score.selection,
    }
    return DataTable(
        schema=NOISE_SCHEMA, columns=columns, rows=[_values(row, score) for row in score.rows], facts=facts
    )


def _values(row: NoiseRow, score: NoiseScore) -> list[object]:
    key, noise = row.key, row.noise
    about: list[object] = [key.fullname, key.metric, key.phase, key.backend, key.device, row.unit, row.measured]
    if noise is None:
        values: list[object] = [None] * (4 + len(score.per_side)) + [[]]
    else:
        values = [noise.deviation, noise.worst, *(noise.detectable[count] for count in score.per_side)]
        values += [noise.detectable_by_history, noise.needed, list(noise.causes)]
    return [*about, *values, row.wall_per_cpu, row.round_s, row.rounds]
