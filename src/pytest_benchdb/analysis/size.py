"""Whether a change is large enough to count, and what it then means."""

from collections.abc import Sequence

from pytest_benchdb.model.judgement import Policy, Verdict


def counts(baseline: float, candidate: float, policy: Policy) -> bool:
    """Return whether a change exceeds both the share and the amount below which nobody asks.

    Args:
        baseline: in the metric's unit; of 0 every change is a share without bound.
        candidate: likewise.
        policy: tells both limits.
    """
    amount = abs(candidate - baseline)
    return amount > policy.absolute and amount > policy.relative * abs(baseline)


def direction(baseline: float, candidate: float, policy: Policy, *, sure: bool) -> tuple[Verdict, str | None]:
    """Return what a change that counts is called; with a reason if it has no name.

    Args:
        baseline: in the metric's unit.
        candidate: likewise.
        policy: tells which direction is better.
        sure: whether chance is out.
    """
    if not sure:
        return "inconclusive", "within the noise"
    if policy.better == "none":
        return "inconclusive", "changed, but neither direction is better"
    if baseline == 0 and not policy.exact:
        return "inconclusive", "the baseline is 0, of which no share can be told"
    return ("regressed" if (candidate > baseline) == (policy.better == "lower") else "improved"), None


def change_of(baseline: float, candidate: float) -> float | None:
    """Return candidate / baseline - 1; of a negative baseline likewise by its magnitude; None of 0."""
    return (candidate - baseline) / abs(baseline) if baseline else None


def repeats(figures: Sequence[float], policy: Policy) -> bool:
    """Return whether figures repeat: exactly or, for a metric that is meant to, but for changes that never count.

    A metric that is meant to repeat and does not is tested like any other.
    """
    low, high = min(figures), max(figures)
    return low == high or (policy.exact and not counts(low, high, policy))
