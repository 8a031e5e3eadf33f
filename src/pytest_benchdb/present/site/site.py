"""All files of a site, in the order in which they are to be written: what a page loads or links to goes before it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_benchdb.model.answer.picture import SiteContent
from pytest_benchdb.model.compatibility.matrix import Matrix
from pytest_benchdb.present.site.benchmark_page import benchmark_files
from pytest_benchdb.present.site.pages import (
    MATRIX_FILES,
    SiteFrame,
    about_page,
    assets_stamp,
    changes_page,
    index_page,
    matrix_files,
    session_page,
    sessions_page,
    shared_files,
)
from pytest_benchdb.present.site.rows import SiteRow, as_plain, from_plain, page_name, rows_of
from pytest_benchdb.present.site.signals import badge_svg, feed_xml, state_text
from pytest_benchdb.present.writing.text import sanitize


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFiles:
    """A site as it is to be written.

    Attributes:
        files: new files by name, in the order in which they are to be written.
        kept: names of the files that stay as they are.
        entries: what the site keeps of its benchmarks, sessions and further pages.
        state: the state of all benchmarks in a few words.
    """

    files: Mapping[str, bytes]
    kept: tuple[str, ...]
    entries: Mapping[str, object]
    state: str


def made_by(title: str, url: str) -> str:
    """Return what all pages depend on besides the history."""
    return f"{assets_stamp()}\n{title}\n{url}"


def known_rows(kept: Mapping[str, object]) -> dict[str, tuple[SiteRow, ...]]:
    """Return the rows that an earlier site kept, by full name, as far as they can be read."""
    return {fullname: rows for fullname, found in kept.items() if (rows := from_plain(found)) is not None}


def site_files(
    content: SiteContent, matrix: Matrix | None, known: Mapping[str, tuple[SiteRow, ...]], *, title: str, url: str
) -> SiteFiles:
    """Return the files of a site.

    Args:
        content: what was read.
        matrix: the compatibility matrix; None if the site has its page, or is to have none.
        known: rows of the benchmarks that the site has already, by full name.
        title: of the site.
        url: its address with a slash at the end; empty if it is not known.
    """
    frame = SiteFrame(title=sanitize(title), content=content, has_page=frozenset(content.session_pages))
    changed = {history.fullname: history for history in content.changed}
    files: dict[str, bytes] = {}
    kept: list[str] = []
    rows: list[SiteRow] = []
    benchmarks: dict[str, object] = {}
    for fullname, digest in content.benchmarks.items():
        before = known.get(fullname, ())
        name = page_name(fullname)
        own = [f"data/{name}.js", f"benchmarks/{name}.html"]
        if fullname in changed:
            found = rows_of(changed[fullname], content, before)
            files |= benchmark_files(frame, changed[fullname], found)
        else:
            found = before
            kept += own
        rows += found
        benchmarks[fullname] = {"digest": digest, "files": own, "row": as_plain(found)}
    for shown in content.changed_sessions:
        files[f"sessions/{shown.session.session_id}.html"] = session_page(frame, shown)
    pages = {session_id: f"sessions/{session_id}.html" for session_id in content.session_pages}
    kept += [page for page in pages.values() if page not in files]
    if matrix is not None:
        files |= matrix_files(frame, matrix)
    elif content.matrix_page is not None:
        kept += MATRIX_FILES
    project = sanitize(content.sessions[-1].project)
    began = min(row.placed_at for row in content.sessions)
    first = {
        **shared_files(content),
        **files,
        "sessions.html": sessions_page(frame),
        "changes.html": changes_page(frame, rows),
        "about.html": about_page(frame),
        "index.html": index_page(frame, rows),
        "feed.xml": feed_xml(rows, title=frame.title, project=project, url=url, began=began).encode(),
        "badge.svg": badge_svg(rows).encode(),
    }
    return SiteFiles(
        files=first,
        kept=tuple(kept),
        entries={"benchmarks": benchmarks, **_entries(content, pages)},
        state=state_text(rows)[0],
    )


def _entries(content: SiteContent, pages: Mapping[str, str]) -> dict[str, object]:
    """Return what the site keeps of its sessions, whose pages are named by id, and of further pages."""
    matrix = {"digest": content.matrix_page, "files": MATRIX_FILES}
    return {
        "sessions": {
            session_id: {"digest": digest, "files": [pages[session_id]]}
            for session_id, digest in content.session_pages.items()
        },
        "pages": {} if content.matrix_page is None else {"matrix": matrix},
    }
