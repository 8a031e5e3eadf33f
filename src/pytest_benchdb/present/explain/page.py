"""Explanations for other readers: Markdown, JSON, and an HTML page with flame graphs."""

import html
from collections.abc import Iterator
from dataclasses import asdict

from pytest_benchdb.model.answer.explanation import (
    AllocationChange,
    Explanation,
    Explanations,
    MemoryChange,
    ProfileChange,
)
from pytest_benchdb.present.explain.flame_graph import flame_svg
from pytest_benchdb.present.explain.text import (
    MOST_SHOWN,
    closing_text,
    figures,
    memory_sentences,
    reasons,
    sentences,
    title_text,
    worth_showing,
)
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.values import escape, markdown_table, object_json

EXPLAIN_SCHEMA = "benchdb.explain/1"
_SIDES = 2
_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:80rem;margin:1rem auto;padding:0 1rem}"
    "td,th{padding:.1rem .6rem;text-align:right}td:first-child,th:first-child{text-align:left}svg{max-width:100%}"
)


def explanation_markdown(explanations: Explanations, *, heading: str = "##") -> str:
    """Return explanations as GitHub-flavoured Markdown."""
    parts: list[str] = []
    for one in worth_showing(explanations):
        parts.append(f"{heading} {escape(one.fullname)}\n")
        parts += _markdown_of(one)
    parts.append(escape(closing_text(explanations)) + "\n")
    return "\n".join(parts)


def _markdown_of(one: Explanation) -> Iterator[str]:
    if one.reason is not None:
        yield f"Not explained: {escape(one.reason)}\n"
    for change in (one.python, one.native):
        if change is None:
            continue
        first, *others = sentences(change)
        yield "\n".join([escape(first), "", *(f"- {escape(text.strip())}" for text in others), ""])
        if change.functions:
            yield _markdown_table(change)
    if one.memory is not None:
        first, *others = memory_sentences(one.memory)
        yield "\n".join([escape(first), "", *(f"- {escape(text.strip())}" for text in others), ""])
    if one.notes:
        yield "\n".join([*(f"- Note: {escape(note)}" for note in one.notes), ""])


def _markdown_table(change: ProfileChange) -> str:
    heads = ("function", "calls, base", "calls, head", "itself, base", "itself, head", "caused")
    rows = [[escape(str(one.function)), *figures(one, change)] for one in change.functions[:MOST_SHOWN]]
    return markdown_table(heads, (False, *(True,) * 5), rows)


def explanation_json(explanations: Explanations) -> str:
    """Return everything that is known as one JSON object, without the profiles themselves."""
    content = {
        "base": explanations.base,
        "head": explanations.head,
        "notes": list(explanations.notes),
        "benchmarks": explanation_values(explanations),
    }
    return object_json(EXPLAIN_SCHEMA, content)


def explanation_values(explanations: Explanations) -> list[dict[str, object]]:
    """Return the JSON object of each benchmark."""
    return [_benchmark_values(one) for one in explanations.benchmarks]


def _benchmark_values(one: Explanation) -> dict[str, object]:
    return {
        "benchmark": one.fullname,
        "metric": one.metric,
        "reason": one.reason,
        "python": None if one.python is None else _change_values(one.python),
        "native": None if one.native is None else _change_values(one.native),
        "memory": None if one.memory is None else _memory_values(one.memory),
        "notes": list(one.notes),
    }


def _memory_values(change: MemoryChange) -> dict[str, object]:
    return {
        "unit": "B",
        "base": change.base_peak,
        "head": change.head_peak,
        "variation": change.variation,
        "culprit": None if change.culprit is None else _allocation_values(change.culprit, change),
        "lines": [_allocation_values(one, change) for one in change.lines],
    }


def _allocation_values(one: AllocationChange, change: MemoryChange) -> dict[str, object]:
    return {
        **one.line._asdict(),
        "base_bytes": one.base_bytes,
        "head_bytes": one.head_bytes,
        "base_blocks": one.base_blocks,
        "head_blocks": one.head_blocks,
        "share": change.share(one),
        "callers": [line._asdict() for line in one.callers],
        "keeper": None if one.keeper is None else one.keeper._asdict(),
        "within": None if one.within is None else one.within._asdict(),
    }


def _change_values(change: ProfileChange) -> dict[str, object]:
    culprit = change.culprit
    return {
        "unit": change.unit,
        "base": change.base_total,
        "head": change.head_total,
        "variation": change.variation,
        "culprit": None if culprit is None else {**asdict(culprit.function), "share": change.share(culprit)},
        "because": [] if culprit is None else reasons(culprit, change.unit),
        "functions": [{**asdict(function), "share": change.share(function)} for function in change.functions],
    }


def explanation_html(explanations: Explanations) -> str:
    """Return a page with the explanations and the flame graph of each; it loads nothing and runs nothing."""
    body = [f"<h1>{html.escape(sanitize(title_text(explanations)))}</h1>"]
    for one in worth_showing(explanations):
        body.append(f"<h2>{html.escape(sanitize(one.fullname))}</h2>")
        body += benchmark_html(one)
    body.append(f"<p>{html.escape(sanitize(closing_text(explanations)))}</p>")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    head += f"<title>{html.escape(sanitize(closing_text(explanations)))}</title><style>{_STYLE}</style>"
    lines = ["<!doctype html>", f'<html lang="en"><head>{head}</head>', "<body>", *body, "</body></html>"]
    return "\n".join(lines) + "\n"


def benchmark_html(one: Explanation) -> Iterator[str]:
    """Yield the parts of a page about one benchmark."""
    if one.reason is not None:
        yield f"<p>Not explained: {html.escape(sanitize(one.reason))}</p>"
    for change in (one.python, one.native):
        if change is not None:
            first, *others = (html.escape(sanitize(text.strip())) for text in sentences(change))
            yield f"<p>{first}</p><ul>{''.join(f'<li>{text}</li>' for text in others)}</ul>"
            yield _html_table(change)
    if one.memory is not None:
        first, *others = (html.escape(sanitize(text.strip())) for text in memory_sentences(one.memory))
        yield f"<p>{first}</p><ul>{''.join(f'<li>{text}</li>' for text in others)}</ul>"
    if one.notes:
        yield f"<ul>{''.join(f'<li>Note: {html.escape(sanitize(note))}</li>' for note in one.notes)}</ul>"
    if len(one.profiles) == _SIDES and one.python is not None:
        yield flame_svg(one.fullname, *one.profiles)


def _html_table(change: ProfileChange) -> str:
    heads = ("function", "calls, base", "calls, head", "itself, base", "itself, head", "caused")
    rows = [
        "".join(f"<td>{html.escape(sanitize(text))}</td>" for text in (str(one.function), *figures(one, change)))
        for one in change.functions[:MOST_SHOWN]
    ]
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
