"""The context in which SPECs are resolved: the candidate, the pinned baselines and the git checkout."""

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
from pytest_benchdb.operations.exchange.open import SILENT
from pytest_benchdb.store.read.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecContext:
    """The context in which SPECs are resolved.

    Attributes:
        candidates: the sessions to be judged, oldest first; a SPEC never resolves to them. Without any, sessions
            of all machines are comparable.
        baselines: pinned baselines by name.
        find_runs: returns the session ids of the runs whose id begins with a prefix, by run id.
        git: returns the git checkout, or None.
        pull_request: whether CI says that the candidate belongs to a pull request.
        target_branch: the pull request's target branch.
        allow_cross: whether sessions of other machines are comparable.
        warn: called with one line for each SPEC that could not be resolved as written.
        now: the current time, timezone-aware; None reads the clock.
    """

    candidates: tuple[SessionRow, ...] = ()
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    find_runs: Callable[[str], Mapping[str, str]] = lambda _prefix: {}
    git: Callable[[], Ancestry | None] = lambda: None
    pull_request: bool = False
    target_branch: str | None = None
    allow_cross: bool = False
    warn: Callable[[str], None] = SILENT.warn
    now: dt.datetime | None = None

    @property
    def candidate(self) -> SessionRow | None:
        """The newest of the sessions to be judged."""
        return self.candidates[-1] if self.candidates else None

    def comparable(self, sessions: Sequence[SessionRow]) -> list[SessionRow]:
        """Return the sessions of the candidate's machine, without the candidates."""
        ids = {candidate.session_id for candidate in self.candidates}
        return [session for session in self.on_machine(sessions) if session.session_id not in ids]

    def on_machine(self, sessions: Sequence[SessionRow]) -> list[SessionRow]:
        """Return the sessions of the candidate's machine; all of them with `allow_cross`."""
        if self.candidate is None or self.allow_cross:
            return list(sessions)
        return [session for session in sessions if session.fingerprint == self.candidate.fingerprint]

    def earlier(self, sessions: Sequence[SessionRow]) -> list[SessionRow]:
        """Return the comparable sessions that began before the first candidate."""
        comparable = self.comparable(sessions)
        if not self.candidates:
            return comparable
        first = min(candidate.placed_at for candidate in self.candidates)
        return [session for session in comparable if session.placed_at < first]


def spec_context(
    reader: Reader,
    candidates: Sequence[SessionRow] = (),
    *,
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
    allow_cross: bool = False,
    warn: Callable[[str], None] = SILENT.warn,
) -> SpecContext:
    """Return the context for SPECs in a history.

    Args:
        reader: the history.
        candidates: see `SpecContext`, as for `allow_cross` and `warn`.
        root: a folder in the git checkout; None for the working folder.
        environ: environment variables, for CI facts and git; None for the process's own.
        allow_cross: whether sessions of other machines are comparable.
        warn: called with warnings.
    """
    variables = os.environ if environ is None else environ
    folder = Path.cwd() if root is None else root
    projects = {candidate.project for candidate in candidates}
    return SpecContext(
        candidates=tuple(candidates),
        baselines={row.name: row for row in reader.baselines() if not projects or row.project in projects},
        find_runs=reader.find_runs,
        git=cache(lambda: open_ancestry(folder, variables)),
        pull_request=read_ci(variables).pull_request is not None,
        target_branch=variables.get("GITHUB_BASE_REF") or variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or None,
        allow_cross=allow_cross,
        warn=warn,
    )
