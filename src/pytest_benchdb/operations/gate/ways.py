"""Choose how suspects are checked, and check them: by the best way that is possible, and by the next what it leaves.

Side by side says most of what is left between two commits, re-runs of the candidate alone least: they repeat the
machine's new state as faithfully as the code's. docs/explanation/regression-quality.md has what each is worth.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pytest_benchdb.errors import BackendUnavailableError, ConfigError
from pytest_benchdb.model.comparison import ComparisonRow, ConfirmWay
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.operations.count.wrap import choose_method
from pytest_benchdb.operations.duet.plan import Duet
from pytest_benchdb.operations.duet.run import OpenDuet, open_duet
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.gate.adjust import is_count, is_suspect
from pytest_benchdb.operations.gate.confirm import (
    INTERRUPTED,
    Confirmation,
    Judge,
    Reruns,
    confirm,
    plan_reruns,
    undecided_row,
)
from pytest_benchdb.operations.gate.counted import confirm_by_counts, confirm_counts
from pytest_benchdb.operations.gate.history import GateSides
from pytest_benchdb.operations.gate.request import OF_COMMITS, ConfirmBy, GateRequest
from pytest_benchdb.operations.gate.side_by_side import confirm_in_turn, plan_duet
from pytest_benchdb.operations.pytest_run import Runner
from pytest_benchdb.store.read.reader import Reader

_COUNTING: frozenset[ConfirmBy] = frozenset({"auto", "instructions"})
_TIMES_BY_SIDES = 2
"""How many re-runs a check of both commits is worth to the rule, which has a smaller limit from two on."""
_NAMES: Mapping[ConfirmWay, str] = {
    "rerun": "running it again",
    "duet": "running both commits in turn",
    "instructions": "counting both commits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How the suspects of a session will be checked.

    Attributes:
        by: what was asked for.
        reruns: how the candidate alone is run again.
        duet: both commits; None if they are not to be run, or cannot be.
        obstacle: why both commits cannot be run; None if they can, or if that is not wanted.
        no_counts: why nothing can be counted; None if it can, or if that is not wanted.
    """

    by: ConfirmBy
    reruns: Reruns = field(default_factory=Reruns)
    duet: Duet | None = None
    obstacle: str | None = None
    no_counts: str | None = None

    @property
    def times(self) -> int:
        """How many re-runs the rule may count on."""
        return max(self.reruns.times, _TIMES_BY_SIDES) if self.runs_commits else self.reruns.times

    @property
    def counts(self) -> bool:
        """Whether suspects are counted first."""
        return self.by in _COUNTING and self.no_counts is None

    @property
    def impossible(self) -> str | None:
        """Why the best way is not possible, as a sentence; None if it is."""
        if self.obstacle is not None:
            return f"{_NAMES['duet']} is not possible: {self.obstacle}"
        return None if self.no_counts is None else f"{_NAMES['instructions']} is not possible: {self.no_counts}"

    @property
    def runs_commits(self) -> bool:
        """Whether the baseline's commit can be run beside the candidate."""
        return self.duet is not None

    @property
    def unconfirmed(self) -> str | None:
        """Why regressions will not be checked; None if they will."""
        if self.runs_commits or self.reruns.runner is not None or self.by in OF_COMMITS:
            return None
        return self.reruns.obstacle or "--confirm 2 runs them again"


def plan_checks(reader: Reader, sides: GateSides, request: GateRequest, runner: Runner | None = None) -> Checks:
    """Return how the suspects of a gate will be checked.

    Args:
        reader: has the sessions.
        sides: the sessions of the gate.
        request: the gate's request.
        runner: runs the candidate's benchmarks again; None starts processes.

    Raises:
        ConfigError: re-runs were asked for explicitly, and the recorded command cannot be run.
    """
    by: ConfirmBy = request.confirm_by or ("auto" if request.confirms is None and runner is None else "rerun")
    if request.confirms == 0:
        return Checks(by="rerun")
    reruns = Reruns() if by in OF_COMMITS else plan_reruns(reader, sides.newest, request, runner)
    if by == "rerun":
        return Checks(by=by, reruns=reruns)
    try:
        duet = plan_duet(sides, request)
    except ConfigError as error:
        return Checks(by=by, reruns=reruns, obstacle=str(error))
    return Checks(by=by, reruns=reruns, duet=duet, no_counts=_no_counts() if by in _COUNTING else None)


def _no_counts() -> str | None:
    """Return why instructions cannot be counted here; None if they can."""
    try:
        choose_method()
    except BackendUnavailableError as error:
        return str(error)
    return None


@contextlib.contextmanager
def _opened(duet: Duet, request: GateRequest, say: Callable[[str], None]) -> Iterator[tuple[OpenDuet, Path]]:
    """Check out both sides, and yield them with the folder that takes their sessions."""
    with tempfile.TemporaryDirectory(prefix="benchdb-gate-", ignore_cleanup_errors=True) as name:
        database = Path(name) / "db"
        folder, feedback = request.folder.absolute(), Feedback(warn=say)
        with open_duet(replace(duet, database=database), folder, request.environ, feedback) as opened:
            yield opened, database


class Way(Protocol):
    """One way to check suspects."""

    name: ConfirmWay

    def check(self, suspects: Sequence[ComparisonRow]) -> Confirmation:
        """Check suspects.

        Raises:
            BackendUnavailableError: nothing can count here.
            ConfigError: nothing could be run.
            StoreError: what was recorded cannot be read back.
        """


class SideBySide:
    """Runs baseline and candidate in turn."""

    name: ConfirmWay = "duet"

    def __init__(self, duet: Duet, request: GateRequest, say: Callable[[str], None]) -> None:
        """Start nothing yet.

        Args:
            duet: both sides.
            request: has the working folder and the environment variables.
            say: called with a line for each look at the suspects, and with notes about the sides.
        """
        self._duet = duet
        self._request = request
        self._say = say

    def check(self, suspects: Sequence[ComparisonRow]) -> Confirmation:
        """Run both sides until each suspect is confirmed, cleared, or too noisy to tell."""
        with _opened(self._duet, self._request, self._say) as (opened, database):
            return confirm_in_turn(suspects, opened, database, self._say)


class Counted:
    """Counts what baseline and candidate execute."""

    name: ConfirmWay = "instructions"

    def __init__(self, duet: Duet, request: GateRequest, say: Callable[[str], None]) -> None:
        """Start nothing yet; see `SideBySide` for the arguments."""
        self._duet = replace(duet, counted=True)
        self._request = request
        self._say = say

    def check(self, suspects: Sequence[ComparisonRow]) -> Confirmation:
        """Count both sides once."""
        with _opened(self._duet, self._request, self._say) as (opened, database):
            return confirm_by_counts(suspects, opened, database, self._say)


class Again:
    """Runs the candidate alone again."""

    name: ConfirmWay = "rerun"

    def __init__(self, reruns: Reruns, judge: Judge, fingerprint: str | None, say: Callable[[str], None]) -> None:
        """Start nothing yet; see `confirm` for the arguments."""
        self._reruns = reruns
        self._judge = judge
        self._fingerprint = fingerprint
        self._say = say

    def check(self, suspects: Sequence[ComparisonRow]) -> Confirmation:
        """Run suspects again until all are confirmed or cleared.

        Raises:
            ConfigError: they cannot be run again.
        """
        runner = self._reruns.runner
        if runner is None:
            raise ConfigError(self._reruns.obstacle or "re-runs are not wanted")
        suspects = [row for row in suspects if is_suspect(row)]
        return confirm(suspects, self._reruns.times, runner, self._judge, fingerprint=self._fingerprint, say=self._say)


def recount(
    rows: Sequence[ComparisonRow], checks: Checks, request: GateRequest, say: Callable[[str], None]
) -> Confirmation:
    """Count again, on both commits, what a stored count says is worse; without a way to, it stays as it is."""
    suspects = [row for row in rows if is_count(row)]
    if not suspects or checks.duet is None or not checks.counts:
        return Confirmation(rows=())
    try:
        with _opened(replace(checks.duet, counted=True), request, say) as (opened, database):
            found = confirm_counts(suspects, opened, database, say)
    except (ConfigError, BackendUnavailableError) as error:
        say(f"counting again is not possible: {error}")
        return Confirmation(rows=())
    except KeyboardInterrupt:
        return replace(_none_of(suspects, INTERRUPTED), interrupted=True)
    return replace(found, rows=tuple(replace(row, confirmed_by=Counted.name) for row in found.rows))


def check_by(
    ways: Sequence[Way], suspects: Sequence[ComparisonRow], obstacle: str | None, say: Callable[[str], None]
) -> Confirmation:
    """Check suspects by the first way, and what is out of its reach by the next.

    Args:
        ways: the best first.
        suspects: rows that look regressed.
        obstacle: why the best way is not among them; None if it is, or if that is not wanted.
        say: called with a line for each way that is not possible.
    """
    if obstacle is not None:
        say(obstacle)
    if not ways:
        return _none_of(suspects, obstacle or "there is no way to check it")
    rows = asked_rows = {row.key: row for row in suspects}
    left = list(rows)
    undecided: set[SeriesKey] = set()
    for way in ways:
        if not left:
            break
        asked = [asked_rows[key] for key in left]
        try:
            found = way.check(asked)
        except (ConfigError, BackendUnavailableError) as error:
            reason = f"{_NAMES[way.name]} is not possible: {error}"
            say(reason)
            found = _none_of(asked, reason)
        except KeyboardInterrupt:
            found = replace(_none_of(asked, INTERRUPTED), interrupted=True)
        judged = {
            row.key: replace(row, confirmed_by=way.name) for row in found.rows if row.key not in found.out_of_reach
        }
        rows = rows | {row.key: row for row in found.rows} | judged
        undecided = (undecided - set(left)) | found.undecided
        if found.interrupted:
            return Confirmation(rows=tuple(rows.values()), undecided=frozenset(undecided), interrupted=True)
        left = [key for key in left if key in found.out_of_reach]
    return Confirmation(rows=tuple(rows.values()), undecided=frozenset(undecided))


def _none_of(suspects: Sequence[ComparisonRow], reason: str) -> Confirmation:
    keys = frozenset(row.key for row in suspects)
    rows = tuple(undecided_row(row, reason) for row in suspects)
    return Confirmation(rows=rows, undecided=keys, out_of_reach=keys)
