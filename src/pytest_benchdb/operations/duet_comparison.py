"""Compares the sides of a duet that was run."""

from dataclasses import replace

from pytest_benchdb.model.comparison import Comparison, Side
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.operations.compare import Choice, compare
from pytest_benchdb.operations.duet_plan import Duet, Played
from pytest_benchdb.operations.opening import SILENT, Feedback, open_source

ENOUGH_PAIRS = 5
SHARE = 0.03
"""Smallest change of a time that counts from so many pairs on.

Other comparisons ask for 5 % below ten sessions, because their sides were not taken in turn; what this one costs in
false alarms is in docs/explanation/regression-quality.md.
"""


def compare_played(duet: Duet, played: Played, choice: Choice, feedback: Feedback = SILENT) -> Comparison:
    """Compare the sessions of both sides.

    Two environments may differ in their Python, which otherwise makes benchmarks incomparable.

    Args:
        duet: what was run.
        played: the sessions.
        choice: metrics, filters and thresholds.
        feedback: told about sessions that could not be read.

    Raises:
        ConfigError: a filter cannot be used, or a threshold has another unit than its metric.
        StoreError: the sessions cannot be read.
    """
    with open_source([duet.database], feedback) as reader:
        return compare(
            reader,
            Side(name=played.base_name, sessions=played.base),
            Side(name=played.head_name, sessions=played.head),
            choice_for(duet, choice),
        )


def choice_for(duet: Duet, choice: Choice) -> Choice:
    """Return a choice with what a duet changes of its defaults."""
    crosses = choice.allow_cross or duet.base.program != duet.head.program
    is_default = choice.share is None and not choice.thresholds
    small = is_default and duet.pairs >= ENOUGH_PAIRS and all(map(_is_time, choice.metrics))
    return replace(choice, allow_cross=crosses, share=SHARE if small else choice.share)


def _is_time(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].kind == "time"
