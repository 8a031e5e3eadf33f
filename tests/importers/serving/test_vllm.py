"""Results of vLLM's load generator."""

from pathlib import Path

import pytest
from tests.importers.formats import BUILT_IN, changed, figures_of, runs_of, sessions_of

from pytest_benchdb.errors import ImportFormatError, NotResultsError
from pytest_benchdb.model.imported import ImportedSession

NAME = "vllm-serve"


def test_load_is_one_run_in_seconds_with_percentiles_as_the_client_has_them() -> None:
    (session,) = sessions_of(NAME, "loads/conc4.json")
    (run,) = session.runs
    rows = figures_of(run)

    assert session.started_unix_us == 1_769_868_000_000_000  # 20260131-140000
    assert run.fullname.startswith("vllm bench serve[model=example/small-1b-backend=vllm-request_rate=inf-")
    assert run.params is not None
    assert run.params["max_concurrency"] == 4
    assert (run.labels.model, run.labels.framework, run.labels.workload) == ("example/small-1b", "vllm", "serving")
    assert (run.outcome, run.duration_s) == ("passed", 5.0)
    ttft = rows["ttft"].summary
    assert ttft is not None
    assert (ttft.n, ttft.mean, ttft.median, ttft.stddev, ttft.p99) == (20, 0.04125, 0.0405, 0.0035, 0.051)
    assert (ttft.p90, ttft.max) == (None, None)
    assert rows["ttft"].details is not None
    assert rows["ttft"].details["source"]["unit"] == "ms"  # type: ignore[index]
    assert rows["itl"].summary is not None
    assert rows["itl"].summary.p90 == 0.009
    assert rows["e2e_latency"].details is not None
    assert rows["e2e_latency"].details["percentiles"] == {"p99.9": 0.49}
    rates = ("requests_per_second", "tokens_per_second", "total_tokens_per_second", "failed_requests")
    assert [rows[name].value for name in rates] == [4.0, 200.0, 600.0, 0.0]
    assert "goodput" not in rows


def test_load_of_which_a_part_was_answered_has_failed() -> None:
    (run,) = runs_of(NAME, "loads/partial.json")

    assert (run.outcome, run.reason) == ("failed", "13 of 20 prompts were answered")
    assert figures_of(run)["failed_requests"].value == 7


def test_time_per_token_of_answers_with_one_token_is_not_zero_but_not_measured() -> None:
    (run,) = runs_of(NAME, "loads/one-token.json")
    tpot = figures_of(run)["tpot"]

    assert (tpot.summary, tpot.value, tpot.reason) == (None, None, "the file has no tpot_ms above 0")


def test_times_of_requests_are_rounds_without_those_that_failed() -> None:
    (run,) = runs_of(NAME, "loads/detailed.json")
    rows = figures_of(run)

    assert rows["ttft"].samples == [0.04, 0.05]
    assert rows["itl"].samples == [0.008, 0.009, 0.0085]
    assert rows["tpot"].samples is None
    assert rows["tpot"].summary is not None


def test_sum_of_the_files_beside_it_is_not_another_result() -> None:
    with pytest.raises(NotResultsError, match=r"it adds up the 2 files conc4.json in part1, part2"):
        sessions_of(NAME, "replicas/all-parts/conc4.json")
    assert len(sessions_of(NAME, "replicas/part1/conc4.json")) == 1


def test_parameters_tell_loads_apart() -> None:
    names = {run.fullname for file in ("conc4", "partial", "detailed") for run in runs_of(NAME, f"loads/{file}.json")}

    assert len(names) == 3


@pytest.mark.parametrize("key", ["model_id", "completed"])
def test_file_without_what_names_the_load_is_refused(key: str, tmp_path: Path) -> None:
    path = changed(NAME, "loads/conc4.json", tmp_path, lambda document: document.pop(key))

    with pytest.raises(ImportFormatError, match="it has not all of model_id, num_prompts, completed"):
        list(BUILT_IN[NAME].read(path))


def test_metadata_of_the_command_line_is_a_parameter(tmp_path: Path) -> None:
    path = changed(NAME, "loads/conc4.json", tmp_path, lambda document: document.update(tensor_parallel="8"))
    (session,) = BUILT_IN[NAME].read(path)

    assert isinstance(session, ImportedSession)
    assert session.runs[0].fullname.endswith("-tensor_parallel=8]")


@pytest.mark.parametrize("model", [None, 5, "", ["a"]])
def test_model_that_is_not_a_name_is_refused_in_one_line(model: object, tmp_path: Path) -> None:
    path = changed(NAME, "loads/conc4.json", tmp_path, lambda document: document.update(model_id=model))

    with pytest.raises(ImportFormatError, match=r"model_id is .*; expected a text"):
        list(BUILT_IN[NAME].read(path))
