"""Results of optimum-benchmark."""

import pytest
from tests.importers.formats import figures_of, runs_of, sessions_of

from pytest_benchdb.errors import NotResultsError

NAME = "optimum-benchmark"


def test_each_part_of_the_work_is_a_run_with_its_rounds() -> None:
    (session,) = sessions_of(NAME, "small/benchmark.json")
    runs = {run.params["part"]: run for run in session.runs if run.params}
    prefill = figures_of(runs["prefill"])

    assert session.started_unix_us is None
    assert session.environment is not None
    assert (session.environment.cpu_model, session.environment.ram_bytes) == ("Example CPU", 16_000_000_000)
    assert list(runs) == ["load_model", "prefill", "decode", "per_token"]
    assert prefill["wall_time"].samples == [0.021, 0.02, 0.022]
    assert prefill["peak_rss"].value == 1_600_250_000  # MB of 10^6 bytes
    assert "device_peak" not in prefill
    assert figures_of(runs["load_model"])["device_peak"].value == 2_400_000_000
    assert figures_of(runs["per_token"])["itl"].samples == [0.02, 0.019, 0.021]
    assert (figures_of(runs["decode"])["tokens_per_second"].value, prefill["throughput"].value) == (101.6, 95.2)


def test_energy_is_in_joules() -> None:
    run = runs_of(NAME, "small/benchmark.json")[1]
    energy = {row.domain: row.value for row in run.measurements if row.metric == "energy"}

    assert energy == pytest.approx({None: 3.6, "cpu": 0.36, "ram": 0.18, "gpu": 3.06})
    efficiency = figures_of(run)["samples_per_joule"]
    assert efficiency.unit == "1/J"
    assert efficiency.value == pytest.approx(2e6 / 3.6e6)


def test_statistics_without_rounds_stay_statistics() -> None:
    decode = figures_of(runs_of(NAME, "small/benchmark.json")[2])["wall_time"]

    assert decode.samples is None
    assert decode.summary is not None
    assert (decode.summary.n, decode.summary.median, decode.summary.p99) == (3, 0.61, 0.62)


def test_model_precision_batch_and_device_are_those_of_the_run() -> None:
    run = runs_of(NAME, "small/benchmark.json")[1]

    assert (run.labels.model, run.labels.precision, run.labels.batch_size) == ("example/small-1b", "bf16", 2)
    assert (run.labels.framework, run.labels.framework_version) == ("pytorch", "2.6.0")
    assert run.device is not None
    assert (run.device.backend, run.device.name) == ("cuda", "Example GPU 80GB")
    assert run.warmup_rounds == 2


def test_report_beside_its_configuration_is_read_once() -> None:
    assert [run.group for run in runs_of(NAME, "apart/benchmark_report.json")] == ["apart"] * 4
    with pytest.raises(NotResultsError, match="the configuration of a benchmark"):
        sessions_of(NAME, "apart/benchmark_config.json")
    with pytest.raises(NotResultsError, match=r"are read from benchmark.json beside it"):
        sessions_of(NAME, "small/benchmark_report.json")
