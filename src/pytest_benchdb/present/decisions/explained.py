"""Explanations of regressions as parts of a page: sentences, tables of functions, flame graphs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_benchdb.model.answer.explanation import Explanation, Explanations, ProfileChange
from pytest_benchdb.present.decisions.parts import LONGEST_NAME, text_of
from pytest_benchdb.present.explain.flame_graph import flame_svg
from pytest_benchdb.present.explain.text import (
    MOST_SHOWN,
    closing_text,
    figures,
    memory_sentences,
    sentences,
    title_text,
    worth_showing,
)

if TYPE_CHECKING:
    from markupsafe import Markup

_SIDES = 2
_MOST_EXPLAINED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedBenchmark:
    """Why one benchmark regressed.

    Attributes:
        paragraphs: what differs, each with its reasons.
        tables: the functions that differ; a row for each, its name first.
        flame: the flame graph; None without profiles of both sides.
    """

    title: str
    reason: str
    paragraphs: Sequence[tuple[str, Sequence[str]]]
    tables: Sequence[Sequence[Sequence[str]]]
    notes: Sequence[str]
    flame: "Markup | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """All explanations of a page."""

    title: str
    closing: str
    benchmarks: Sequence[ExplainedBenchmark]


def explained_parts(explanations: Explanations) -> Explained:
    """Return what a page shows of explanations."""
    return Explained(
        title=text_of(title_text(explanations)),
        closing=text_of(closing_text(explanations)),
        benchmarks=[_benchmark(one) for one in worth_showing(explanations)[:_MOST_EXPLAINED]],
    )


def _benchmark(one: Explanation) -> ExplainedBenchmark:
    changes = [change for change in (one.python, one.native) if change is not None]
    paragraphs = [_paragraph(sentences(change)) for change in changes]
    if one.memory is not None:
        paragraphs.append(_paragraph(memory_sentences(one.memory)))
    return ExplainedBenchmark(
        title=text_of(one.fullname, LONGEST_NAME),
        reason=text_of(one.reason),
        paragraphs=paragraphs,
        tables=[_table(change) for change in changes if change.functions],
        notes=[text_of(note) for note in one.notes],
        flame=_flame(one),
    )


def _paragraph(texts: Sequence[str]) -> tuple[str, list[str]]:
    first, *others = (text_of(text.strip()) for text in texts)
    return first, others


def _table(change: ProfileChange) -> list[list[str]]:
    return [
        [text_of(str(one.function), LONGEST_NAME), *map(text_of, figures(one, change))]
        for one in change.functions[:MOST_SHOWN]
    ]


def _flame(one: Explanation) -> "Markup | None":
    if len(one.profiles) != _SIDES or one.python is None:
        return None
    from markupsafe import Markup

    # Its own style would need a hash of its own in the page's policy; the page's style sheet has the same rules.
    return Markup(flame_svg(one.fullname, *one.profiles, styled=False))  # noqa: S704 - escapes each of its texts
