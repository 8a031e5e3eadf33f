"""The budget of a test, ``@pytest.mark.benchdb(max_time=0.5)``: a time beyond it fails the test, whatever its history.

PYTEST_DONT_REWRITE
"""

import pytest

from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.run import Timing
from pytest_benchdb.operations.gate.main_time import main_time
from pytest_benchdb.present.writing.units import one_quantity


class TimeBudget:
    """The most time that the main time of a test may take.

    Attributes:
        most_s: seconds.
    """

    def __init__(self, item: pytest.Item, most_s: float) -> None:
        """Take the test and its budget."""
        self.most_s = most_s
        self._item = item

    def check(self, timing: Timing) -> None:
        """Fail the test if its main time is beyond the budget; warn if that was not measured."""
        found = main_time(timing)
        if found is None:
            reasons = (timing.invalid, *(row.reason for row in timing.measurements if row.metric in MAIN_TIMES))
            why = next(filter(None, reasons), "only phases were timed")
            self._item.warn(pytest.PytestWarning(f"max_time={self.most_s:g} was not checked: {why}"))
            return
        seconds, what = found
        if seconds > self.most_s:
            took, most = one_quantity(seconds, "s"), one_quantity(self.most_s, "s")
            pytest.fail(f"took {took} ({what}), more than its max_time of {most}", pytrace=False)
