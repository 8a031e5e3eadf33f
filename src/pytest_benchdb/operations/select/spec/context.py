"""What a SPEC is resolved against: the candidate, the pinned baselines, the git checkout."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pytest_benchdb.environment.ci import read_ci
from pytest_benchdb.environment.git.ancestry import Ancestry, open_ancestry
from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.store.read.reader import Reader


def _no_git() -> Ancestry | None:
    return None


def _no_runs(_prefix: str) -> Mapping[str, str]:
    return {}


def _silent(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecContext:
    """What a SPEC is resolved against.

    Attributes:
        candidates: the sessions that are to be judged, oldest first: never part of what a SPEC stands for. Without
            any, every machine will do.
        baselines: pinned baselines by name.
        find_runs: gives the sessions of the runs whose id begins with a text, by id of the run.
        git: gives the git checkout; None if there is none.
        pull_request: whether the candidate belongs to one, whatever its session says.
        target_branch: the branch that it is to go into.
        allow_cross: whether sessions of other machines will do.
        warn: told one line for each thing that did not go as asked.
        now: the current time, aware; None takes the clock.
    """

    candidates: tuple[SessionRow, ...] = ()
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    find_runs: Callable[[str], Mapping[str, str]] = _no_runs
    git: Callable[[], Ancestry | None] = _no_git
    pull_request: bool = False
    target_branch: str | None = None
    allow_cross: bool = False
    warn: Callable[[str], None] = _silent
    now: dt.datetime | None = None

    @property
    def candidate(self) -> SessionRow | None:
        """The newest of the sessions to be judged."""
        return self.candidates[-1] if self.candidates else None

    def comparable(self, sessions: Sequence[SessionRow]) -> list[SessionRow]:
        """Return the sessions of the candidate's machine, the candidates left out."""
        ids = {one.session_id for one in self.candidates}
        return [one for one in self.on_machine(sessions) if one.session_id not in ids]

    def on_machine(self, sessions: Sequence[SessionRow]) -> list[SessionRow]:
        """Return the sessions of the candidate's machine; all of them if machines may be crossed."""
        if self.candidate is None or self.allow_cross:
            return list(sessions)
        return [one for one in sessions if one.fingerprint == self.candidate.fingerprint]

    def earlier(self, sessions: Sequence[SessionRow]) -> list[SessionRow]:
        """Return the comparable sessions that began before the first candidate."""
        found = self.comparable(sessions)
        if not self.candidates:
            return found
        first = min(one.started_at for one in self.candidates)
        return [one for one in found if one.started_at < first]


def spec_context(
    reader: Reader,
    candidates: Sequence[SessionRow] = (),
    *,
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
    allow_cross: bool = False,
    warn: Callable[[str], None] = _silent,
) -> SpecContext:
    """Return what SPECs are resolved against, with a history and the git checkout of a folder.

    Args:
        reader: the history.
        candidates: the sessions that are to be judged, oldest first.
        root: a folder of the checkout; None takes the current one.
        environ: environment variables, of CI and of the git processes; None takes those of the process.
        allow_cross: whether sessions of other machines will do.
        warn: told one line for each thing that did not go as asked.
    """
    variables = os.environ if environ is None else environ
    folder = Path.cwd() if root is None else root
    projects = {one.project for one in candidates}
    return SpecContext(
        candidates=tuple(candidates),
        baselines={one.name: one for one in reader.baselines() if not projects or one.project in projects},
        find_runs=reader.sessions_of_runs,
        git=cache(lambda: open_ancestry(folder, variables)),
        pull_request=read_ci(variables).pull_request is not None,
        target_branch=variables.get("GITHUB_BASE_REF") or variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or None,
        allow_cross=allow_cross,
        warn=warn,
    )
