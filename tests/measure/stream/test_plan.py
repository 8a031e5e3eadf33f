import math
import statistics
from itertools import pairwise

import pytest
import scipy.stats

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream.plan import StreamPlan, arrival_times


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"concurrency": 0}, "concurrency=0"),
        ({"concurrency": True}, "concurrency=True"),
        ({"requests": 0}, "requests=0"),
        ({"requests": 2.5}, "requests=2.5"),
        ({"warmup_requests": -1}, "warmup_requests=-1"),
        ({"warmup_requests": None}, "warmup_requests=None"),
        ({"timeout_s": 0}, "timeout_s=0"),
        ({"timeout_s": math.inf}, "timeout_s=inf"),
        ({"duration_s": math.nan}, "duration_s=nan"),
        ({"rate": -1.0}, "rate=-1.0"),
        ({"rate": "fast"}, "rate='fast'"),
        ({"rate": math.inf}, "requests="),
        ({"tokens": "guess"}, "tokens='guess'"),
        ({"burstiness": 0, "rate": 1.0}, "burstiness=0"),
        ({"burstiness": 2.0}, "burstiness=2.0"),
        ({"ramp_up_s": -1.0}, "ramp_up_s=-1.0"),
        ({"ramp_up_s": 1.0, "rate": math.inf, "requests": 1}, "ramp_up_s"),
        ({"ready_timeout_s": math.inf}, "ready_timeout_s=inf"),
        ({"slo": {"ttft": 0}}, "slo of ttft=0"),
        ({"slo": {"itl": 0.1}}, "slo names 'itl'"),
        ({"slo": {"energy": 0.1}}, "slo names 'energy'"),
    ],
    ids=str,
)
def test_plan_with_an_argument_out_of_range_is_refused_by_name(arguments: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        StreamPlan(**arguments)  # type: ignore[arg-type]

    assert named in str(refused.value)


def test_plan_with_sensible_arguments_is_taken() -> None:
    plan = StreamPlan(concurrency=4, rate=2, requests=10, slo={"ttft": 1, "tpot": 0.05, "e2e_latency": 3}, tokens=len)

    assert plan.slo == {"ttft": 1, "tpot": 0.05, "e2e_latency": 3}


def test_arrival_times_of_the_same_seed_are_the_same() -> None:
    first = list(arrival_times(StreamPlan(rate=5.0, seed=7), 100))

    assert first == list(arrival_times(StreamPlan(rate=5.0, seed=7), 100))
    assert first != list(arrival_times(StreamPlan(rate=5.0, seed=8), 100))
    assert first == sorted(first)
    assert first[0] > 0


def test_arrival_times_scale_with_the_rate() -> None:
    slow = list(arrival_times(StreamPlan(rate=1.0, seed=3), 50))

    assert list(arrival_times(StreamPlan(rate=10.0, seed=3), 50)) == pytest.approx([due_s / 10 for due_s in slow])


def test_arrival_times_have_exponential_gaps() -> None:
    times = [0.0, *arrival_times(StreamPlan(rate=4.0, seed=1), 20_000)]
    gaps = sorted(later - earlier for earlier, later in pairwise(times))

    # Kolmogorov-Smirnov distance to 1 - exp(-4 x); 1.63 / sqrt(n) is the bound at 1 %.
    distance = max(abs((rank + 0.5) / len(gaps) - (1 - math.exp(-4.0 * gap))) for rank, gap in enumerate(gaps))
    assert distance < 1.63 / math.sqrt(len(gaps))
    assert statistics.fmean(gaps) == pytest.approx(0.25, rel=0.03)


def test_arrival_times_have_poisson_counts() -> None:
    counts = [0] * 2000
    for due_s in arrival_times(StreamPlan(rate=3.0, seed=2, duration_s=2000.0)):
        counts[min(int(due_s), 1999)] += 1

    # Variance equals mean for a Poisson process; evenly spaced or bursty arrivals are far off.
    assert statistics.fmean(counts) == pytest.approx(3.0, rel=0.05)
    assert statistics.variance(counts) / statistics.fmean(counts) == pytest.approx(1.0, abs=0.12)


def test_arrival_times_end_with_the_duration_or_the_number() -> None:
    within = list(arrival_times(StreamPlan(rate=10.0, seed=0, duration_s=2.0)))

    assert within
    assert max(within) <= 2.0
    assert len(list(arrival_times(StreamPlan(rate=10.0, seed=0, duration_s=2.0), 5))) == 5
    assert list(arrival_times(StreamPlan(rate=10.0, seed=0, duration_s=2.0), 1000)) == within


def test_arrival_times_at_an_infinite_rate_are_all_zero() -> None:
    assert list(arrival_times(StreamPlan(rate=math.inf, seed=0, requests=1), 3)) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("burstiness", [0.25, 4.0])
def test_arrival_times_have_gamma_gaps_as_in_vllm(burstiness: float) -> None:
    plan = StreamPlan(rate=4.0, burstiness=burstiness, seed=1)
    gaps = [later - earlier for earlier, later in pairwise([0.0, *arrival_times(plan, 20_000)])]

    distance = scipy.stats.kstest(gaps, scipy.stats.gamma(burstiness, scale=1 / (4.0 * burstiness)).cdf).statistic

    assert distance < 1.63 / math.sqrt(len(gaps))


def test_arrival_times_of_infinite_burstiness_are_even() -> None:
    times = list(arrival_times(StreamPlan(rate=4.0, burstiness=math.inf), 4))

    assert times == [0.25, 0.5, 0.75, 1.0]


def test_ramp_up_makes_the_rate_grow_in_a_straight_line() -> None:
    plan = StreamPlan(rate=100.0, burstiness=math.inf, ramp_up_s=10.0, duration_s=20.0)

    times = list(arrival_times(plan))

    # By t, rate * t^2 / (2 * ramp) have come: 125 of the 500 by half of the ramp. Afterwards there are 100 a second.
    assert sum(due_s <= 5.0 for due_s in times) == 125
    assert sum(due_s <= 10.0 for due_s in times) == 500
    assert len(times) == 1500
    assert times == sorted(times)
