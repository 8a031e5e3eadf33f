"""The folder of a site: it writes what changed, and touches nothing that is not its own."""

import json
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.exchange.output_file import write_file
from pytest_benchdb.operations.site.folder import LIST, open_folder, write_site

FILES = {"data/a.js": b"a", "benchmarks/a.html": b"<p>a", "index.html": b"<p>all"}
ENTRIES = {
    "benchmarks": {"a": {"digest": "1", "files": ["data/a.js", "benchmarks/a.html"], "row": [1]}},
    "sessions": {},
}


def write(path: Path, **files: bytes) -> tuple[int, int, int]:
    done = write_site(open_folder(path), {**FILES, **files}, [], ENTRIES)
    return done.written, done.unchanged, done.removed


def stamps(path: Path) -> dict[str, int]:
    return {str(file.relative_to(path)): file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}


def test_second_time_writes_nothing_and_then_only_what_differs(tmp_path: Path) -> None:
    site = tmp_path / "deep" / "site"

    assert write(site) == (3, 0, 0)
    before = stamps(site)
    assert write(site) == (0, 3, 0)
    assert stamps(site) == before
    assert write(site, **{"index.html": b"<p>new"}) == (1, 2, 0)
    assert {name for name, stamp in stamps(site).items() if stamp != before[name]} == {"index.html", LIST}


def test_folder_knows_the_pages_that_are_whole(tmp_path: Path) -> None:
    write(tmp_path)

    assert open_folder(tmp_path).known.benchmarks == {"a": "1"}
    assert open_folder(tmp_path).rows == {"a": [1]}
    (tmp_path / "data" / "a.js").write_bytes(b"cut off")
    assert open_folder(tmp_path).known.benchmarks == {}
    assert write(tmp_path) == (1, 2, 0)


def test_pages_that_are_kept_stay_and_those_that_are_gone_are_removed(tmp_path: Path) -> None:
    write(tmp_path)

    done = write_site(open_folder(tmp_path), {"index.html": b"<p>all"}, ["data/a.js"], {})

    assert (done.written, done.unchanged, done.removed) == (0, 2, 1)
    assert sorted(stamps(tmp_path)) == [LIST, "data/a.js", "index.html"]


@pytest.mark.parametrize("name", ["index.html", "benchmarks/a.html"])
def test_foreign_file_in_the_way_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / name).write_text("mine", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(ConfigError, match="did not write it"):
        write(tmp_path)

    assert sorted(stamps(tmp_path)) == sorted([name, "notes.txt"])


def test_foreign_files_beside_the_site_stay(tmp_path: Path) -> None:
    (tmp_path / "CNAME").write_text("bench.example", encoding="utf-8")
    write(tmp_path)
    (tmp_path / "benchmarks" / "mine.html").write_text("mine", encoding="utf-8")

    write_site(open_folder(tmp_path), {"index.html": b"<p>all"}, [], {})

    assert sorted(stamps(tmp_path)) == sorted(["CNAME", LIST, "benchmarks/mine.html", "index.html"])


def test_own_page_that_somebody_changed_is_not_removed(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "data" / "a.js").write_text("changed by hand", encoding="utf-8")

    write_site(open_folder(tmp_path), {"index.html": b"<p>all"}, [], {})

    assert (tmp_path / "data" / "a.js").exists()


@pytest.mark.parametrize("link", ["index.html", "benchmarks", LIST])
def test_links_are_not_followed(tmp_path: Path, link: str) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    site.mkdir()
    elsewhere.mkdir()
    target = elsewhere if "." not in link else elsewhere / "file"
    if target != elsewhere:
        target.write_text("precious", encoding="utf-8")
    (site / link).symlink_to(target)

    with pytest.raises(ConfigError, match="is a link"):
        write(site)

    assert [file.read_text(encoding="utf-8") for file in elsewhere.iterdir()] in ([], ["precious"])


@pytest.mark.parametrize("name", ["../precious", "/etc/passwd", "data/../../precious", ".git/config", "notes.txt"])
def test_hostile_list_reaches_nothing_else(tmp_path: Path, name: str) -> None:
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True)
    (tmp_path / "precious").write_bytes(b"x")
    (site / "notes.txt").write_bytes(b"x")
    mark = {"digest": "5e0c0ee6dd7c9f3ee3ef0f7d1f4e6c4a", "size": 1}
    listed = {"schema": "benchdb.site/1", "files": {name: mark}, "benchmarks": {"a": [1]}, "sessions": 5}
    (site / LIST).write_text(json.dumps(listed), encoding="utf-8")

    folder = open_folder(site)
    write_site(folder, {"index.html": b"new"}, [], {})

    assert folder.files == {}
    assert (tmp_path / "precious").read_bytes() == (site / "notes.txt").read_bytes() == b"x"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "other/1"}', '{"schema": "benchdb.site/1", "files": 3}', "\0"]
)
def test_damaged_list_means_that_nothing_is_known(tmp_path: Path, text: str) -> None:
    (tmp_path / LIST).write_text(text, encoding="utf-8")

    assert open_folder(tmp_path).files == {}
    assert write(tmp_path) == (3, 0, 0)


def test_interrupted_site_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Path] = []

    def fail_at_the_third(path: Path, pieces: list[bytes]) -> None:
        if len(done) == 2:
            raise ConfigError(f"{path} cannot be written: No space left on device")
        done.append(path)
        write_file(path, pieces)

    monkeypatch.setattr("pytest_benchdb.operations.site.folder.write_file", fail_at_the_third)
    with pytest.raises(ConfigError, match="No space left"):
        write(tmp_path)
    monkeypatch.undo()

    assert not (tmp_path / "index.html").exists()
    assert open_folder(tmp_path).known.benchmarks == {}
    assert write(tmp_path) == (2, 1, 0)


def test_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "site"
    file.write_text("mine", encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data").write_text("mine", encoding="utf-8")

    with pytest.raises(ConfigError, match="is not a folder"):
        open_folder(file)
    with pytest.raises(ConfigError, match="is a file"):
        write(tmp_path / "other")
