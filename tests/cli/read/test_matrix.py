"""`benchdb matrix`: what it says equals what was recorded, in every format, and nothing is said of what was not run."""

import csv
import io
import itertools
import json
import random
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import pytest_benchdb
from pytest_benchdb.analysis.compatibility import change_of, state_of
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.run import Outcome

Call = Callable[..., Any]
BACKENDS = ("cpu", "cuda", "mps")
DEVICES = {name: Device(device_id=content_id("device", name), backend=name, name=f"Test {name}") for name in BACKENDS}
OUTCOMES: tuple[Outcome, ...] = ("passed", "passed", "failed", "oom", "timeout", "unsupported", "skipped", "crashed")
HOSTILE = "x\"><img src=x onerror=alert(1)>'</script>\u2028`|[1]@me\x1b[31m=1+1"


@pytest.fixture
def tried(tmp_path: Path, new_session: Call, new_run: Call) -> Call:
    """Return a function that writes a session of runs: model, backend, outcome, name, seconds and more labels."""

    def write(*runs: dict[str, Any], at: int = 0, **changes: Any) -> Path:
        made = []
        for run in runs:
            outcome = run.get("outcome", "passed")
            labels = {name: run[name] for name in ("precision", "implementation") if name in run}
            backend = run.get("backend", "cpu")
            seconds = run.get("seconds", 0.001)
            made.append(
                new_run(
                    f"tests/test_a.py::{run.get('name', 'test_forward')}",
                    [seconds] * 3 if outcome == "passed" else None,
                    labels=Labels(model=run.get("model", "bert"), **labels),
                    device_id=None if backend is None else DEVICES[backend].device_id,
                    outcome=outcome,
                    reason=None if outcome == "passed" else run.get("reason", f"{outcome}: because"),
                    params=run.get("params"),
                )
            )
        new_session(tmp_path / "results", made, at=at, devices=tuple(DEVICES.values()), **changes)
        return tmp_path / "results"

    return write


@pytest.fixture
def matrix(benchdb: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that asks for the matrix as JSON."""

    def ask(*arguments: str) -> Any:
        monkeypatch.chdir(tmp_path)
        ended = benchdb("matrix", "results", *arguments, "-f", "json")
        assert ended.status == 0, ended.err
        return json.loads(ended.out)

    return ask


def states(answer: Any) -> dict[tuple[str, str], str]:
    return {(cell["row"], cell["column"]): cell["state"] for cell in answer["cells"]}


def test_random_histories_equal_brute_force_and_the_view(
    tried: Call, matrix: Call, tmp_path: Path, new_session: Call
) -> None:
    chance = random.Random(20261130)  # noqa: S311
    last: dict[tuple[str, str], dict[tuple[Any, ...], str]] = {}
    everything: list[dict[tuple[str, str], str]] = []
    for at in range(6):
        runs = [
            {
                "model": chance.choice(["bert", "llama", "gpt"]),
                "backend": chance.choice(BACKENDS),
                "outcome": chance.choice(OUTCOMES),
                "name": f"test_{chance.randrange(3)}",
                "precision": chance.choice(["fp16", "fp32"]),
            }
            for _ in range(chance.randrange(1, 8))
        ]
        unique = {(run["model"], run["backend"], run["name"], run["precision"]): run for run in runs}
        tried(*unique.values(), at=at, label=f"s{at}")
        for (model, backend, name, precision), run in unique.items():
            last.setdefault((model, backend), {})[name, precision] = run["outcome"]
        everything.append({place: state_of(cases.values()) for place, cases in last.items()})  # type: ignore[arg-type]

    answer = matrix("--diff", "label:s3")

    places = list(itertools.product(sorted({m for m, _ in last}), sorted({b for _, b in last})))
    assert states(answer) == {place: everything[-1].get(place, "untested") for place in places}
    assert {(cell["row"], cell["column"]): cell["change"] for cell in answer["cells"]} == {
        place: change_of(everything[3].get(place, "untested"), everything[-1].get(place, "untested"))  # type: ignore[arg-type]
        for place in places
    }
    for cell in answer["cells"]:
        assert len(cell["runs"]) == len(last.get((cell["row"], cell["column"]), {}))
    with pytest_benchdb.open(tmp_path / "results") as history:
        view = history.sql("SELECT subject, backend, status, benchmarks FROM hardware_compatibility").to_pylist()
        python = history.matrix()
    assert {(row["subject"], row["backend"]): row["status"] for row in view} == states(answer)
    assert [row["benchmarks"] for row in view if row["status"] == "untested"] == [0] * sum(
        state == "untested" for state in states(answer).values()
    )
    assert {tuple(cell.place): cell.state for cell in python.all_cells()} == states(answer)
    place = places[0]
    assert python[place].state == states(answer)[place]


def test_what_was_never_run_is_untested_and_has_nothing_to_show(tried: Call, matrix: Call) -> None:
    tried({"model": "bert", "backend": "cpu"}, {"model": "llama", "backend": "cuda", "outcome": "skipped"})

    cells = {(cell["row"], cell["column"]): cell for cell in matrix()["cells"]}

    assert {place: cell["state"] for place, cell in cells.items()} == {
        ("bert", "cpu"): "pass",
        ("bert", "cuda"): "untested",
        ("llama", "cpu"): "untested",
        ("llama", "cuda"): "skipped",
    }
    untested = cells["bert", "cuda"]
    assert (untested["best"], untested["newest_at"], untested["stale"], untested["runs"]) == (None, None, None, [])


def test_a_failed_run_has_no_figure_and_its_error_is_shown(tried: Call, benchdb: Call, matrix: Call) -> None:
    tried({"outcome": "oom", "reason": "CUDA out of memory.\nTried to allocate 20 GiB", "backend": "cuda"})

    (cell,) = matrix()["cells"]
    text = benchdb("matrix", "results").out

    assert cell["best"] is None
    assert cell["runs"][0]["value"] is None
    assert "oom tests/test_a.py::test_forward: CUDA out of memory.\\nTried to allocate 20 GiB" in text


def test_the_newest_run_of_each_configuration_counts(tried: Call, matrix: Call) -> None:
    tried({"outcome": "failed"}, {"outcome": "oom", "precision": "fp16"})
    tried({"outcome": "passed"}, at=1)

    (cell,) = matrix()["cells"]

    assert (cell["state"], cell["why"]) == ("degraded", "1 of 2 passed, 1 oom")


def test_best_is_the_fastest_of_what_passed(tried: Call, matrix: Call) -> None:
    tried({"name": "test_slow", "seconds": 0.5}, {"name": "test_fast", "seconds": 0.002}, {"outcome": "failed"})

    (cell,) = matrix()["cells"]

    assert (cell["best"]["value"], cell["best"]["metric"]) == (0.002, "wall_time")


def test_recommendation_is_by_shared_benchmarks(tried: Call, matrix: Call) -> None:
    tried(
        {"name": "test_x[cpu]", "params": {"bench_each": "cpu"}, "seconds": 0.1},
        {"name": "test_x[cuda:0]", "params": {"bench_each": "cuda:0"}, "backend": "cuda", "seconds": 0.01},
        {"name": "test_y", "backend": "cpu", "seconds": 0.0001},
    )

    answer = matrix()

    assert answer["recommendations"] == [
        {
            "subject": "bert",
            "choice": "cuda",
            "reason": "time 10 times as good as on cpu, the next best, 1 benchmark on both",
            "imported": False,
        }
    ]


def test_simulated_runs_do_not_count_unless_asked_for(
    tried: Call, tmp_path: Path, matrix: Call, new_session: Call, new_run: Call
) -> None:
    runs = [
        new_run("t.py::a", labels=Labels(model="bert"), device_id=DEVICES["cuda"].device_id, provenance="simulated"),
        new_run("t.py::a[1]", labels=Labels(model="bert"), device_id=DEVICES["cpu"].device_id),
    ]
    new_session(tmp_path / "results", runs, devices=tuple(DEVICES.values()))

    usual, asked = matrix(), matrix("-w", "provenance=simulated")

    assert states(usual) == {("bert", "cpu"): "pass"}
    assert usual["notes"] == ["simulated runs are left out; -w provenance=simulated shows them"]
    assert states(asked) == {("bert", "cuda"): "pass"}
    assert asked["cells"][0]["provenances"] == ["simulated"]
    assert asked["recommendations"][0]["choice"] is None


def test_without_models_the_rows_are_benchmarks_without_their_backend(
    tmp_path: Path, matrix: Call, new_session: Call, new_run: Call
) -> None:
    runs = [
        new_run(f"t.py::test_x[{name}]", params={"bench_each": name}, device_id=DEVICES[name].device_id)
        for name in ("cpu", "cuda")
    ]
    new_session(tmp_path / "results", runs, devices=tuple(DEVICES.values()))

    answer = matrix()

    assert states(answer) == {("t.py::test_x", "cpu"): "pass", ("t.py::test_x", "cuda"): "pass"}
    assert answer["rows_by"] == "benchmark"
    assert "no run has a model" in answer["notes"][0]


def test_without_models_many_benchmarks_become_files(
    tmp_path: Path, matrix: Call, new_session: Call, new_run: Call
) -> None:
    new_session(tmp_path / "results", [new_run(f"t.py::test_{number}") for number in range(61)])

    answer = matrix()

    assert states(answer) == {("t.py", "cpu"): "pass"}


def test_runs_without_a_place_are_counted_apart(tried: Call, matrix: Call) -> None:
    tried(
        {"model": "bert"}, {"model": None, "name": "test_other"}, {"model": "bert", "name": "test_c", "backend": None}
    )

    notes = matrix()["notes"]

    assert sorted(notes) == [
        "1 benchmark has no backend, and so no place here",
        "1 benchmark has no model, and so no place here",
    ]


@pytest.mark.parametrize(
    ("arguments", "rows", "columns"),
    [
        (["--rows", "precision", "--cols", "model"], ["fp16", "fp32"], ["bert", "llama"]),
        (["--rows", "backend", "--cols", "model"], ["cpu", "cuda"], ["bert", "llama"]),
        (["--rows", "label", "--cols", "tag:machine"], ["v1"], ["big"]),
        (["--rows", "param:n", "--cols", "python"], ["2", "10"], ["CPython 3.11"]),
        (["--rows", "device", "--cols", "function"], ["Test cpu", "Test cuda"], ["tests/test_a.py::test_forward"]),
        (["--precision", "fp16"], ["bert"], ["cpu"]),
        (["--backend", "cu*", "-k", "forward"], ["llama"], ["cuda"]),
        (["-w", "model=llama"], ["llama"], ["cuda"]),
        (["--family", "nobody"], [], []),
    ],
)
def test_dimensions_and_filters(
    tried: Call, matrix: Call, arguments: list[str], rows: list[str], columns: list[str]
) -> None:
    tried(
        {"name": "test_forward[10]", "params": {"n": 10}, "precision": "fp16"},
        {"name": "test_forward[2]", "params": {"n": 2}, "precision": "fp32", "backend": "cuda", "model": "llama"},
        label="v1",
        tags={"machine": "big"},
    )

    answer = matrix(*arguments)

    assert (answer["rows"], answer["columns"]) == (rows, columns)


def test_a_version_is_every_session_of_its_label(tried: Call, matrix: Call) -> None:
    tried({"backend": "cpu", "outcome": "failed"}, label="v1")
    tried({"backend": "cuda"}, at=1, label="v1")
    tried({"backend": "cpu"}, at=2, label="v2")

    assert states(matrix("label:v1")) == {("bert", "cpu"): "fail", ("bert", "cuda"): "pass"}
    changes = {cell["column"]: cell["change"] for cell in matrix("label:v2", "--diff", "label:v1")["cells"]}
    assert changes == {"cpu": "fixed", "cuda": "no longer tested"}
    changes = {cell["column"]: cell["change"] for cell in matrix("--diff", "label:v1")["cells"]}
    assert changes == {"cpu": "fixed", "cuda": None}


def test_old_cells_are_stale(tried: Call, matrix: Call, benchdb: Call) -> None:
    tried({})  # recorded in 2026, far from now

    assert [cell["stale"] for cell in matrix("--stale-after", "1h")["cells"]] == [True]
    assert [cell["stale"] for cell in matrix("--stale-after", "99999w")["cells"]] == [False]
    assert "stale" in benchdb("matrix", "results", "--stale-after", "1h").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rows", "modle"], "--rows 'modle': no such dimension; did you mean model; choose from model, version"),
        (["--rows", "backend"], "both are the same dimension"),
        (["--metric", "time,peak_rss"], "a cell shows one metric"),
        (["--metric", "enrgy"], "did you mean energy?"),
        (["--stale-after", "soon"], "--stale-after 'soon': not a span; write 12h, 7d or 8w"),
        (["--family", ""], "--family names nothing"),
        (["--cols", "param:"], "no such dimension"),
        (["-w", "colour=red"], "no field 'colour'"),
    ],
)
def test_mistakes_are_one_line(benchdb: Call, results: Path, arguments: list[str], words: str) -> None:
    ended = benchdb("matrix", str(results), *arguments)

    assert ended.status == 2
    assert words in ended.err
    assert ended.err.count("\n") == 1


def test_what_does_not_exist_has_its_status(benchdb: Call, results: Path, tmp_path: Path) -> None:
    assert benchdb("matrix", str(tmp_path / "nothing")).status == 5
    assert benchdb("matrix", str(results), "--diff", "label:nobody").status == 2
    (tmp_path / "empty").mkdir()
    assert benchdb("matrix", str(tmp_path / "empty")).status == 5


class Cells(HTMLParser):
    """Collect the cells of the table and every element that a hostile name could have made."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.scopes: list[str] = []
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in {"summary", "td"} and values.get("aria-label"):
            self.labels.append(str(values["aria-label"]))
        if tag == "th":
            self.scopes.append(str(values.get("scope")))
        if tag in {"img", "iframe", "object"} or any(name.startswith("on") or name == "src" for name in values):
            self.strange.append(tag)


@pytest.mark.parametrize("format_name", ["table", "md", "html", "json", "csv"])
def test_hostile_and_long_names_go_through_every_format(tried: Call, benchdb: Call, format_name: str) -> None:
    long = "n" * 200
    results = tried(
        {"model": HOSTILE, "name": f"test_{HOSTILE}", "outcome": "failed", "reason": HOSTILE * 3},
        {"model": long, "backend": "cuda"},
        label=HOSTILE,
    )

    ended = benchdb("matrix", str(results), "-f", format_name, "--width", "80", "--diff", "latest")

    assert ended.status == 0, ended.err
    assert ("\x1b" in ended.out) is (format_name == "csv")  # data as it is; a terminal does not get to see it
    if format_name == "html":
        page = Cells()
        page.feed(ended.out)
        assert page.strange == []
        assert len(page.labels) == 4
        assert set(page.scopes) == {"row", "col"}
        assert any(
            label.startswith(f"{long} on cuda: pass; 1 of 1 passed; best wall_time 1.000 ms; ") for label in page.labels
        )
    elif format_name == "table":
        assert max(map(len, ended.out.splitlines())) <= 80
    elif format_name == "md":
        assert "<img" not in ended.out
        assert "@me" not in ended.out
    elif format_name == "csv":
        rows = list(csv.DictReader(io.StringIO(ended.out)))
        assert [row["state"] for row in rows] == ["untested", "pass", "fail", "untested"]


def test_formats_agree(tried: Call, benchdb: Call, matrix: Call) -> None:
    tried({"outcome": "timeout"}, {"backend": "cuda"}, {"model": "gpt", "outcome": "unsupported", "backend": "mps"})
    expected = states(matrix())

    rows = list(csv.DictReader(io.StringIO(benchdb("matrix", "results", "-f", "csv").out)))
    markdown = [
        line.split(" | ") for line in benchdb("matrix", "results", "-f", "md").out.splitlines() if line.startswith("| ")
    ]
    text = benchdb("matrix", "results", "--width", "200").out.splitlines()

    assert {(row["row"], row["column"]): row["state"] for row in rows} == expected
    heads = [cell.strip("| ") for cell in markdown[0]]
    assert {
        (line[0].strip("| "), head): cell.split(",")[0].split(" ")[1]
        for line in markdown[2:4]
        for head, cell in zip(heads[1:4], line[1:4], strict=True)
    } == expected
    assert sum(" untested" in line for line in text) >= 2


def test_ascii_terminals_get_ascii(tried: Call, benchdb_process: Call, tmp_path: Path) -> None:
    tried({"outcome": "oom"})

    ended = benchdb_process("matrix", "results", cwd=tmp_path, PYTHONIOENCODING="ascii")

    assert ended.status == 0
    assert ended.out.isascii()
    assert "# oom" in ended.out


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "0044-03-15 (BC) 00:00:00", "290000-01-01"])
def test_run_of_a_time_that_is_none_decides_nothing(benchdb: Call, tried: Call, moment: str) -> None:
    import duckdb

    folder = tried({"model": "bert"}, {"model": "llama", "outcome": "failed"})
    (file,) = folder.glob("*.duckdb")
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"UPDATE run SET started_at = '{moment}' WHERE outcome = 'failed'")

    ended = benchdb("matrix", "--db", str(folder), "-f", "json")

    assert ended.status == 0, ended.err
    assert states(json.loads(ended.out)) == {("bert", "cpu"): "pass"}
