"""Files of ipfs_accelerate_py: figures by their units, nothing made up as imported, no failure as a success."""

from collections.abc import Iterator

import pytest
from tests.importers.formats import figures_of, runs_of, sessions_of

from pytest_benchdb.errors import NotResultsError
from pytest_benchdb.importers.legacy.entry import measurements_of, outcome_of_entry, outcome_of_text
from pytest_benchdb.model.imported import ImportedRun
from pytest_benchdb.operations.exchange.as_journal import session_id_of

NAME = "ipfs-accelerate"


def by_name(file: str) -> dict[str, ImportedRun]:
    return {run.fullname: run for run in runs_of(NAME, file)}


def provenances(runs: list[ImportedRun]) -> Iterator[str]:
    return (row.provenance for run in runs for row in run.measurements)


def test_suite_has_its_latencies_as_rounds_in_seconds() -> None:
    (session,) = sessions_of(NAME, "suite/benchmark_results.json")
    runs = {run.fullname: run for run in session.runs}
    name = "benchmark[model=example/bert-batch_size=1-sequence_length=32-hardware=cpu]"
    rows = figures_of(runs[name])

    assert session.started_unix_us == 1_769_868_000_000_000
    assert session.environment is not None
    assert session.environment.cores == 4
    assert rows["wall_time"].samples == [0.0612475872, 0.0646214485, 0.0536571741]
    assert rows["throughput"].value == 16.7106519
    assert (runs[name].labels.batch_size, runs[name].labels.sequence_length) == (1, 32)
    assert figures_of(runs["load[model=example/bert-hardware=cpu]"])["load_time"].value == 2.835731029


def test_suite_says_what_failed_and_what_hit_the_time_limit() -> None:
    runs = by_name("suite/benchmark_results.json")
    failed = runs["benchmark[model=example/bert-batch_size=4-input=audio_5s-hardware=cpu]"]
    cut_off = runs["benchmark[model=example/bert-batch_size=8-sequence_length=512-hardware=cpu]"]

    assert (failed.outcome, failed.reason) == ("failed", "mat1 and mat2 shapes cannot be multiplied")
    assert (cut_off.outcome, cut_off.reason) == ("timeout", "1 of 3 iterations in the time limit")


def test_direct_benchmark_is_in_milliseconds_and_mib() -> None:
    good, bad = runs_of(NAME, "direct_benchmark_bert_cpu.json.20260131_140000")
    rows = figures_of(good)

    assert rows["wall_time"].samples == pytest.approx([0.0244534015, 0.0266330203])
    assert rows["memory_use"].value == 535.25 * 1024 * 1024
    assert (bad.outcome, bad.reason) == ("failed", "out of memory")


def test_database_rows_are_read_as_they_were_posted() -> None:
    (run,) = runs_of(NAME, "performance/bert_cuda.json")
    row = figures_of(run)["wall_time"]

    assert row.summary is not None
    assert row.summary.mean == pytest.approx(3.16123456e-3)
    assert (row.valid, row.reason) == (False, "its file has no median")
    assert (run.labels.precision, run.device and run.device.name) == ("fp16", "Example GPU")


@pytest.mark.parametrize("file", ["benchmark_bert_mps.json", "web/result.json", "web/all_models_webgpu.json"])
def test_figures_that_were_made_up_are_simulated(file: str) -> None:
    assert set(provenances(runs_of(NAME, file))) == {"simulated"}


def test_page_in_its_own_file_and_in_the_list_of_all_is_one_session() -> None:
    (own,) = sessions_of(NAME, "web/result.json")
    (listed,) = sessions_of(NAME, "web/all_models_webgpu.json")

    assert session_id_of(own) == session_id_of(listed)


def test_checks_in_their_own_file_and_in_the_sum_are_one_session() -> None:
    (own,) = sessions_of(NAME, "checks/model_functionality_20260131_141500.json")
    suites, checks = sessions_of(NAME, "checks/benchmark_results.json")

    assert session_id_of(own) == session_id_of(checks)
    assert [run.outcome for run in suites.runs] == ["error"]


def test_check_without_a_detailed_result_is_untested() -> None:
    runs = by_name("checks/model_functionality_20260131_141500.json")

    assert {name: run.outcome for name, run in runs.items()} == {
        "functionality[model=bert-hardware=cpu]": "passed",
        "functionality[model=clip-hardware=cpu]": "failed",
    }


def test_hardware_without_a_benchmark_is_untested() -> None:
    (run,) = runs_of(NAME, "suite/hardware_compatibility_matrix.json")

    assert (run.fullname, run.outcome) == ("compatibility[family=embedding-hardware=cpu]", "passed")
    assert [(row.value, row.reason) for row in run.measurements] == [(None, "its file has no time")]


def test_platforms_of_a_skill_have_outcomes_of_their_own() -> None:
    runs = by_name("skills/hf_t5_test_results.json")
    outcomes = {name.partition("hardware=")[2]: run.outcome for name, run in runs.items() if name.startswith("skill[")}
    call = runs["skill call[skill=t5-call=cpu_output_example-hardware=cpu]"]

    assert outcomes == {"": "passed", "cpu]": "passed", "cuda]": "passed", "apple]": "skipped", "qualcomm]": "failed"}
    assert figures_of(call)["wall_time"].value == 0.0316421985
    assert set(provenances([call])) == {"imported"}
    assert set(provenances([run for name, run in runs.items() if name.endswith("hardware=cuda]")])) == {"simulated"}


def test_success_around_an_error_text_is_a_failure_and_its_time_is_none() -> None:
    runs = by_name("apis/queue_test.json")
    queue = runs["api requests[model=example-test=queue]"]
    mock = runs["api requests[model=example-test=backoff]"]

    assert queue.outcome == "failed"
    assert queue.reason == ("1 of 2 requests failed: Error: Circuit breaker is OPEN. Service unavailable.")
    assert figures_of(queue)["e2e_latency"].samples == [0.5123456]
    assert set(provenances([mock])) == {"simulated"}


def test_statuses_of_a_client_are_checks() -> None:
    runs = runs_of(NAME, "apis/ollama_test_results.json")
    outcomes = {run.params and run.params["check"]: run.outcome for run in runs}

    assert outcomes == {
        "chat_method": "passed",
        "streaming": "passed",
        "endpoint_handler": "failed",
        "post_request": "passed",
    }


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("suite/benchmark_config.json", "it is the configuration of a benchmark"),
        ("hardware_detection.json", "it says which hardware was found, and measures nothing"),
    ],
)
def test_files_without_results_say_what_they_are(file: str, reason: str) -> None:
    with pytest.raises(NotResultsError, match=reason):
        sessions_of(NAME, file)


@pytest.mark.parametrize(
    ("entry", "provenance"),
    [
        ({"elapsed_time": 0.1}, "simulated"),
        ({"avg_time": 0.05, "min_time": 0.045000000000000005, "max_time": 0.05500000000000001}, "simulated"),
        ({"throughput": 75, "latency_ms": 15}, "simulated"),
        ({"generation_time": 0.7, "tokens_per_second": 102.85714285714286}, "simulated"),
        ({"generation_time": 0.08, "total_time": 0.2099308967590332}, "simulated"),
        ({"tokens_per_second": 320.15044580440605}, "imported"),
        ({"elapsed_time": 4.510389}, "imported"),
        ({"latencies": [0.1, 0.0612475872]}, "imported"),
    ],
)
def test_times_that_no_clock_reads_are_simulated(entry: dict[str, object], provenance: str) -> None:
    assert {row.provenance for row in measurements_of(entry, "imported")} == {provenance}


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        ({"success": True}, "passed"),
        ({"success": True, "error": "boom"}, "failed"),
        ({"success": True, "content": "Error: no"}, "failed"),
        ({"pipeline_success": False, "pipeline_error": "no model"}, "failed"),
        ({"status": "Skipped - No compatible APIs available"}, "skipped"),
        ({"return_code": 1, "stderr": "Traceback"}, "failed"),
    ],
)
def test_outcome_of_entry(entry: dict[str, object], outcome: str) -> None:
    assert outcome_of_entry(entry)[0] == outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Success (REAL)", "passed"),
        ("Success (MOCK) - SNPE SDK not installed", "passed"),
        ("Failed OpenVINO initialization", "failed"),
        ("Error in Qualcomm handler: no", "failed"),
        ("OpenVINO not installed", "skipped"),
    ],
)
def test_outcome_of_words(status: str, outcome: str) -> None:
    assert outcome_of_text(status)[0] == outcome
