import pytest

from pytest_benchdb.measure.stream.metrics import (
    e2e_latency_s,
    gaps_s,
    judge,
    meets,
    queue_time_s,
    tpot_s,
    ttft_s,
)
from pytest_benchdb.model.run import Request


def request(
    *chunk_s: float,
    sent_s: float | None = 1.0,
    due_s: float | None = None,
    tokens_out: int | None = None,
    ok: bool = True,
) -> Request:
    return Request(
        index=0,
        due_s=due_s,
        sent_s=sent_s,
        chunk_s=chunk_s,
        tokens_in=None,
        tokens_out=tokens_out,
        ok=ok,
        error=None if ok else "refused",
    )


def test_metrics_of_a_request_follow_the_definitions_of_vllm() -> None:
    # Sent at 1.0; chunks at 1.5, 1.7 and 2.0 that hold five tokens: speculative decoding.
    one = request(1.5, 1.7, 2.0, tokens_out=5, due_s=0.75)

    assert ttft_s(one) == pytest.approx(0.5)
    assert e2e_latency_s(one) == pytest.approx(1.0)
    assert tpot_s(one) == pytest.approx((1.0 - 0.5) / (5 - 1))
    assert gaps_s(one) == pytest.approx((0.2, 0.3))
    assert queue_time_s(one) == pytest.approx(0.25)


@pytest.mark.parametrize("tokens_out", [None, 0, 1], ids=["not-reported", "zero", "one"])
def test_tpot_without_two_tokens_is_not_measured(tokens_out: int | None) -> None:
    assert tpot_s(request(1.5, 1.7, tokens_out=tokens_out)) is None


def test_tpot_of_many_tokens_in_one_chunk_is_not_zero_but_missing() -> None:
    assert tpot_s(request(1.5, tokens_out=100)) is None


def test_queue_time_in_a_closed_loop_is_missing() -> None:
    assert queue_time_s(request(1.5)) is None


def test_ttft_of_a_request_that_was_never_sent_is_an_error() -> None:
    with pytest.raises(ValueError, match="never sent"):
        ttft_s(request(1.5, sent_s=None))


@pytest.mark.parametrize(
    ("slo", "met"),
    [
        ({}, None),
        ({"ttft": 0.5}, True),
        ({"ttft": 0.49}, False),
        ({"e2e_latency": 1.0}, True),
        ({"e2e_latency": 0.99}, False),
        ({"tpot": 0.125}, True),
        ({"tpot": 0.12}, False),
        ({"ttft": 0.5, "tpot": 0.125, "e2e_latency": 1.0}, True),
        ({"ttft": 0.5, "tpot": 0.125, "e2e_latency": 0.9}, False),
    ],
    ids=str,
)
def test_objectives_are_met_only_all_together(slo: dict[str, float], met: bool | None) -> None:
    # Powers of two, so that the limits are exact.
    assert meets(request(1.5, 1.75, 2.0, tokens_out=5), slo) is met


def test_objectives_of_a_failed_request_are_not_met() -> None:
    assert meets(request(1.0, 1.0, tokens_out=2, ok=False), {"ttft": 10.0}) is False


@pytest.mark.parametrize("tokens_out", [0, 1])
def test_objectives_take_the_tpot_of_a_single_token_for_zero(tokens_out: int) -> None:
    assert meets(request(1.5, tokens_out=tokens_out), {"tpot": 1e-9}) is True


@pytest.mark.parametrize(
    ("one", "slo", "met"),
    [
        (request(1.5, 2.0), {"tpot": 1.0}, None),
        (request(1.5, tokens_out=9), {"tpot": 1.0}, None),
        (request(1.5, 2.0), {"tpot": 1.0, "ttft": 0.1}, False),
        (request(1.5, 2.0), {"ttft": 1.0}, True),
    ],
    ids=["not-reported", "one-chunk", "slow-anyway", "not-asked"],
)
def test_objectives_that_cannot_be_judged_are_neither_met_nor_missed(
    one: Request, slo: dict[str, float], met: bool | None
) -> None:
    assert meets(one, slo) is met


def test_judged_requests_carry_their_verdict() -> None:
    requests = judge((request(1.25), request(3.0)), {"ttft": 1.0})

    assert [one.slo_ok for one in requests] == [True, False]
