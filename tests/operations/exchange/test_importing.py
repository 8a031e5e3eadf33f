import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.importers.source_files import document, entry, write_csv, write_json, write_rows

from pytest_benchdb.errors import ConfigError, ForeignFileError, StoreMissingError
from pytest_benchdb.model.imported import ImportedRun, ImportedSession
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.operations.exchange import importing as exchange
from pytest_benchdb.operations.exchange.importing import Imported, ImportRequest, import_files
from pytest_benchdb.operations.exchange.open import Feedback, as_sources, open_source


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def bring(*paths: Path, target: Path | str = "db", name: str = "auto", **changes: Any) -> Imported:
    return import_files(ImportRequest(format=name, paths=paths, target=str(target), **changes))


def outcomes(imported: Imported) -> list[tuple[int, int, int]]:
    return [(one.sessions, one.known, one.refused) for one in imported.files]


def rows(target: Path | str = "db") -> list[dict[str, Any]]:
    with open_source((Path(target),)) as reader:
        return reader.runs()


@pytest.mark.parametrize("target", ["db", "one.duckdb"])
def test_import_twice_adds_nothing(target: str, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", document())

    first, second = bring(path, target=target), bring(path, target=target)

    assert (outcomes(first), outcomes(second)) == ([(1, 0, 0)], [(0, 1, 0)])
    assert len(rows(target)) == 1


def test_import_of_the_same_session_with_and_without_its_rounds_is_one(tmp_path: Path) -> None:
    whole = write_json(tmp_path / "a.json", document())
    saved = document(entry(data=None), datetime="2026-11-21T08:00:00.260000+00:00")

    imported = bring(whole, write_json(tmp_path / "0001_x.json", saved))

    assert outcomes(imported) == [(1, 0, 0), (0, 1, 0)]


def test_import_of_a_table_that_has_grown_adds_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    bring(write_csv(path, "a,2026-01-01,sort,1"))

    imported = bring(write_csv(path, "a,2026-01-01,sort,1", "b,2026-01-02,sort,1"))

    assert outcomes(imported) == [(1, 1, 0)]


def test_import_of_a_folder_takes_what_is_saved_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    write_json(folder / ".benchmarks" / "Linux-CPython-3.11-64bit" / "0001_a.json", document())
    write_json(folder / ".hidden" / "0001_a.json", document())
    (folder / "README.md").write_text("no results")

    imported = bring(folder)

    assert [Path(one.path).name for one in imported.files] == ["0001_a.json"]
    assert [Path(path).name for path in imported.passed_over] == ["README.md"]


def test_import_keeps_the_good_files_of_many(tmp_path: Path) -> None:
    good = write_json(tmp_path / "files" / "0001_a.json", document())
    (tmp_path / "files" / "0002_b.json").write_bytes(good.read_bytes()[:300])
    (tmp_path / "files" / "0003_c.json").touch()

    imported = bring(tmp_path / "files")

    assert [one.reason is None for one in imported.files] == [True, False, False]
    assert [one.sessions for one in imported.files] == [1, 0, 0]
    assert len(rows()) == 1


def test_import_reports_and_stores_what_was_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "a,2026-01-01,sort,1", "a,2026-01-01,sort,x")

    imported = bring(path)

    assert [(problem.place, problem.refused) for problem in imported.files[0].problems] == [("line 3", True)]
    with open_source((Path("db"),)) as reader:
        (source,) = reader.query("SELECT * FROM source_file WHERE importer = 'csv'").rows
    assert str(path) in source
    assert any("1 left out; the first: line 3: value is 'x'" in str(cell) for cell in source)


def test_import_strict_imports_nothing_from_a_file_with_a_problem(tmp_path: Path) -> None:
    bad = write_csv(tmp_path / "bad.csv", "a,2026-01-01,sort,1", "a,2026-01-01,sort,x")
    good = write_csv(tmp_path / "good.csv", "b,2026-01-01,sort,1")

    imported = bring(bad, good, strict=True)

    assert [one.sessions for one in imported.files] == [0, 1]
    assert imported.files[0].reason == "--strict: 1 of its items cannot be read"


def test_import_dry_run_writes_nothing(tmp_path: Path) -> None:
    imported = bring(write_rows(tmp_path / "t.csv"), dry_run=True)

    assert outcomes(imported) == [(2, 0, 0)]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["t.csv"]


def test_import_leaves_nothing_beside_the_sessions(tmp_path: Path) -> None:
    bring(write_rows(tmp_path / "t.csv"))

    assert [entry.suffix for entry in (tmp_path / "db").iterdir()] == [".duckdb"]


def test_import_names_sessions_and_project_as_asked(tmp_path: Path) -> None:
    bring(write_rows(tmp_path / "t.csv"), project="mine", label="old", tags={"from": "ci"})

    with open_source((Path("db"),)) as reader:
        sessions = reader.sessions()
    assert [(one.project, one.label, one.tags, one.kind) for one in sessions] == [
        ("mine", "old", {"from": "ci"}, "import")
    ] * 2


@pytest.mark.parametrize(
    ("asked", "in_file", "project"),
    [(None, None, "checkout"), (None, "theirs", "theirs"), ("mine", "theirs", "mine")],
    ids=["folder", "file", "user"],
)
def test_import_takes_the_project_from_user_then_file_then_folder(
    asked: str | None, in_file: str | None, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    source = write_json(folder / "a.json", document(commit_info={"project": in_file}))

    bring(source, project=asked)

    with open_source((Path("db"),)) as reader:
        assert [session.project for session in reader.sessions()] == [project]
        assert {row["project"] for row in reader.runs()} == {project}


def test_import_stores_what_the_file_says(tmp_path: Path) -> None:
    bring(write_json(tmp_path / "0001_mine.json", document()))

    with open_source((Path("db"),)) as reader:
        (session,) = reader.sessions()
        (run,) = reader.runs()
        (samples,) = reader.samples()
        (measurement,) = reader.measurements()
    assert (session.started_at, session.label, session.branch) == ("2026-11-21T08:00:00.250000", "mine", "main")
    assert (run["provenance"], run["outcome"], run["iterations"]) == ("imported", "passed", 2)
    assert samples["samples"] == [1.5e-3, 1.25e-3, 1.75e-3]
    assert (measurement["provenance"], measurement["valid"], measurement["median"]) == ("imported", True, 1.5e-3)


def test_import_into_a_history_knows_sessions_of_merged_files(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "t.csv")
    bring(path, target="db/all.duckdb")

    assert outcomes(bring(path, target="db")) == [(0, 2, 0)]


def test_import_of_an_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="FORMAT 'xml' is unknown; write one of auto, benchdb, pytest-benchmark"):
        bring(write_rows(tmp_path / "t.csv"), name="xml")


def test_import_of_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        bring(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("name", "text"),
    [("auto", "its format is unknown; known formats: benchdb, pytest-benchmark, "), ("csv", "it is not a csv file")],
)
def test_import_of_a_named_file_without_an_importer_is_reported(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")

    (outcome,) = bring(path, name=name).files

    assert outcome.reason is not None
    assert outcome.reason.startswith(text)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_import_waits_for_no_pipe(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    write_json(folder / "a.json", document())
    os.mkfifo(folder / "pipe.json")

    assert outcomes(bring(folder)) == [(1, 0, 0)]
    with pytest.raises(ConfigError, match="is neither a file nor a folder"):
        bring(folder / "pipe.json")


class Rough:
    """An importer of another package, which breaks off after its first session."""

    name = "rough"

    def can_read(self, path: Path, _head: bytes) -> bool:
        return path.suffix == ".rough"

    def read(self, _path: Path) -> Iterator[Any]:
        measurement = Measurement(metric="wall_time", unit="s", better="lower", value=1.0)
        run = ImportedRun(fullname="a", measurements=(measurement,))
        yield ImportedSession(started_unix_us=1, tool="rough", runs=(run,))
        raise ZeroDivisionError("oops")


class Interrupted(Rough):
    def read(self, _path: Path) -> Iterator[Any]:
        raise RuntimeError("Query interrupted")  # what DuckDB raises for Ctrl-C


def test_import_ends_with_ctrl_c_within_a_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "find_importers", lambda: ({"rough": Interrupted()}, {}))
    (tmp_path / "a.rough").touch()

    with pytest.raises(KeyboardInterrupt):
        bring(tmp_path / "a.rough")


def test_import_imports_nothing_from_a_file_whose_importer_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "find_importers", lambda: ({"rough": Rough()}, {"other": "no licence"}))
    (tmp_path / "a.rough").touch()

    imported = bring(tmp_path / "a.rough")

    assert imported.files[0].reason == "the importer rough failed with ZeroDivisionError: oops"
    assert imported.left_out == {"other": "no licence"}
    assert not (tmp_path / "db").exists()


@pytest.mark.parametrize(
    "item",
    [
        "text",
        ImportedSession(started_unix_us=1, tool="rough", runs=()),
        ImportedSession(started_unix_us=-1, tool="rough", runs=(ImportedRun(fullname="a", measurements=()),)),
        ImportedSession(started_unix_us=2**62, tool="rough", runs=(ImportedRun(fullname="a", measurements=()),)),
    ],
    ids=["text", "no-runs", "before-1970", "far-future"],
)
def test_import_refuses_what_an_importer_may_not_give(
    item: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer = Rough()
    monkeypatch.setattr(importer, "read", lambda _path: iter([item]))
    monkeypatch.setattr(exchange, "find_importers", lambda: ({"rough": importer}, {}))
    (tmp_path / "a.rough").touch()

    (outcome,) = bring(tmp_path / "a.rough").files

    assert (outcome.sessions, outcome.refused) == (0, 1)
    assert outcome.reason == "none of its 1 items can be read"


def test_open_source_reads_a_file_of_another_tool_and_leaves_nothing(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "t.csv")

    with open_source((path,)) as reader:
        labels = [session.label for session in reader.sessions()]

    assert labels == ["night-1", "night-2"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.csv"]


def test_open_source_reads_our_own_folders_as_they_are(tmp_path: Path) -> None:
    bring(write_rows(tmp_path / "t.csv"))

    with open_source((tmp_path / "db",)) as reader:
        assert len(reader.sessions()) == 2


def test_open_source_warns_of_what_is_left_out(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "a,2026-01-01,sort,1", "a,2026-01-01,sort,x")
    warnings: list[str] = []

    with open_source((path,), Feedback(warn=warnings.append)):
        pass

    assert warnings == [f"{path}: line 3: value is 'x'; expected a finite number, with a point for decimals"]


def test_open_source_without_any_result_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "a,2026-01-01,sort,x")

    with pytest.raises(ConfigError, match="has no results that can be read"), open_source((path,)):
        pass


def test_open_source_of_a_missing_path_is_the_stores_error(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError), open_source((tmp_path / "gone.json",)):
        pass


def test_as_sources_opens_files_of_others_beside_ours(tmp_path: Path) -> None:
    bring(write_json(tmp_path / "a.json", document()))

    with (
        as_sources((tmp_path / "db", write_rows(tmp_path / "t.csv"))) as sources,
        open_source(sources) as reader,
    ):
        assert len(reader.sessions()) == 3


def test_open_source_of_an_unknown_format_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")

    with (
        pytest.raises(ForeignFileError, match=r"notes\.txt is neither a pytest-benchdb database nor"),
        open_source((tmp_path / "notes.txt",)),
    ):
        pass


def test_as_sources_accepts_a_folder_of_files(tmp_path: Path) -> None:
    write_json(tmp_path / "files" / "a.json", document())

    with as_sources((tmp_path / "files",)) as sources, open_source(sources) as reader:
        assert len(reader.sessions()) == 1


def test_open_source_accepts_files_of_other_tools(tmp_path: Path) -> None:
    saved = write_json(tmp_path / ".benchmarks" / "Linux" / "0001_a.json", document())

    for path in (saved, tmp_path / ".benchmarks"):
        with open_source((path,)) as reader:
            assert len(reader.sessions()) == 1
