"""Compares the sides of a duet that was run."""

from dataclasses import replace

from pytest_benchdb.model.comparison import Comparison, Side
from pytest_benchdb.operations.compare import Choice, compare
from pytest_benchdb.operations.duet_plan import Duet, Played
from pytest_benchdb.operations.opening import SILENT, Feedback, open_source


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
    crosses = choice.allow_cross or duet.base.program != duet.head.program
    with open_source([duet.database], feedback) as reader:
        return compare(
            reader,
            Side(name=played.base_name, sessions=played.base),
            Side(name=played.head_name, sessions=played.head),
            replace(choice, allow_cross=crosses),
        )
