"""MLPerf logs."""

import pytest
from tests.importers.formats import figures_of, runs_of, sessions_of

from pytest_benchdb.errors import NotResultsError

NAME = "mlperf"
PLACE = "closed/Example/results/box-gpu"
SINGLE = f"{PLACE}/resnet50/SingleStream/performance/run_1/mlperf_log"


def test_summary_is_a_run_named_after_the_folders_of_the_submission() -> None:
    (session,) = sessions_of(NAME, f"{SINGLE}_summary.txt")
    (run,) = session.runs
    latency = figures_of(run)["e2e_latency"].summary

    assert session.started_unix_us == 1_769_868_000_000_000  # of the detail beside it
    assert run.params == {
        "model": "resnet50",
        "scenario": "SingleStream",
        "data": "example_qsl",
        "sut": "example_sut",
    }
    assert run.labels.model == "resnet50"
    assert session.environment is not None
    assert session.environment.details["system"] == "Example/box-gpu"
    assert latency is not None
    assert (latency.min, latency.mean, latency.median, latency.max) == (5e-4, 7e-4, 6.5e-4, 3e-3)
    assert (latency.p90, latency.p95, latency.p99) == (8e-4, 9e-4, 1.2e-3)
    assert figures_of(run)["e2e_latency"].details["percentiles"] == {"p97": 9.5e-4, "p99.9": 2.5e-3}  # type: ignore[index]


def test_detail_beside_a_summary_and_an_accuracy_run_are_no_results() -> None:
    with pytest.raises(NotResultsError, match=r"read from mlperf_log_summary.txt beside it"):
        sessions_of(NAME, f"{SINGLE}_detail.txt")
    with pytest.raises(NotResultsError, match="accuracy run"):
        sessions_of(NAME, f"{PLACE}/resnet50/Offline/accuracy/mlperf_log_summary.txt")


def test_invalid_result_has_failed_and_says_why() -> None:
    (run,) = runs_of(NAME, f"{PLACE}/llama/Server/performance/run_1/mlperf_log_summary.txt")
    rows = figures_of(run)

    assert run.outcome == "failed"
    assert run.reason == (
        "INVALID: Min duration satisfied: Increase expected QPS so the loadgen pre-generates a larger query."
    )
    assert (rows["throughput"].value, rows["tokens_per_second"].value) == (20.25, 5000.5)
    assert rows["ttft"].summary is not None
    assert rows["tpot"].summary is not None
    assert (rows["ttft"].summary.median, rows["ttft"].summary.p99) == (0.038, 0.08)
    assert (rows["tpot"].summary.median, rows["tpot"].summary.p99) == (0.0115, 0.015)


def test_detail_alone_is_read() -> None:
    (run,) = runs_of(NAME, "alone/mlperf_log_detail.txt")
    rows = figures_of(run)

    assert (run.outcome, rows["throughput"].value) == ("passed", 1234.5)
    assert rows["e2e_latency"].summary is not None
    assert (rows["e2e_latency"].summary.median, rows["e2e_latency"].summary.p99) == (4.9e-3, 8.9e-3)


def test_training_takes_from_run_start_to_run_stop() -> None:
    (session,) = sessions_of(NAME, "training/result_0.txt")
    (run,) = session.runs
    rows = figures_of(run)

    assert session.started_unix_us == 1_769_868_005_000_000
    assert rows["wall_time"].value == 60.25
    assert rows["throughput"].samples == [900.5, 905.0]
    assert rows["step_time"].samples == [0.25, 0.24]
    assert rows["eval_accuracy"].value == 0.75
    assert (run.labels.workload, run.labels.batch_size) == ("training", 64)


def test_training_that_was_aborted_has_failed() -> None:
    (run,) = runs_of(NAME, "training/result_1.txt")

    assert (run.outcome, run.reason) == ("failed", "the run ended with the status aborted")
