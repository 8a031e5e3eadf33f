"""The pages of a site: a list of all benchmarks, one page for each, changes, sessions, and how to read them."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb import __version__
from pytest_benchdb.model.answer.picture import SiteContent
from pytest_benchdb.model.compatibility.matrix import Matrix
from pytest_benchdb.model.report import RUN_UNITS, Report, SessionReport, SessionRow
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.html.shell import asset, render_text, script_json
from pytest_benchdb.present.matrix import page as matrix_parts
from pytest_benchdb.present.report.columns import USUAL_OPTIONS
from pytest_benchdb.present.report.page_data import DETAIL_SCRIPTS, sessions_data
from pytest_benchdb.present.report.page_rows import WORDS, page_rows
from pytest_benchdb.present.report.session import facts_of, warnings_of
from pytest_benchdb.present.report.table import run_table
from pytest_benchdb.present.site.rows import SiteChange, SiteRow, page_name
from pytest_benchdb.present.writing.grid import Style, outcome_style
from pytest_benchdb.present.writing.links import commit_url, web_url
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.times import local_minute, local_text
from pytest_benchdb.present.writing.units import quantity, unit_for

STYLE, SCRIPT, SESSIONS = "assets/site.css", "assets/site.js", "data/sessions.js"
"""Names of the files that pages load, besides the data of a benchmark."""

_MATRIX = "matrix.html"
MATRIX_FILES = (f"assets/{matrix_parts.STYLE}", f"assets/{matrix_parts.SCRIPT}", _MATRIX)
"""The page that says what works where, and what it loads besides; a site has it if some run has a place in it."""

_NAV = (
    ("index.html", "Benchmarks"),
    ("changes.html", "Changes"),
    (_MATRIX, "What works where"),
    ("sessions.html", "Sessions"),
    ("about.html", "How to read this"),
)
_MOST_CHANGES = 1000
_SHORT_COMMIT = 8
_DATA_COMMIT, _DATA_MINUTE, _DATA_SUBJECT = 12, 16, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFrame:
    """What all pages of a site share.

    Attributes:
        title: of the site.
        content: what was read.
        has_page: ids of the sessions that have a page.
    """

    title: str
    content: SiteContent
    has_page: frozenset[str]

    def render(self, template: str, *, here: str, heading: str, scripts: Sequence[str] = (), **values: object) -> bytes:
        """Return a page; `here` is its own name."""
        stamp = assets_stamp()
        loaded = [*scripts, f"{SCRIPT}?{stamp}"]
        text = render_text(
            template,
            title=self.title,
            heading=heading,
            here=here,
            root="../" * here.count("/"),
            nav=[one for one in _NAV if one[0] != _MATRIX or self.content.matrix_page is not None],
            stamp=stamp,
            scripts=loaded,
            **values,
        )
        return text.encode("utf-8", "backslashreplace")

    def session_page(self, session_id: str | None) -> str | None:
        """Return the name of a session's page; None if it has none."""
        return f"sessions/{session_id}.html" if session_id in self.has_page else None

    def machine(self, fingerprint: str | None) -> str:
        """Return the name of a machine."""
        name = self.content.machines.get(fingerprint or "")
        return sanitize(name or (fingerprint or "unknown")[:_SHORT_COMMIT])

    def place(self, row: SiteRow, rows: Sequence[SiteRow]) -> str:
        """Return what tells a row from others of the same benchmark."""
        parts = [row.phase and f"phase {row.phase}"]
        if len({other.device for other in rows if other.fullname == row.fullname}) > 1:
            parts.append(row.device or "no device")
        if len({other.machine for other in rows}) > 1:
            parts.append(self.machine(row.machine))
        return ", ".join(filter(None, parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact, and where its text leads; None if nowhere."""

    label: str
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a column."""

    text: str
    kind: str = ""


def assets_stamp() -> str:
    """Return what changes with the scripts and the style of this version, so that browsers load new ones."""
    own = [asset(name) for name in (matrix_parts.STYLE, matrix_parts.SCRIPT)]
    content = "".join([__version__, *own, *(text.decode() for text in _shared_files().values())])
    return hashlib.blake2b(content.encode(), digest_size=5).hexdigest()


def _shared_files() -> dict[str, bytes]:
    script = '"use strict";\n' + "".join(map(asset, (*DETAIL_SCRIPTS, "site.js")))
    return {STYLE: (asset("page.css") + asset("site.css")).encode(), SCRIPT: script.encode()}


def shared_files(content: SiteContent) -> dict[str, bytes]:
    """Return the files that pages load: style, scripts, and the sessions of all histories."""
    sessions = sessions_data(content.sessions, content.marks)
    for key, most in (("placed_at", _DATA_MINUTE), ("commits", _DATA_COMMIT), ("subjects", _DATA_SUBJECT)):
        sessions[key] = [text and text[:most] for text in _texts(sessions[key])]
    return {**_shared_files(), SESSIONS: data_script("sessions", {**sessions, "units": RUN_UNITS})}


def _texts(values: object) -> list[str | None]:
    return list(values) if isinstance(values, list) else []


def data_script(key: str, value: object) -> bytes:
    """Return a script that leaves a value for the scripts of a page: a page from a file may not fetch anything."""
    return f"globalThis.BENCHDB = {{ ...globalThis.BENCHDB, {key}: {script_json(value)} }};\n".encode()


def index_page(frame: SiteFrame, rows: Sequence[SiteRow]) -> bytes:
    """Return the first page: every history with its newest value, those that got worse first."""
    content = frame.content
    newest = max(content.sessions, key=lambda row: row.placed_at, default=None)
    facts = [] if newest is None else list(_newest_facts(frame, newest))
    followed = len(content.sessions)
    of = f" of {content.in_all}" if followed < content.in_all else ""
    facts.append(Fact(label="history", text=f"{counted(followed, 'session')}{of}", url="sessions.html"))
    ordered = sorted(rows, key=lambda row: (not row.is_worse, row.fullname, row.machine or "", row.device or ""))
    kinds = ("", "right", "right", "right", "drawn", "change")
    return frame.render(
        "site_index.html.jinja",
        here="index.html",
        heading="Benchmarks",
        facts=facts,
        counts=_counts(rows),
        heads=[
            Head(text=text, kind=kind)
            for text, kind in zip(
                ("benchmark", "median", "level", "noise", "history", "last change"), kinds, strict=True
            )
        ],
        caption=f"{counted(len({row.fullname for row in rows}), 'benchmark')}{_order(content)}",
        rows=[_index_row(frame, row, rows) for row in ordered],
    )


def _order(content: SiteContent) -> str:
    if content.order_reason is None or len(content.sessions) == 1:
        return "; times are for one iteration"
    return f"; times are for one iteration; sessions are in the order of time: {sanitize(content.order_reason)}"


def _newest_facts(frame: SiteFrame, newest: SessionRow) -> Iterator[Fact]:
    text = local_text(newest.started_at)
    yield Fact(label="newest", text=text, url=frame.session_page(newest.session_id))
    if newest.commit_sha is not None:
        subject = f" {newest.commit_subject}" if newest.commit_subject else ""
        branch = f" ({newest.branch})" if newest.branch else ""
        yield Fact(
            label="commit",
            text=sanitize(f"{newest.commit_sha[:_SHORT_COMMIT]}{subject}{branch}"),
            url=commit_url(newest.remote_url, newest.commit_sha),
        )
    if newest.ci_provider or newest.ci_url:
        yield Fact(label="CI", text=sanitize(newest.ci_provider or newest.ci_url or ""), url=web_url(newest.ci_url))
    yield Fact(label="machine", text=frame.machine(newest.fingerprint))


def _index_row(frame: SiteFrame, row: SiteRow, rows: Sequence[SiteRow]) -> dict[str, object]:
    unit = unit_for(row.unit, [row.value if row.value is not None else row.level])
    change = row.last_change
    return {
        "page": row.page,
        "name": row.fullname,
        "place": frame.place(row, rows),
        "tags": _tags(row),
        "message": row.message if row.value is None else None,
        "style": outcome_style(row.outcome) if row.outcome not in {"passed", None} else "",
        "value": row.value,
        "value_text": quantity(row.value, unit),
        "level": row.level,
        "level_text": quantity(row.level, unit),
        "noise": None if row.noise is None else float(f"{row.noise:.4g}"),
        "noise_text": "-" if row.noise is None else f"{row.noise * 100:.1f} %",
        "line": row.line,
        "line_text": line_text(row),
        "change": change,
        "change_value": "" if change is None or change.share is None else change.share,
        "change_text": "" if change is None else change_text(change),
        "change_where": "" if change is None else _where(change),
        "state": row.state or "-",
    }


def line_text(row: SiteRow) -> str:
    """Return a history in words, for those who cannot see it."""
    changes = ", ".join(change_text(change) for change in row.changes)
    return f"{counted(row.sessions, 'session')}; " + (
        f"changes of level: {changes}" if changes else "no change of level"
    )


def change_text(change: SiteChange) -> str:
    """Return a change with its sign and word."""
    sign, word = WORDS[change.direction]
    return f"{sign} {percent_text(change.share)} {word}"


def _where(change: SiteChange) -> str:
    where = change.commit[:_SHORT_COMMIT] if change.commit else local_minute(change.at)
    return f"at {where}" + (", accepted" if change.accepted is not None else "")


def _tags(row: SiteRow) -> str:
    change = row.last_change
    return " ".join(
        filter(
            None,
            [
                row.outcome,
                None if change is None else "accepted" if change.accepted is not None else change.direction,
                "learning" if row.line and row.sessions_needed else None,
            ],
        )
    )


def _counts(rows: Sequence[SiteRow]) -> list[dict[str, object]]:
    """Return the numbers of rows that one can filter by: outcomes first, then changes."""
    tags = Counter(tag for row in rows for tag in _tags(row).split())
    looks: dict[str, tuple[str, Style]] = {
        "worse": (f"{WORDS['worse'][0]} {{}} changed for the worse", "bad"),
        "better": (f"{WORDS['better'][0]} {{}} changed for the better", "good"),
        "neither": (f"{WORDS['neither'][0]} {{}} changed", ""),
    }
    order = sorted(tags, key=lambda tag: (tag in looks or tag in {"accepted", "learning"}, tag != "passed", tag))
    return [
        {
            "tag": tag,
            "text": looks[tag][0].format(tags[tag]) if tag in looks else f"{tags[tag]} {tag}",
            "style": looks[tag][1] if tag in looks else "" if tag in _CALM else outcome_style(tag),
        }
        for tag in order
    ]


_CALM = {"passed", "accepted", "learning"}


def change_entry(
    frame: SiteFrame, row: SiteRow, change: SiteChange, place: str, remotes: Mapping[str, str | None]
) -> dict[str, object]:
    """Return a row of a table of changes."""
    unit = unit_for(row.unit, [change.before, change.after])
    return {
        "row": row,
        "change": change,
        "place": place,
        "text": change_text(change),
        "before": quantity(change.before, unit),
        "after": quantity(change.after, unit),
        "seen": local_minute(change.at),
        "session": frame.session_page(change.session_id),
        "commit": commit_url(remotes.get(change.session_id), change.commit),
    }


def remotes_of(content: SiteContent) -> dict[str, str | None]:
    """Return the git remote of each session, by id."""
    return {row.session_id: row.remote_url for row in content.sessions}


def changes_page(frame: SiteFrame, rows: Sequence[SiteRow]) -> bytes:
    """Return the page of all changes, the newest first."""
    pairs = [(row, change) for row in rows for change in row.changes]
    pairs.sort(key=lambda pair: (pair[1].at, pair[1].change_id), reverse=True)
    shown = pairs[:_MOST_CHANGES]
    remotes = remotes_of(frame.content)
    tags = Counter(change.direction for _, change in shown)
    looks: dict[str, Style] = {"worse": "bad", "better": "good", "neither": ""}
    followed, learning = (
        sum(row.line is not None and bool(row.sessions_needed) is flag for row in rows) for flag in (False, True)
    )
    more = f" The newest {len(shown)} are shown." if len(shown) < len(pairs) else ""
    waiting = f"; {counted(learning, 'history')} too short to tell" if learning else ""
    return frame.render(
        "site_changes.html.jinja",
        here="changes.html",
        heading="Changes of level",
        summary=f"{len(pairs)} in {followed} histories{waiting}.{more}",
        counts=[
            {"tag": tag, "text": f"{WORDS[tag][0]} {tags[tag]} {WORDS[tag][1]}", "style": looks[tag]}
            for tag in WORDS
            if tags[tag]
        ],
        entries=[change_entry(frame, row, change, frame.place(row, rows), remotes) for row, change in shown],
    )


def matrix_files(frame: SiteFrame, matrix: Matrix) -> dict[str, bytes]:
    """Return `MATRIX_FILES`: the table of `benchdb matrix`, with links to the benchmarks."""
    style, script, here = MATRIX_FILES

    def page_of(fullname: str) -> str | None:
        return f"benchmarks/{page_name(fullname)}.html" if fullname in frame.content.benchmarks else None

    page = frame.render(
        "site_matrix.html.jinja",
        here=here,
        heading=matrix_parts.TITLE,
        scripts=(f"{script}?{assets_stamp()}",),
        with_theme=False,
        **matrix_parts.body_values(matrix, page_of),
    )
    code = f'"use strict";\n{asset(matrix_parts.SCRIPT)}'
    return {style: asset(matrix_parts.STYLE).encode(), script: code.encode(), here: page}


def sessions_page(frame: SiteFrame) -> bytes:
    """Return the list of sessions, the newest first."""
    content = frame.content
    rows = sorted([*content.sessions, *content.excluded], key=lambda row: (row.placed_at, row.session_id), reverse=True)
    return frame.render(
        "site_sessions.html.jinja",
        here="sessions.html",
        heading="Sessions",
        summary=f"{counted(len(rows), 'session')}, the newest first; times are in UTC.",
        sessions=[
            {
                "at": row.placed_at,
                "started": row.placed_at[:16].replace("T", " "),
                "page": frame.session_page(row.session_id),
                "commit": sanitize((row.commit_sha or "-")[:_SHORT_COMMIT]),
                "commit_url": commit_url(row.remote_url, row.commit_sha),
                "subject": sanitize(row.commit_subject or "", limit=_DATA_SUBJECT),
                "branch": sanitize(row.branch or "-"),
                "label": sanitize(row.label or ""),
                "machine": frame.machine(row.fingerprint),
                "outcome": f"excluded: {sanitize(row.excluded)}" if row.excluded is not None else row.outcome,
                "style": outcome_style(row.outcome) if row.outcome != "passed" else "",
                "runs": row.runs,
                "not_passed": row.not_passed,
            }
            for row in rows
        ],
    )


def session_page(frame: SiteFrame, shown: SessionReport) -> bytes:
    """Return the page of a session: what it was, and its runs as in `benchdb report`."""
    session = shown.session
    report = Report(sources=frame.content.sources, sessions=(shown,), sessions_in_all=frame.content.in_all)
    urls = {"commit": commit_url(session.remote_url, session.commit_sha), "CI": web_url(session.ci_url)}
    facts = [
        Fact(label=label, text=sanitize(text), url=urls.get(label))
        for label, text in facts_of(shown, report)
        if label not in {"shown", "data"}  # of the moment when the page was written
    ]
    table = run_table(list(shown.rows), USUAL_OPTIONS)
    rows = page_rows(table, [run.run_id for run in table.rows], frame.content.pictures)
    outcomes = Counter(run.outcome for run in shown.rows)
    heads = [
        Head(text=label, kind="right" if column.align == "right" else "")
        for column, label in zip(table.columns, table.labels(), strict=True)
    ]
    return frame.render(
        "site_session.html.jinja",
        here=f"sessions/{session.session_id}.html",
        heading=f"Session of {local_text(session.started_at)}",
        facts=facts,
        warnings=[sanitize(text) for text in warnings_of(shown)],
        counts=[
            {"tag": tag, "text": f"{number} {tag}", "style": "" if tag == "passed" else outcome_style(tag)}
            for tag, number in outcomes.items()
        ],
        caption=f"{counted(len(rows), 'run')}; times are for one iteration",
        heads=heads,
        rows=[
            {"row": row, "page": page_name(run.fullname), "outcome": run.outcome}
            for row, run in zip(rows, table.rows, strict=True)
        ],
    )


def about_page(frame: SiteFrame) -> bytes:
    """Return the page that says how to read the others."""
    content = frame.content
    sources = ", ".join(sanitize(Path(source).name or source) for source in content.sources)
    return frame.render(
        "site_about.html.jinja",
        here="about.html",
        heading="How to read this",
        sources=f"From {sources}: {counted(len(content.sessions), 'session')}. benchdb trend, benchdb report and "
        "benchdb query answer the same questions in a terminal.",
    )
