import duckdb
import numpy as np
import pytest

from pytest_benchdb.measure.stream.events import Events
from pytest_benchdb.measure.stream.load import ClientLoad
from pytest_benchdb.measure.stream.metrics import judge, load_rows, measurements_of
from pytest_benchdb.measure.stream.plan import StreamPlan
from pytest_benchdb.model.run import Measurement, Request

DURATION_S = 4.0
LOAD = ClientLoad(wall_s=4.0, cpu_s=1.0, process_cpu_s=2.0, delays_s=(0.0, 0.001))
ALWAYS = {"failed_requests", "peak_concurrency"}


def request(  # noqa: PLR0913, PLR0917 - a row of the tables below
    index: int,
    sent_s: float | None,
    chunk_s: tuple[float, ...],
    tokens_out: int | None,
    tokens_in: int | None = 10,
    due_s: float | None = None,
    error: str | None = None,
) -> Request:
    return Request(
        index=index,
        due_s=due_s,
        sent_s=sent_s,
        chunk_s=chunk_s,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        ok=error is None,
        error=error,
    )


# A worked example, by hand:      TTFT   E2E   TPOT
#   0: 5 tokens in 3 chunks       0.5    1.0   0.5 / 4 = 0.125     gaps 0.25, 0.25
#   1: 3 tokens in 3 chunks       0.25   1.25  1.0 / 2 = 0.5       gaps 0.5, 0.5
#   2: 1 token                    2.0    2.0   none (0 for goodput)
#   3: failed after a fast chunk  left out
EXAMPLE = (
    request(0, 0.0, (0.5, 0.75, 1.0), 5),
    request(1, 1.0, (1.25, 1.75, 2.25), 3),
    request(2, 2.0, (4.0,), 1),
    request(3, 2.5, (2.5001,), 400, error="broke off"),
)


def measured(
    requests: tuple[Request, ...] = EXAMPLE,
    plan: StreamPlan | None = None,
    duration_s: float = DURATION_S,
    first_output_s: dict[int, float] | None = None,
) -> dict[str, Measurement]:
    plan = plan or StreamPlan()
    events = Events(
        requests=judge(requests, plan.slo),
        duration_s=duration_s,
        first_output_s=first_output_s or {},
        peak_concurrency=2,
    )
    rows = measurements_of(events, plan)
    assert len({row.metric for row in rows}) == len(rows)
    return {row.metric: row for row in rows}


def test_metrics_of_the_worked_example_are_those_of_vllm() -> None:
    rows = measured(plan=StreamPlan(slo={"ttft": 2.0, "tpot": 0.25}))

    assert rows["ttft"].samples == (0.5, 0.25, 2.0)
    assert rows["e2e_latency"].samples == (1.0, 1.25, 2.0)
    assert rows["tpot"].samples == (0.125, 0.5)
    assert rows["itl"].samples == (0.25, 0.25, 0.5, 0.5)
    assert rows["requests_per_second"].value == 3 / DURATION_S
    assert rows["tokens_per_second"].value == 9 / DURATION_S
    assert rows["total_tokens_per_second"].value == (9 + 30) / DURATION_S
    assert rows["goodput"].value == 2 / DURATION_S  # 1 is too slow per token, 3 failed
    assert rows["failed_requests"].value == 1
    assert rows["peak_concurrency"].value == 2
    assert {row.reason for row in rows.values()} == {None}


def test_metrics_have_si_units_and_their_direction() -> None:
    rows = measured(plan=StreamPlan(slo={"ttft": 1.0}))

    assert {(row.metric, row.unit, row.better) for row in rows.values()} == {
        ("ttft", "s", "lower"),
        ("tpot", "s", "lower"),
        ("itl", "s", "lower"),
        ("e2e_latency", "s", "lower"),
        ("requests_per_second", "1/s", "higher"),
        ("tokens_per_second", "1/s", "higher"),
        ("total_tokens_per_second", "1/s", "higher"),
        ("goodput", "1/s", "higher"),
        ("failed_requests", "1", "lower"),
        ("peak_concurrency", "1", "none"),
        ("peak_tokens_per_second", "1/s", "none"),
    }


def test_metrics_have_methods_and_details() -> None:
    rows = measured()

    assert rows["ttft"].details == {"duration_s": DURATION_S, "requests": 4, "failed": 1}
    assert rows["tpot"].method == "(last chunk - first chunk) / (tokens - 1); tokens as reported"


def test_samples_give_numpys_percentiles_in_duckdb() -> None:
    rng = np.random.default_rng(1)
    requests = tuple(request(i, float(i), (i + float(rng.gamma(2.0)),), 1) for i in range(257))
    samples = measured(requests)["ttft"].samples
    assert samples is not None

    points = [0.5, 0.9, 0.95, 0.99]
    row = duckdb.execute("SELECT quantile_cont(x, $p) FROM (SELECT unnest($x) AS x)", {"x": samples, "p": points})

    result = row.fetchone()
    assert result is not None
    assert result[0] == pytest.approx(np.quantile(list(samples), points, method="linear"))


def test_goodput_counts_a_single_token_as_a_tpot_of_zero() -> None:
    rows = measured((request(0, 0.0, (1.0,), 1), request(1, 0.0, (1.0, 3.0), 2)), StreamPlan(slo={"tpot": 0.1}))

    assert rows["goodput"].value == 1 / DURATION_S
    assert rows["tpot"].samples == (2.0,)


def test_goodput_without_objectives_is_not_a_metric() -> None:
    assert "goodput" not in measured()


def test_tokens_that_nobody_reported_are_not_guessed_from_chunks() -> None:
    requests = (request(0, 0.0, (0.5, 0.75), None), request(1, 0.0, (0.5, 0.75), None))

    rows = measured(requests, StreamPlan(slo={"tpot": 1.0}))

    for metric in ("tpot", "tokens_per_second", "total_tokens_per_second", "goodput"):
        assert rows[metric].value is None
        assert rows[metric].samples is None
        assert "2 of 2 answers did not report their tokens" in str(rows[metric].reason)
    assert rows["ttft"].samples == (0.5, 0.5)
    assert rows["requests_per_second"].value == 2 / DURATION_S


def test_tokens_that_some_did_not_report_leave_no_sum_but_the_tpot_of_the_others() -> None:
    rows = measured((request(0, 0.0, (0.5, 0.75), 2), request(1, 0.0, (0.5, 0.75), None)))

    assert rows["tokens_per_second"].value is None
    assert "1 of 2 answers" in str(rows["tokens_per_second"].reason)
    assert rows["tpot"].samples == (0.25,)
    assert rows["tpot"].details is not None
    assert rows["tpot"].details["requests_without_tokens"] == 1


def test_prompt_tokens_that_nobody_reported_only_cost_the_total() -> None:
    rows = measured((request(0, 0.0, (0.5, 0.75), 2, tokens_in=None),))

    assert rows["tokens_per_second"].value == 2 / DURATION_S
    assert rows["total_tokens_per_second"].value is None
    assert "tokens of their prompt" in str(rows["total_tokens_per_second"].reason)


def test_answer_in_one_chunk_has_no_tpot_and_no_verdict_on_it() -> None:
    rows = measured((request(0, 0.0, (0.5,), 100),), StreamPlan(slo={"tpot": 1.0}))

    assert rows["tpot"].samples is None
    assert "several chunks" in str(rows["tpot"].reason)
    assert "single chunk" in str(rows["itl"].reason)
    assert rows["goodput"].value is None
    assert "single chunk" in str(rows["goodput"].reason)
    assert rows["tokens_per_second"].value == 100 / DURATION_S


def test_failed_requests_are_in_no_latency_and_no_rate() -> None:
    failed = request(1, 0.0, (1e-6,), 10**6, error="broke off")

    alone, beside = measured(EXAMPLE[:1]), measured((EXAMPLE[0], failed))

    for metric in alone:
        if metric != "failed_requests":
            assert beside[metric].samples == alone[metric].samples
            assert beside[metric].value == alone[metric].value
    assert beside["failed_requests"].value == 1


def test_block_without_a_complete_answer_has_reasons_and_no_zeros() -> None:
    failed = tuple(request(i, 0.0, (), None, due_s=0.0, error="HTTP 503") for i in range(3))

    rows = measured(failed, StreamPlan(slo={"ttft": 1.0}))

    assert rows["failed_requests"].value == 3
    for metric in rows.keys() - ALWAYS:
        assert rows[metric].value is None
        assert rows[metric].samples is None
        assert rows[metric].reason == "none of 3 requests was answered whole; the first one: HTTP 503"


def test_block_without_a_request_says_so() -> None:
    assert {row.reason for row in measured(()).values() if row.metric not in ALWAYS} == {"no request was sent"}


def test_block_that_took_no_time_has_no_rate() -> None:
    rows = measured((request(0, 0.0, (0.0,), 1),), duration_s=0.0)

    assert rows["requests_per_second"].value is None
    assert "no time" in str(rows["requests_per_second"].reason)


def test_queue_time_is_a_metric_of_open_loops_only() -> None:
    rows = measured((request(0, 1.5, (2.0,), 1, due_s=1.25), request(1, 2.0, (), None, due_s=0.0, error="refused")))

    assert rows["queue_time"].samples == (0.25,)
    assert "queue_time" not in measured()


def test_time_to_first_output_token_leaves_reasoning_out() -> None:
    rows = measured(EXAMPLE[:2], first_output_s={1: 1.75})

    assert rows["ttfot"].samples == (0.75,)
    assert rows["ttft"].samples == (0.5, 0.25)
    assert "ttfot" not in measured()


@pytest.mark.parametrize(
    ("plan", "method"),
    [
        (StreamPlan(tokens="chunks"), "one chunk counted as one token"),
        (StreamPlan(tokens=len), "tokens counted by len"),
    ],
    ids=["chunks", "function"],
)
def test_method_says_how_tokens_were_counted(plan: StreamPlan, method: str) -> None:
    rows = measured(plan=plan)

    assert str(rows["tpot"].method).endswith(method)
    assert str(rows["tokens_per_second"].method).endswith(method)


def test_client_has_metrics_of_its_own() -> None:
    share, delay = load_rows(LOAD)

    assert (share.value, share.details) == (0.25, {"cpu_s": 1.0, "process_cpu_s": 2.0})
    assert delay.samples == (0.0, 0.001)


def test_load_of_a_client_that_was_blocked_is_not_known() -> None:
    rows = load_rows(None)

    assert [(row.value, row.samples, row.reason) for row in rows] == [(None, None, "the event loop was blocked")] * 2


def test_peak_tokens_are_counted_in_whole_seconds_as_in_vllm() -> None:
    # Seconds 0 and 1 from the first send at 0.5: 3 chunks of 1 token; and 2 chunks of 2 tokens, 1 in each second.
    requests = (request(0, 0.5, (0.75, 1.0, 1.25), 3), request(1, 1.0, (1.25, 1.5), 4))

    assert measured(requests)["peak_tokens_per_second"].value == 3 + 2
    short = measured(requests, duration_s=0.9)["peak_tokens_per_second"]
    assert (short.value, short.reason) == (None, "the block was shorter than a second")
