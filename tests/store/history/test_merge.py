import os
from pathlib import Path

import pytest
from tests.store import journals as j
from tests.store.conftest import Ask

from pytest_benchdb.errors import ConfigError, StoreMissingError
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.operations.exchange.importing import ImportRequest, import_files
from pytest_benchdb.store.history.merge import MergeResult, merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.target import Target, resolve
from pytest_benchdb.store.upkeep.check import validate


def session(folder: Path, number: int) -> str:
    session_id = uuid7(j.STARTED_US // 1000 + number)
    runs = [j.run_lines(f"test_{number}_{i}", [10, 20], labels=j.labels(f"model_{number}")) for i in range(3)]
    journal = j.write_journal(folder, *runs, session_id=session_id, started_us=j.STARTED_US + number * 1000)
    fold(str(journal), cache=os.environ["XDG_CACHE_HOME"])
    return session_id


def content(path: Path) -> list[tuple[object, ...]]:
    with open_history([path]) as reader:
        return list(
            reader.query(
                "SELECT CAST(session_id AS VARCHAR), CAST(run_id AS VARCHAR), fullname, model, median_s FROM report "
                "ORDER BY ALL"
            ).rows
        )


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    for number, name in enumerate(["a", "a", "b"]):
        session(tmp_path / name, number)
    merge([tmp_path / "a"], Target(path=tmp_path / "c.duckdb", kind="file"))
    session(tmp_path / "c.duckdb.inbox", 7)
    return [tmp_path / "a", tmp_path / "b", tmp_path / "c.duckdb"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_merge_takes_every_session_once(tmp_path: Path, places: list[Path], kind: str) -> None:
    name = "all.duckdb" if kind == "file" else "all"
    target = Target(path=tmp_path / name, kind="file" if kind == "file" else "folder")

    first = merge(places, target)
    again = merge(places, target)

    assert first == MergeResult(added=4, present=2 if kind == "folder" else 0, refused=())
    assert again.added == 0
    with open_history(places) as reader:
        expected = len(reader.sessions())
    assert expected == 4
    assert len({row[0] for row in content(target.path)}) == 4
    assert len(content(target.path)) == 12
    assert validate(target.path).problems == ()


@pytest.mark.long
def test_merge_of_a_history_into_a_folder_splits_it_exactly(tmp_path: Path, ask: Ask) -> None:
    made = [session(tmp_path / "a", number) for number in range(3)]
    merge([tmp_path / "a"], Target(path=tmp_path / "all.duckdb", kind="file"))

    merge([tmp_path / "all.duckdb"], Target(path=tmp_path / "b", kind="folder"))

    before, after = (sorted((tmp_path / name).glob("2*.duckdb")) for name in ("a", "b"))
    assert [path.name for path in before] == [path.name for path in after]
    assert {path.stem.split("-", 1)[1] for path in after} == set(made)
    for table in ("session", "run", "measurement", "round_chunk", "benchmark", "model", "environment", "device"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        for one, other in zip(before, after, strict=True):
            assert ask(one, query) == ask(other, query)


def test_merge_reports_what_it_could_not_read(tmp_path: Path) -> None:
    session(tmp_path / "a", 0)
    (tmp_path / "a" / "bad.duckdb").write_text("no database")

    for target in (Target(path=tmp_path / "all.db", kind="file"), Target(path=tmp_path / "all", kind="folder")):
        merged = merge([tmp_path / "a"], target)

        assert merged.added == 1
        assert "bad.duckdb is a file of another kind" in merged.refused[0]


def test_merge_into_a_source_is_refused(tmp_path: Path) -> None:
    session(tmp_path / "a", 0)

    with pytest.raises(ConfigError, match="both a source and the target"):
        merge([tmp_path / "a"], Target(path=tmp_path / "a", kind="folder"))


def test_merge_missing_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        merge([tmp_path / "none"], Target(path=tmp_path / "all", kind="folder"))


def test_merge_of_an_import_into_a_folder_keeps_its_one_file(tmp_path: Path, ask: Ask) -> None:
    table = tmp_path / "t.csv"
    rows = [f"s{number},2026-11-{number + 1:02}T00:00:00Z,test_a,1.5" for number in range(4)]
    table.write_text("\n".join(["session,started_at,benchmark,value", *rows]))
    request = ImportRequest(format="csv", paths=(table,), target=str(tmp_path / "imported"))
    import_files(request)

    first = merge([tmp_path / "imported"], resolve("all", tmp_path))
    again = merge([tmp_path / "imported"], resolve("all", tmp_path))

    assert (first.added, first.present) == (4, 0)
    assert (again.added, again.present) == (0, 4)
    (file,) = (tmp_path / "all").glob("*.duckdb")
    assert ask(file, "SELECT count(*) FROM session") == [(4,)]
