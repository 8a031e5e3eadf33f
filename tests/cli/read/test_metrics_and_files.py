"""Sessions of training, serving, phases and simulated hardware, from the report to one run and its files."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Attachment, Measurement, Request, Run
from pytest_benchdb.store.attachments import keep_attachments
from pytest_benchdb.store.journal.lines import run_lines

Call = Callable[..., Any]
SNAPSHOTS = Path(__file__).with_name("snapshots")


def measured(metric: str, unit: str = "s", better: str = "lower", **values: Any) -> Measurement:
    return Measurement(metric=metric, unit=unit, better=better, **values)


def make_runs(new_run: Call) -> list[Run]:
    """Return a run of each kind, in the order of their start."""
    bare = {"usage": None, "rounds": None, "iterations": None}
    steps = [
        measured("step_time", samples=(0.1, 0.11, 0.12, 0.13)),
        measured("throughput", "1/s", "higher", value=320.0),
    ]
    energy = {"pass_name": "energy", "domain": "SIM-0/energy", "scope": "device", "provenance": "simulated"}
    runs = [
        new_run("t.py::test_sort", [2e-3, 2.1e-3, 2.2e-3], labels=Labels(workload="microbenchmark")),
        new_run("t.py::test_train", labels=Labels(workload="training"), measurements=tuple(steps), **bare),
        new_run(
            "t.py::test_serve",
            labels=Labels(workload="serving"),
            measurements=(
                measured("e2e_latency", samples=(0.2, 0.21, 0.3)),
                measured("ttft", samples=(0.02, 0.021, 0.03)),
                measured("requests_per_second", "1/s", "higher", value=12.5),
            ),
            requests=(
                Request(index=0, due_s=None, sent_s=0.0, chunk_s=(0.02, 0.2), tokens_in=9, tokens_out=2, ok=True),
                Request(
                    index=1, due_s=None, sent_s=0.0, chunk_s=(), tokens_in=9, tokens_out=None, ok=False, error="late"
                ),
            ),
            **bare,
        ),
        new_run(
            "t.py::test_parts",
            measurements=(
                measured("wall_time", phase="load", value=1.5),
                measured("wall_time", phase="load/weights", value=1.2),
                measured("wall_time", phase="decode", value=0.5),
            ),
            **bare,
        ),
        new_run(
            "t.py::test_sim",
            provenance="simulated",
            measurements=(
                measured("wall_time", samples=(0.01, 0.01), provenance="simulated"),
                *(
                    measured("energy", "J", value=4.997, window_s=2.1, tick_s=0.1, details={"ticks": 21}, **about)
                    for about in ({**energy, "domain": None}, energy)
                ),
            ),
            series=(
                Series(
                    metric="power",
                    unit="W",
                    domain="SIM-0/power",
                    device_id=None,
                    t_s=[0.0, 1.0, 2.0],
                    values=[100.0, 500.0, 700.0],
                    provenance="simulated",
                ),
            ),
        ),
    ]
    return [replace(run, started_unix_us=run.started_unix_us + place) for place, run in enumerate(runs)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, new_run: Call, new_session: Call) -> Path:
    """Return a folder with one session of every kind of run."""
    folder = tmp_path_factory.mktemp("kinds") / "kinds"
    new_session(folder, make_runs(new_run))
    return folder


def without_places(text: str) -> str:
    """Take off what differs in every session."""
    text = re.sub(r" ·\s+\d+\s+(month|year)s?\s+ago", "", text)
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(("session ", "data ", "run "))]
    return "".join(lines)


@pytest.fixture
def run_id(benchdb: Call, place: Path) -> Callable[[str], str]:
    """Return a function that tells the id of a test's run."""
    rows = json.loads(benchdb("report", str(place), "-f", "json").out)["sessions"][0]["rows"]
    return {row["name"]: str(row["run_id"]) for row in rows}.__getitem__


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_report_of_every_kind_of_run_is_exact(benchdb: Call, place: Path, columns: str) -> None:
    ended = benchdb("report", str(place), "--width", columns)

    assert without_places(ended.out) == (SNAPSHOTS / f"kinds-{columns}.txt").read_text(encoding="utf-8")
    assert max(map(len, ended.out.splitlines())) <= int(columns)


def test_report_by_workload_is_grouped(benchdb: Call, place: Path) -> None:
    out = benchdb("report", str(place), "--group-by", "workload", "--columns", "benchmark,workload,median").out

    titles = [line for line in out.partition("\n\n")[2].splitlines()[3:] if line and not line.startswith(" ")]
    assert titles == ["workload: microbenchmark", "workload: training", "workload: serving", "(no workload)"]
    assert ["test_train", "(step_time)", "training", "115.0"] in [line.split() for line in out.splitlines()]


def test_report_where_the_workload_is_asked_for_keeps_it(benchdb: Call, place: Path) -> None:
    rows = json.loads(benchdb("report", str(place), "-w", "workload=serv*", "-f", "json").out)["sessions"][0]["rows"]

    (row,) = rows
    assert (row["name"], row["main_metric"], row["median_s"], row["throughput"]) == (
        "test_serve",
        "e2e_latency",
        pytest.approx(0.21),
        12.5,
    )


def test_report_of_a_metric_has_the_runs_that_have_it(benchdb: Call, place: Path) -> None:
    every = benchdb("report", str(place), "-f", "json").out
    found = benchdb("report", str(place), "-w", "metric=throughput", "-f", "json").out

    rows, with_metric = (
        [row for session in json.loads(text)["sessions"] for row in session["rows"]] for text in (every, found)
    )
    assert 0 < len(with_metric) < len(rows)
    assert all(row["throughput"] is not None or row["outcome"] != "passed" for row in with_metric)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("device_peak", "no run matches -w metric=device_peak"),
        ("enrgy", "-w metric=enrgy: no such metric in this report; did you mean energy; choose from time, "),
    ],
)
def test_report_of_a_metric_that_nothing_has_says_so(benchdb: Call, place: Path, metric: str, words: str) -> None:
    assert words in benchdb("report", str(place), "-w", f"metric={metric}").err


def test_report_as_csv_has_every_field(benchdb: Call, place: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(benchdb("report", str(place), "-f", "csv").out)))

    rows = {line["name"]: line for line in lines}
    assert [rows[name]["main_metric"] for name in ("test_train", "test_parts")] == ["step_time", "wall_time"]
    assert (rows["test_parts"]["main_phase"], rows["test_parts"]["median_s"]) == ("load", "1.5")
    assert (rows["test_sim"]["energy_j"], rows["test_sim"]["provenance"]) == ("4.997", "simulated")
    assert rows["test_train"]["rounds"] == "4"


def test_report_with_units_of_energy_and_rate_shows_them(benchdb: Call, place: Path) -> None:
    out = benchdb(
        "report",
        str(place),
        "--columns",
        "benchmark,energy,throughput",
        "--unit",
        "energy=mJ,rate=k/s",
        "-k",
        "sim or train",
    ).out

    assert [line.split() for line in out.splitlines()[-2:]] == [
        ["test_train", "-", "0.320"],
        ["test_sim", "(simulated)", "4997", "-"],
    ]


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("name", ["test_serve", "test_parts", "test_sim"])
def test_show_of_a_run_of_each_kind_is_exact(
    benchdb: Call, place: Path, run_id: Callable[[str], str], name: str, columns: str
) -> None:
    ended = benchdb("show", f"run:{run_id(name)}", "--db", str(place), "--width", columns)

    assert without_places(ended.out) == (SNAPSHOTS / f"show-{name}-{columns}.txt").read_text(encoding="utf-8")
    assert max(map(len, ended.out.splitlines())) <= int(columns)


def test_show_of_a_run_as_json_has_its_parts(benchdb: Call, place: Path, run_id: Callable[[str], str]) -> None:
    def show(name: str) -> Any:
        return json.loads(benchdb("show", run_id(name), "--db", str(place), "-f", "json").out)

    simulated, served = show("test_sim"), show("test_serve")

    energy, single = (row for row in simulated["measurements"] if row["metric"] == "energy")
    assert [energy["domain"], single["domain"]] == [None, "SIM-0/energy"]
    assert (energy["details"], energy["scope"], energy["valid"]) == ({"ticks": 21}, "device", True)
    assert [(row["metric"], row["n"], row["mean"]) for row in simulated["series"]] == [
        ("power", 3, pytest.approx(1300 / 3))
    ]
    (requests,) = served["requests"]
    assert (requests["requests"], requests["failed"], requests["errors"]) == (2, 1, {"late": 1})
    assert {(one["metric"], one["rank"], len(one["samples"])) for one in served["samples"]} == {
        ("e2e_latency", None, 3),
        ("ttft", None, 3),
    }


@pytest.fixture
def attached(tmp_path: Path, new_run: Call, new_session: Call) -> Path:
    """Return a folder of a session that died, whose one run has a file."""
    folder = tmp_path / "attached"
    file = tmp_path / "trace.json"
    file.write_text("{}")
    made = new_session(folder, [], finished=False)
    kept = keep_attachments([Attachment(path=str(file), name="trace.json")], folder / "attachments")
    made.path.write_bytes(made.path.read_bytes() + run_lines(new_run("t.py::test_x"), attachments=kept.files))
    file.unlink()
    return folder


def test_files_of_a_run_outlive_recovery_and_merge(benchdb: Call, tmp_path: Path, attached: Path) -> None:
    assert benchdb("recover", str(attached)).status == 0
    merged = benchdb("merge", str(attached), "-o", str(tmp_path / "all.duckdb"))

    rows = json.loads(benchdb("report", str(tmp_path / "all.duckdb"), "-f", "json").out)["sessions"][0]["rows"]
    call = ["show", rows[0]["run_id"], "--db", str(tmp_path / "all.duckdb")]
    (file,) = json.loads(benchdb(*call, "-f", "json").out)["attachments"]

    assert (merged.status, "left out" in merged.err) == (0, False)
    assert Path(file["path"]).parent == tmp_path / "all.duckdb.attachments"
    assert Path(file["path"]).read_text() == "{}"
    lines = benchdb(*call, "--width", "200").out.splitlines()
    assert lines[lines.index("attachments") + 1 :] == ["trace.json  application/json  2 B", f"  {file['path']}"]


def test_merge_says_which_files_it_could_not_take(benchdb: Call, tmp_path: Path, attached: Path) -> None:
    (kept,) = (attached / "attachments").iterdir()
    kept.unlink()

    ended = benchdb("merge", str(attached), "-o", str(tmp_path / "all.duckdb"))

    assert ended.status == 0
    assert f"attachment left out: trace.json ({kept.name}) is not beside {attached}" in ended.err
