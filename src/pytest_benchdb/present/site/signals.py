"""What a site tells without being opened: an Atom feed of changes for the worse, and a badge of the present state."""

import uuid
from collections.abc import Sequence

from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.present.html.shell import render_text
from pytest_benchdb.present.site.rows import SiteRow
from pytest_benchdb.present.writing.units import quantity, unit_for

_MOST_ENTRIES = 100
_WIDE, _NARROW = 7.2, 3.6
"""Widths of characters in the badge's font, in pixels; narrow ones are about half as wide."""
_EDGE = 12
_FILLS = {"bad": "#a3231a", "good": "#11663c", "": "#565f6b"}


def feed_xml(rows: Sequence[SiteRow], *, title: str, project: str, url: str, began: str) -> str:
    """Return an Atom feed (RFC 4287) of the changes for the worse, the newest first.

    Args:
        rows: all histories.
        title: of the site.
        project: name of its author.
        url: address of the site with a slash at the end; empty for links relative to the feed.
        began: when the first session was, ISO 8601 in UTC.
    """
    changes = [(row, change) for row in rows for change in row.changes if change.worse]
    changes.sort(key=lambda pair: (pair[1].at, pair[1].change_id), reverse=True)
    entries = []
    for row, change in changes[:_MOST_ENTRIES]:
        unit = unit_for(row.unit, [change.before, change.after])
        accepted = f"; accepted: {change.accepted}" if change.accepted is not None else ""
        entries.append(
            {
                "title": f"{row.fullname}: {percent_text(change.share)} worse",
                "id": f"urn:uuid:{change.change_id}",
                "published": _instant(change.at),
                "page": row.page,
                "summary": f"{row.metric} from {quantity(change.before, unit)} to {quantity(change.after, unit)}; "
                f"commits {change.commits}; {change.sure}{accepted}",
            }
        )
    return render_text(
        "feed.xml.jinja",
        title=title,
        author=project,
        feed_id=f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, url or project)}",
        updated=entries[0]["published"] if entries else _instant(began),
        url=url,
        entries=entries,
    )


def _instant(iso: str) -> str:
    """Return a stored time as RFC 3339 wants it."""
    return f"{iso[:19]}Z"


def state_text(rows: Sequence[SiteRow]) -> tuple[str, str]:
    """Return the state of all benchmarks in a few words, and whether it is good or bad; neither, if nothing is known.

    >>> state_text([])
    ('no data', '')
    """
    failed = len({row.fullname for row in rows if row.outcome not in {"passed", "skipped", None}})
    worse = len({row.fullname for row in rows if row.is_worse})
    followed = len({row.fullname for row in rows if row.is_followed})
    bad = [f"{number} {word}" for number, word in ((worse, "worse"), (failed, "failed")) if number]
    if bad:
        return ", ".join(bad), "bad"
    if followed:
        return f"none of {followed} worse", "good"
    return ("learning" if any(row.line for row in rows) else "no history" if rows else "no data"), ""


def badge_svg(rows: Sequence[SiteRow]) -> str:
    """Return a badge with the state of all benchmarks."""
    text, style = state_text(rows)
    left = _width("benchmarks")
    return render_text("badge.svg.jinja", text=text, fill=_FILLS[style], left=left, width=left + _width(text))


def _width(text: str) -> int:
    return round(sum(_NARROW if char in "ijl ,.fr1t" else _WIDE for char in text)) + _EDGE
