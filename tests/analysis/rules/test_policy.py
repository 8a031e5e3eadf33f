import pytest

from pytest_benchdb.analysis.rules.policy import default_policy, statistic_of
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.verdict import Statistic

MIB = 1024 * 1024
DEFAULTS = {
    # metric: (share with few sessions, with ten, amount, exact, gated)
    "wall_time": (0.05, 0.03, 50e-9, False, True),
    "device_time": (0.05, 0.03, 50e-9, False, False),
    "step_time": (0.05, 0.03, 50e-9, False, False),
    "cpu_time": (0.03, 0.03, 50e-9, False, False),
    "thread_time": (0.03, 0.03, 50e-9, False, False),
    "python_peak": (0.01, 0.01, 1024, True, True),
    "native_peak": (0.01, 0.01, 1024, True, False),
    "peak_rss": (0.05, 0.05, MIB, False, False),
    "device_peak": (0.05, 0.05, MIB, False, False),
    "energy": (0.10, 0.10, 0, False, False),
    "throughput": (0.05, 0.03, 0, False, False),
    "failed_requests": (0.0, 0.0, 0, True, False),
}


@pytest.mark.parametrize("metric", DEFAULTS)
def test_policy_of_a_metric_has_the_documented_limits(metric: str) -> None:
    known = METRICS[metric]

    few, enough = (default_policy(metric, known.unit, known.better, sessions=n) for n in (9, 10))

    assert (few.relative, enough.relative, few.absolute, few.exact, few.gated) == DEFAULTS[metric]
    assert (few.better, few.confidence, few.least_sessions, few.window) == (known.better, 0.99, 5, 20)


@pytest.mark.parametrize(
    ("unit", "limits"),
    [("s", (0.05, 50e-9)), ("B", (0.05, MIB)), ("J", (0.10, 0)), ("rows/s", (0.05, 0)), ("1", (0.05, 0))],
    ids=str,
)
def test_policy_of_an_unknown_metric_follows_its_unit(unit: str, limits: tuple[float, float]) -> None:
    policy = default_policy("mine", unit, "higher", sessions=5)

    assert (policy.relative, policy.absolute) == limits
    assert (policy.better, policy.statistic, policy.gated) == ("higher", "value", False)


def test_policy_of_a_metric_without_direction_is_never_gated() -> None:
    assert not default_policy("wall_time", "s", "none", sessions=20).gated


@pytest.mark.parametrize(
    ("metric", "statistic"),
    [("wall_time", "min"), ("device_time", "min"), ("itl", "median"), ("step_time", "median"), ("energy", "value")],
)
def test_statistic_suits_the_metric(metric: str, statistic: Statistic) -> None:
    assert statistic_of(metric) == statistic
