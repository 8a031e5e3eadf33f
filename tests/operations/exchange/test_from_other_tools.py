"""An import as a whole: times that files lack, machines that users name, archives, processes, and sessions twice."""

import shutil
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from tests.contract.test_importers import DATA_FOLDER
from tests.importers.source_files import document, entry, write_json

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.exchange import parallel
from pytest_benchdb.operations.exchange.importing import Imported, ImportRequest, import_files
from pytest_benchdb.operations.exchange.watching import Watch, watch
from pytest_benchdb.store.history.open import open_history

HYPERFINE = DATA_FOLDER / "hyperfine" / "summary.json"


def bring(target: Path, *paths: Path, **changes: Any) -> Imported:
    request = ImportRequest(format="auto", paths=paths, target=str(target), project="p", **changes)
    return import_files(request)


def sums(imported: Imported) -> list[tuple[int, int]]:
    return [(file.sessions, file.known) for file in imported.files]


def environment(target: Path) -> dict[str, Any]:
    with open_history((target,)) as reader:
        return reader.environments()[0]


def test_file_without_a_time_needs_one_from_the_user(tmp_path: Path) -> None:
    (refused,) = bring(tmp_path / "db", HYPERFINE).files

    assert refused.reason == (
        "it does not say when it was measured; say so: --at 2026-01-31T14:00, or --at mtime (of the file)"
    )
    assert sums(bring(tmp_path / "db", HYPERFINE, at="2026-01-31T14:00")) == [(1, 0)]
    with open_history((tmp_path / "db",)) as reader:
        (session,) = reader.sessions()
    assert session.started_at == "2026-01-31T14:00:00.000000"
    assert session.note == "imported without a time; has the time stated at the import"
    with pytest.raises(ConfigError, match="--at 'noon' is not a time"):
        bring(tmp_path / "db", HYPERFINE, at="noon")


def test_copy_of_a_file_without_a_time_adds_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    shutil.copyfile(HYPERFINE, copy)

    assert sums(bring(tmp_path / "db", HYPERFINE, copy, at="mtime")) == [(1, 0), (0, 1)]
    assert sums(bring(tmp_path / "db", copy, at="mtime")) == [(0, 1)]


def test_time_of_the_commit_is_taken_if_the_user_says_so(tmp_path: Path) -> None:
    old = DATA_FOLDER / "asv"

    imported = bring(tmp_path / "db", old, at="commit")

    assert sum(file.sessions for file in imported.files) == 3
    assert sum(file.is_no_result for file in imported.files) == 2


def machines(folder: Path, text: str) -> Path:
    path = folder / "machines.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_results_become_those_of_a_named_machine(tmp_path: Path) -> None:
    stated = machines(tmp_path, '[[machine]]\nname = "build box"\nhostname = "buildbox"\n')
    google, pyperf = (
        DATA_FOLDER / name / file for name, file in (("google-benchmark", "repeated.json"), ("pyperf", "suite.json"))
    )

    imported = bring(tmp_path / "db", google, pyperf, machines=stated)

    assert {problem.text for file in imported.files for problem in file.problems} == {
        "taken as build box, as machines.toml says"
    }
    assert environment(tmp_path / "db")["details"]["machine_name"] == "build box"
    with open_history((tmp_path / "db",)) as reader:
        assert [session.machine_name for session in reader.sessions()] == ["build box"] * 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no machine"),
        ('[[machine]]\nname = "a"\n', "has no condition"),
        ('[[machine]]\nname = "a"\nfiles = "*"\nis = "that"\n', "is = 'that'; write 'this' or a fingerprint"),
        ('[[machine]]\nname = "a"\nfile = "*"\n', "has file; known are cpu, files, hostname, is, name, tool"),
        ("[[machine]\n", "is not valid TOML"),
    ],
)
def test_file_of_machines_that_cannot_be_meant_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason.replace("(", r"\(")):
        bring(tmp_path / "db", HYPERFINE, at="mtime", machines=machines(tmp_path, text))


def test_archive_holds_what_is_stored_and_never_replaces_other_content(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_json(folder / "a" / "x.json", document())
    (folder / "notes.txt").write_text("hello", encoding="utf-8")
    archive = tmp_path / "archive"
    (archive / "a").mkdir(parents=True)
    (archive / "a" / "x.json").write_text("mine", encoding="utf-8")

    for _ in range(2):
        bring(tmp_path / "db", folder, archive=archive)

    kept = sorted(path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file())
    assert len(kept) == 2
    assert (archive / "a" / "x.json").read_text(encoding="utf-8") == "mine"
    other = next(path for path in kept if path != "a/x.json")
    assert (archive / other).read_bytes() == (folder / "a" / "x.json").read_bytes()


@pytest.mark.long
def test_processes_read_what_one_process_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "LEAST_BYTES", 1)

    alone = bring(tmp_path / "alone", DATA_FOLDER, at="mtime")
    together = bring(tmp_path / "together", DATA_FOLDER, at="mtime", workers=2)

    assert together == alone
    assert sum(file.sessions for file in alone.files) > 15


def test_files_with_strange_names_are_imported(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number, name in enumerate(("a\nb.json", "c.json.20260301", "d e\u00e9.json")):
        write_json(folder / name, document(entry(data=[number + 0.5, number + 0.25, number + 0.75])))
    (folder / "loop").symlink_to(folder)
    (folder / "lost.json").symlink_to(folder / "gone")

    assert sums(bring(tmp_path / "db", folder)) == [(1, 0)] * 3


def appeared(folder: Path, name: str, number: int) -> Path:
    return write_json(folder / name, document(entry(data=[number + 0.5, number + 0.25, number + 0.75])))


def test_watch_imports_a_file_once_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    request = ImportRequest(format="auto", paths=(folder,), target=str(tmp_path / "db"), project="p")
    watched = Watch(request, settle_s=2.0)
    whole = appeared(folder, "a.json", 1).read_bytes()
    (folder / "a.json").write_bytes(whole[:100])

    assert watched.poll(0.0) is None
    (folder / "a.json").write_bytes(whole)
    assert watched.poll(1.9) is None
    assert watched.poll(2.5) is None
    imported = watched.poll(4.0)
    assert imported is not None
    assert sums(imported) == [(1, 0)]
    assert watched.poll(9.0) is None
    appeared(folder, "b.json.part", 2)
    appeared(folder, "c.json", 3)
    assert watched.poll(10.0) is None
    imported = watched.poll(13.0)
    assert imported is not None
    assert [Path(file.path).name for file in imported.files] == ["c.json"]


def test_watch_ends_when_asked_to(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    request = ImportRequest(format="auto", paths=(folder,), target=str(tmp_path / "db"), project="p")
    stop, heard = Event(), list[Imported]()

    def tell(imported: Imported) -> None:
        heard.append(imported)
        stop.set()

    appeared(folder, "a.json", 1)
    runner = Thread(target=watch, args=(request, stop, tell), kwargs={"settle_s": 0.05})
    runner.start()
    runner.join(30.0)

    assert not runner.is_alive()
    assert sums(heard[0]) == [(1, 0)]
