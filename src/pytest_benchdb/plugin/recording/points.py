"""Stores the runs of the points of one test's sweeps.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable

from pytest_benchdb.model.run import NOT_RUN, PASSED
from pytest_benchdb.plugin.recording.attempt import Attempt
from pytest_benchdb.plugin.recording.outcome import Phase

_SKIPPED = NOT_RUN - {"xfailed"}


class SweepPoints:
    """The points of the sweeps of one test, or of one benchmark of a script.

    Attributes:
        lines: journal lines that wait for the test's last report, in a process that does not write them.
    """

    def __init__(
        self,
        test: Attempt,
        *,
        write: Callable[[bytes], bool],
        begin_line: Callable[[Attempt], bytes],
        lines_of: Callable[[Attempt], bytes],
        expected: Callable[[Phase], Phase] | None = None,
    ) -> None:
        """Begin without points.

        Args:
            test: the attempt at the test.
            write: writes journal lines; False if this process cannot.
            begin_line: returns the line of an attempt that begins.
            lines_of: returns the lines of a finished attempt.
            expected: returns the phase of a point after comparing it with what the test expects.
        """
        self._test = test
        self._write = write
        self._begin_line = begin_line
        self._lines_of = lines_of
        self._expected = expected
        self._count = 0
        self._failed = 0
        self.lines = b""

    def begin(self, point: Attempt) -> None:
        """Note that a point begins."""
        if self._count == 0:  # the journal says already that the test began; it ends with this run
            point.run_id, self._test.run_id = self._test.run_id, point.run_id
        else:
            self._write(self._begin_line(point))
        self._count += 1

    def finish(self, point: Attempt) -> None:
        """Store the run of a finished point."""
        if self._expected is not None and point.call is not None:
            point.call = self._expected(point.call)
        self._failed += point.outcome[0] not in PASSED | _SKIPPED
        lines = self._lines_of(point)
        if not self._write(lines):
            self.lines += lines

    @property
    def were_measured(self) -> bool:
        """Whether the test had points."""
        return self._count > 0

    @property
    def are_the_whole_test(self) -> bool:
        """Whether the test needs no run of its own: it measured nothing else, and only its points failed."""
        if self._count == 0 or not self._test.bench.is_unused():
            return False
        return self._test.outcome[0] == "passed" or self._failed > 0
