"""`benchdb site`: pages that lead to each other, written once, from a history of any kind."""

import json
import random
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag
from xml.etree import ElementTree as ET

import pytest

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Commit, Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.present.site.rows import page_name
from pytest_benchdb.present.writing.text import sanitize

pytest.importorskip("jinja2")

HOSTILE = "test_\"><img src=x onerror=alert(1)>'</script>\u2028`../../|[1]\u202e"
SORT, PARSE = "tests/test_a.py::test_sort[10]", "tests/test_a.py::test_parse"
SESSIONS = 16
ATOM = "{http://www.w3.org/2005/Atom}"


class Page(HTMLParser):
    """The elements of a page that name something else."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.tags: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if tag in {"script", "link", "img", "iframe"}:
            self.loaded.append(given.get("src") or given.get("href") or "")


def write_history(folder: Path, new_session: Callable[..., Any], new_run: Callable[..., Any], sessions: int) -> None:
    """Write a history in which ``test_parse`` became 30 % slower after half of the sessions."""
    chance = random.Random(3)  # noqa: S311
    for at in range(sessions):
        runs = []
        for place, name in enumerate((SORT, PARSE, f"tests/test_a.py::{HOSTILE}")):
            level = 10.0 ** -(place + 3) * (1.3 if name == PARSE and at >= sessions // 2 else 1)
            runs.append(new_run(name, [level * chance.uniform(1, 1.02) for _ in range(5)]))
        runs.append(new_run("tests/test_a.py::test_broken", None, outcome="failed", reason="AssertionError: <b>no</b>"))
        commit = Commit(sha=f"{at + 1:040x}", branch="main", dirty=False, remote_url="git@github.com:me/demo.git")
        new_session(folder, runs, at=at, commit=commit, label="<i>nightly</i>" if at == 2 else None)


@pytest.fixture(scope="module")
def history(
    tmp_path_factory: pytest.TempPathFactory, new_session: Callable[..., Any], new_run: Callable[..., Any]
) -> Path:
    folder = tmp_path_factory.mktemp("history") / "results"
    write_history(folder, new_session, new_run, SESSIONS)
    return folder


class Table(HTMLParser):
    """The matrix of a page: its states by row and column, and where its rows lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.states: dict[tuple[str, str], str] = {}
        self.rows: dict[str, str | None] = {}
        self._row, self._column, self._link = "", "", ""
        self._reads = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "th":
            self._row, self._link = "", ""
            self._reads = "row" if given.get("scope") == "row" else ""
        if tag == "a" and self._reads == "row":
            self._link = given["href"]
        if tag == "td":
            self._column = given.get("data-label", "")
        if tag == "span" and given.get("class") == "state":
            self._reads = "state"

    def handle_endtag(self, tag: str) -> None:
        if tag == "th" and self._reads == "row":
            self.rows[self._row] = self._link or None
        if tag in {"th", "span"}:
            self._reads = ""

    def handle_data(self, data: str) -> None:
        if self._reads == "row":
            self._row += data
        if self._reads == "state":
            self.states[self._row, self._column] = data.split(maxsplit=1)[1]


def files(site: Path) -> dict[str, int]:
    return {str(file.relative_to(site)): file.stat().st_mtime_ns for file in site.rglob("*") if file.is_file()}


def page_of(site: Path, name: str) -> str:
    return (site / "benchmarks" / f"{page_name(name)}.html").read_text(encoding="utf-8")


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(
    benchdb: Callable[..., Any], history: Path, tmp_path: Path
) -> None:
    ended = benchdb("site", str(history), "-o", str(tmp_path / "site"))

    assert (ended.status, ended.out) == (0, "")
    assert "1 worse, 1 failed" in ended.err
    pages = [Page(path) for path in (tmp_path / "site").rglob("*.html")]
    assert len(pages) == 5 + 4 + SESSIONS
    for page in pages:
        assert "Content-Security-Policy" in page.path.read_text(encoding="utf-8")
        assert page.inline == []
        for link in [*page.links, *page.loaded]:
            if link.startswith("https://github.com/me/demo/commit/"):
                continue
            assert not re.match(r"[a-z]+:|//", link), link
            target = (page.path.parent / unquote(urldefrag(link)[0].partition("?")[0])).resolve()
            assert target == page.path.parent or target.is_file(), link
    assert all("img" not in page.tags for page in pages)


def test_what_did_not_pass_has_no_number_and_what_changed_says_where(
    benchdb: Callable[..., Any], history: Path, tmp_path: Path
) -> None:
    benchdb("site", str(history), "-o", str(tmp_path))

    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "failed: AssertionError: &lt;b&gt;no&lt;/b&gt;" in index
    assert index.index("test_parse") < index.index("test_broken") < index.index("test_sort")
    assert "\N{BLACK UP-POINTING TRIANGLE} +30" in index
    parse = page_of(tmp_path, PARSE)
    assert "00000000..00000000" in parse
    assert f"https://github.com/me/demo/commit/{SESSIONS // 2 + 1:040x}" in parse
    assert "label &lt;i&gt;nightly&lt;/i&gt;" in page_of(tmp_path, SORT)
    assert "1 worse, 1 failed" in (tmp_path / "badge.svg").read_text(encoding="utf-8")


def test_data_is_in_scripts_that_hold_nothing_but_data(
    benchdb: Callable[..., Any], history: Path, tmp_path: Path
) -> None:
    benchdb("site", str(history), "-o", str(tmp_path))

    for path in (tmp_path / "data").glob("*.js"):
        text = path.read_text(encoding="ascii")
        match = re.fullmatch(r"globalThis\.BENCHDB = \{ \.\.\.globalThis\.BENCHDB, \w+: (.*) \};\n", text)
        assert match is not None
        json.loads(match[1])
        assert "<" not in match[1]


def test_feed_is_atom_and_its_ids_stay(
    benchdb: Callable[..., Any],
    history: Path,
    new_session: Callable[..., Any],
    new_run: Callable[..., Any],
    tmp_path: Path,
) -> None:
    results, site = tmp_path / "more", tmp_path / "site"
    shutil.copytree(history, results)
    url = "https://me.github.io/demo"
    benchdb("site", str(results), "-o", str(site), "--url", url, "--title", "A & B")
    before = ET.parse(site / "feed.xml").getroot()  # noqa: S314 - ours
    for at in range(SESSIONS, SESSIONS + 2):
        new_session(results, [new_run(PARSE, [1.31e-4, 1.32e-4, 1.31e-4])], at=at)
    benchdb("site", str(results), "-o", str(site), "--url", url, "--title", "A & B")
    after = ET.parse(site / "feed.xml").getroot()  # noqa: S314 - ours

    for feed in (before, after):
        assert feed.tag == f"{ATOM}feed"
        assert [feed.findtext(f"{ATOM}{name}") is not None for name in ("id", "title", "updated")] == [True] * 3
        (entry,) = feed.findall(f"{ATOM}entry")
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", entry.findtext(f"{ATOM}id") or "")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry.findtext(f"{ATOM}updated") or "")
        assert "test_parse" in (entry.findtext(f"{ATOM}title") or "")
        (link,) = entry.findall(f"{ATOM}link")
        assert link.get("href") == f"{url}/benchmarks/{page_name(PARSE)}.html"
    ids = [feed.findtext(f"{ATOM}entry/{ATOM}id") for feed in (before, after)]
    assert ids[0] == ids[1]


def test_second_run_writes_what_has_a_new_session_and_nothing_else(
    benchdb: Callable[..., Any], new_session: Callable[..., Any], new_run: Callable[..., Any], tmp_path: Path
) -> None:
    results, site = tmp_path / "more", tmp_path / "site"
    write_history(results, new_session, new_run, 4)
    benchdb("site", str(results), "-o", str(site), "--session-pages", "1")
    before = files(site)

    assert "0 files written" in benchdb("site", str(results), "-o", str(site), "--session-pages", "1").err
    assert files(site) == before
    made = new_session(results, [new_run(SORT, [1e-3, 1.1e-3])], at=4)
    benchdb("site", str(results), "-o", str(site), "--session-pages", "1")

    name = page_name(SORT)
    changed = {file for file, stamp in files(site).items() if before.get(file) != stamp}
    assert changed == {
        *(f"benchmarks/{name}.html", f"data/{name}.js", f"sessions/{made.session_id}.html"),
        *("index.html", "sessions.html", "about.html", "matrix.html", "data/sessions.js", "benchdb-site.json"),
    }
    assert len(list((site / "sessions").iterdir())) == 2  # the page that there was stays
    from_nothing = tmp_path / "fresh"
    benchdb("site", str(results), "-o", str(from_nothing), "--session-pages", "2")
    for path in from_nothing.rglob("*.html"):
        assert path.read_text(encoding="utf-8") == (site / path.relative_to(from_nothing)).read_text(encoding="utf-8")


def test_hostile_names_become_safe_files(benchdb: Callable[..., Any], history: Path, tmp_path: Path) -> None:
    benchdb("site", str(history), "-o", str(tmp_path / "site"))

    names = [file for file in files(tmp_path / "site") if file != "benchdb-site.json"]
    assert all(re.fullmatch(r"(?:[a-z]+/)?[A-Za-z0-9._-]{1,90}", name) for name in names)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("name", ["", ".", "..", "CON", "a" * 300, "\ud800", "\N{SNOWMAN}", "A", "a"])
def test_any_name_becomes_a_page_of_its_own(name: str) -> None:
    page = page_name(f"tests/test_a.py::{name}")

    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", page)
    assert page.casefold() != page_name(f"tests/test_a.py::{name}x").casefold()


def test_one_session_gives_a_site_that_promises_nothing(
    benchdb: Callable[..., Any], new_session: Callable[..., Any], new_run: Callable[..., Any], tmp_path: Path
) -> None:
    new_session(tmp_path / "one", [new_run(SORT, [1e-3])])

    ended = benchdb("site", str(tmp_path / "one"), "-o", str(tmp_path / "site"))

    assert ended.status == 0
    assert "no history" in ended.err
    assert "no history" in (tmp_path / "site" / "badge.svg").read_text(encoding="utf-8")
    assert "<entry>" not in (tmp_path / "site" / "feed.xml").read_text(encoding="utf-8")
    assert "One session has no history to draw" in page_of(tmp_path / "site", SORT)


def test_bad_input_ends_with_one_line(benchdb: Callable[..., Any], history: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "index.html").write_text("mine", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    source = str(history)

    for arguments, status, text in (
        ((source, "-o", str(tmp_path / "file")), 2, "is not a folder"),
        ((source, "-o", str(tmp_path / "foreign")), 2, "did not write it"),
        ((source, "-o", "/proc/site"), 2, "cannot be written"),
        ((str(tmp_path / "empty"), "-o", str(tmp_path / "site")), 5, "no session"),
        ((source, "-o", str(tmp_path / "site"), "--url", "javascript:x"), 2, "--url"),
        ((source, "-o", str(tmp_path / "site"), "--branch", "nowhere"), 2, "nowhere"),
        ((source,), 2, "-o"),
    ):
        ended = benchdb("site", *arguments)
        assert (ended.status, ended.out) == (status, ""), ended.err
        assert text in ended.err
        assert "Traceback" not in ended.err
    assert (tmp_path / "foreign" / "index.html").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "site").exists()


def test_damaged_rows_of_an_earlier_site_are_made_again(
    benchdb: Callable[..., Any], history: Path, tmp_path: Path
) -> None:
    benchdb("site", str(history), "-o", str(tmp_path))
    index = (tmp_path / "index.html").read_bytes()
    listed = json.loads((tmp_path / "benchdb-site.json").read_text(encoding="utf-8"))
    for entry in listed["benchmarks"].values():
        entry["row"] = [{"fullname": "<script>"}]
    (tmp_path / "benchdb-site.json").write_text(json.dumps(listed), encoding="utf-8")

    ended = benchdb("site", str(history), "-o", str(tmp_path))

    assert ended.status == 0
    assert (tmp_path / "index.html").read_bytes() == index


def test_matrix_page_has_the_states_that_benchdb_matrix_has(
    benchdb: Callable[..., Any], new_session: Callable[..., Any], new_run: Callable[..., Any], tmp_path: Path
) -> None:
    chance = random.Random(7)  # noqa: S311
    devices = [Device(device_id=content_id("device", name), backend=name, name=name) for name in ("cpu", "cuda", "mps")]
    outcomes = ("passed", "failed", "oom", "timeout", "unsupported", "skipped")
    for at in range(3):
        runs = []
        for number, model in enumerate(("bert", HOSTILE) * 4):
            outcome = chance.choice(outcomes)
            runs.append(
                new_run(
                    f"tests/test_a.py::{HOSTILE}[{number}]",
                    [1e-3] * 3 if outcome == "passed" else None,
                    labels=Labels(model=model),
                    device_id=devices[chance.randrange(3)].device_id,
                    outcome=outcome,
                    reason=None if outcome == "passed" else f"{HOSTILE}: {at}",
                )
            )
        new_session(tmp_path / "results", runs, at=at, devices=tuple(devices))
    results, site = str(tmp_path / "results"), tmp_path / "site"

    ended = benchdb("site", results, "-o", str(site))
    answer = json.loads(benchdb("matrix", results, "-f", "json").out)

    assert ended.status == 0, ended.err
    page, table = Page(site / "matrix.html"), Table(site / "matrix.html")
    assert table.states == {(cell["row"], cell["column"]): cell["state"] for cell in sanitized(answer["cells"])}
    assert len(set(table.states.values())) > 2
    assert set(table.rows.values()) == {None}  # models have no page
    runs_of_cells = {run["fullname"] for cell in answer["cells"] for run in cell["runs"]}
    assert {f"benchmarks/{page_name(name)}.html" for name in runs_of_cells} <= set(page.links)
    assert "img" not in page.tags


def sanitized(cells: Any) -> Any:
    """Return cells with names as pages write them."""
    return [{**cell, "row": sanitize(cell["row"])} for cell in cells]


def test_rows_of_the_matrix_lead_to_their_benchmarks(
    benchdb: Callable[..., Any], history: Path, tmp_path: Path
) -> None:
    benchdb("site", str(history), "-o", str(tmp_path))

    rows = Table(tmp_path / "matrix.html").rows
    assert rows.pop("pass/tested") is None
    assert len(rows) == 4
    assert rows[PARSE] == f"benchmarks/{page_name(PARSE)}.html"
    assert all(link is not None and (tmp_path / link).is_file() for link in rows.values())


def test_pages_link_to_the_matrix_as_soon_as_there_is_one(
    benchdb: Callable[..., Any], new_session: Callable[..., Any], new_run: Callable[..., Any], tmp_path: Path
) -> None:
    results, site = tmp_path / "results", tmp_path / "site"
    new_session(results, [new_run(SORT, [1e-3], device_id=None)])
    benchdb("site", str(results), "-o", str(site))

    assert not [name for name in files(site) if "matrix" in name]
    assert all("matrix.html" not in link for path in site.rglob("*.html") for link in Page(path).links)
    new_session(results, [new_run(PARSE, [1e-3])], at=1)
    benchdb("site", str(results), "-o", str(site))

    assert Table(site / "matrix.html").states == {(PARSE, "cpu"): "pass"}
    for path in site.rglob("*.html"):
        assert any(link.endswith("matrix.html") for link in Page(path).links), path
    assert "0 files written" in benchdb("site", str(results), "-o", str(site)).err
    (site / "matrix.html").unlink()
    assert "1 file written" in benchdb("site", str(results), "-o", str(site)).err
    assert (site / "matrix.html").is_file()
