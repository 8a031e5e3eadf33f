"""Any JSON by a map."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError, ImportFormatError
from pytest_benchdb.importers.mapped.json_map import JsonMap
from pytest_benchdb.importers.mapped.mapped_json import MappedJson
from pytest_benchdb.interfaces import Importer
from pytest_benchdb.model.imported import ImportedSession, ImportProblem
from pytest_benchdb.operations.exchange.importing import ImportRequest, import_files
from pytest_benchdb.testing import ImporterContract

MAP = (
    "name=results[].name",
    "param:n=results[].n",
    "time=results[].ms:unit=ms",
    "peak_rss=results[].kib:unit=KiB",
    "started_at=date",
    "commit=sha",
    "status=results[].ok",
    "error=results[].error",
    "batch_size=results[].batch",
    "backend=results[].on",
    "simulated=results[].mock",
)
ROW = {"name": "sort", "n": 10, "ms": [1.5, 1.25], "kib": 512, "ok": True, "batch": 8, "on": "cuda"}
DOCUMENT = {"date": "2026-01-31T14:00:00Z", "sha": "0123abc", "results": [ROW, {**ROW, "n": 20, "ms": 3.5}]}


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def read(path: Path, *changes: dict[str, Any]) -> tuple[list[ImportedSession], list[ImportProblem]]:
    write(path, {**DOCUMENT, "results": [{**ROW, **change} for change in changes]})
    items = list(MappedJson(JsonMap.of(MAP)).read(path))
    sessions = [item for item in items if isinstance(item, ImportedSession)]
    return sessions, [item for item in items if isinstance(item, ImportProblem)]


class TestMappedJson(ImporterContract):
    @pytest.fixture
    def importer(self) -> Importer:
        return MappedJson(JsonMap.of(MAP))

    @pytest.fixture
    def good_files(self, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
        return [write(tmp_path_factory.mktemp("files") / "mine.json", DOCUMENT)]


def test_row_is_a_run_in_si_units(tmp_path: Path) -> None:
    (session,), problems = read(tmp_path / "a.json", {}, {"n": 20, "ms": 3.5})
    first, second = session.runs

    assert not problems
    assert (session.started_unix_us, session.commit.sha) == (1_769_868_000_000_000, "0123abc")
    assert [run.fullname for run in session.runs] == ["sort[n=10-batch_size=8]", "sort[n=20-batch_size=8]"]
    assert [row.samples for row in first.measurements] == [[0.0015, 0.00125], None]
    assert [row.value for row in second.measurements] == [0.0035, 512 * 1024]
    assert (first.labels.batch_size, first.device and first.device.backend) == (8, "cuda")


def test_error_is_a_failure_and_a_mock_is_simulated(tmp_path: Path) -> None:
    (session,), _ = read(tmp_path / "a.json", {"error": "out of memory"}, {"mock": True, "n": 20})

    assert [(run.outcome, run.reason) for run in session.runs] == [("failed", "out of memory"), ("passed", None)]
    assert [row.provenance for row in session.runs[1].measurements] == ["simulated", "simulated"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"ms": None, "kib": None}, "it has none of wall_time, peak_rss"),
        ({"ms": "fast"}, "wall_time is 'fast'; expected a finite number"),
        ({"name": None}, "name is None; expected a text"),
        ({"ok": "not tested"}, "status is 'not tested': it was not tested, or the word is not known"),
    ],
)
def test_row_that_cannot_be_taken_is_named_with_its_place(change: dict[str, Any], text: str, tmp_path: Path) -> None:
    sessions, problems = read(tmp_path / "a.json", {}, change)

    assert len(sessions[0].runs) == 1
    assert problems == [ImportProblem(place="results[1]", text=text)]


def test_json_lines_are_one_list(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"name": "a", "s": 0.5}\n{"name": \n{"name": "b", "s": 0.75}\n')
    problem, session = MappedJson(JsonMap.of(["name=[].name", "time=[].s:unit=s"])).read(path)

    assert isinstance(problem, ImportProblem)
    assert isinstance(session, ImportedSession)
    assert problem.place == "line 2"
    assert [run.fullname for run in session.runs] == ["a", "b"]


def test_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match="nothing at the path of --map"):
        list(MappedJson(JsonMap.of(MAP)).read(write(tmp_path / "a.json", {"others": []})))


def test_import_of_json_twice_adds_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", DOCUMENT)
    request = ImportRequest(format="json", paths=(path,), target=str(tmp_path / "db"), project="p", json_map=MAP)

    first, second = (import_files(request).files[0] for _ in range(2))

    assert (first.sessions, first.runs, second.sessions, second.known) == (1, 2, 0, 1)


@pytest.mark.parametrize(
    ("format_name", "json_map", "message"),
    [("json", (), "FORMAT json needs --map"), ("auto", MAP, "--map is for FORMAT json")],
)
def test_map_belongs_to_json(format_name: str, json_map: tuple[str, ...], message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", DOCUMENT)
    request = ImportRequest(format=format_name, paths=(path,), target=str(tmp_path / "db"), json_map=json_map)

    with pytest.raises(ConfigError, match=message):
        import_files(request)
