import math
import statistics
from itertools import pairwise

import pytest

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
    first = list(arrival_times(5.0, seed=7, requests=100))

    assert first == list(arrival_times(5.0, seed=7, requests=100))
    assert first != list(arrival_times(5.0, seed=8, requests=100))
    assert first == sorted(first)
    assert first[0] > 0


def test_arrival_times_scale_with_the_rate() -> None:
    slow = list(arrival_times(1.0, seed=3, requests=50))

    assert list(arrival_times(10.0, seed=3, requests=50)) == pytest.approx([due_s / 10 for due_s in slow])


def test_arrival_times_have_exponential_gaps() -> None:
    times = [0.0, *arrival_times(4.0, seed=1, requests=20_000)]
    gaps = sorted(later - earlier for earlier, later in pairwise(times))

    # Kolmogorov-Smirnov distance to 1 - exp(-4 x); 1.63 / sqrt(n) is the bound at 1 %.
    distance = max(abs((rank + 0.5) / len(gaps) - (1 - math.exp(-4.0 * gap))) for rank, gap in enumerate(gaps))
    assert distance < 1.63 / math.sqrt(len(gaps))
    assert statistics.fmean(gaps) == pytest.approx(0.25, rel=0.03)


def test_arrival_times_have_poisson_counts() -> None:
    counts = [0] * 2000
    for due_s in arrival_times(3.0, seed=2, duration_s=2000.0):
        counts[min(int(due_s), 1999)] += 1

    # Variance equals mean for a Poisson process; evenly spaced or bursty arrivals are far off.
    assert statistics.fmean(counts) == pytest.approx(3.0, rel=0.05)
    assert statistics.variance(counts) / statistics.fmean(counts) == pytest.approx(1.0, abs=0.12)


def test_arrival_times_end_with_the_duration_or_the_number() -> None:
    within = list(arrival_times(10.0, seed=0, duration_s=2.0))

    assert within
    assert max(within) <= 2.0
    assert len(list(arrival_times(10.0, seed=0, requests=5, duration_s=2.0))) == 5
    assert list(arrival_times(10.0, seed=0, requests=1000, duration_s=2.0)) == within


def test_arrival_times_at_an_infinite_rate_are_all_zero() -> None:
    assert list(arrival_times(math.inf, seed=0, requests=3)) == [0.0, 0.0, 0.0]
