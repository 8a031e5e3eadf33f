"""Reports of GuideLLM."""

import pytest
from tests.importers.formats import figures_of, runs_of, sessions_of

NAME = "guidellm"


@pytest.mark.parametrize(("file", "params"), [("old.json", {"rate": 4}), ("benchmarks.json", {"streams": 4})])
def test_each_strategy_is_a_run_with_its_times_in_seconds(file: str, params: dict[str, object]) -> None:
    (session,) = sessions_of(NAME, file)
    run = session.runs[0]
    rows = figures_of(run)

    assert session.started_unix_us == 1_769_868_000_500_000
    assert session.finished_unix_us == 1_769_868_010_500_000
    assert run.params is not None
    assert run.params.items() >= {"model": "example/small-1b", **params}.items()
    assert run.duration_s == 10.0
    assert rows["e2e_latency"].summary is not None
    assert rows["ttft"].summary is not None
    assert rows["e2e_latency"].summary.mean == 0.5  # the only latency in seconds there
    assert (rows["ttft"].summary.mean, rows["ttft"].summary.n) == (0.04, 40)
    assert rows["ttft"].summary.p95 == pytest.approx(0.052)
    assert rows["ttft"].details is not None
    assert "p99.9" in rows["ttft"].details["percentiles"]  # type: ignore[operator]
    # Its inter-token latency has one value per request: the time per token after the first.
    assert rows["tpot"].summary is not None
    assert rows["tpot"].summary.mean == 0.008
    assert "itl" not in rows
    assert (rows["requests_per_second"].value, rows["tokens_per_second"].value) == (4.0, 200.0)


def test_requests_with_an_error_fail_a_run_and_those_cut_off_at_its_end_do_not() -> None:
    first, second = runs_of(NAME, "old.json")

    assert (first.outcome, first.extra_info and first.extra_info["requests"]) == (
        "passed",
        {"successful": 40, "errored": 0, "incomplete": 2, "total": 42},
    )
    assert (second.outcome, second.reason) == ("failed", "3 of 45 requests failed")


def test_version_of_the_tool_is_kept() -> None:
    assert sessions_of(NAME, "benchmarks.json")[0].tool_version == "0.7.3"
