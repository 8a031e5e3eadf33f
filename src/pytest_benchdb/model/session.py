"""One invocation of pytest, or one import: what it began with and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_benchdb.model.environment import CiJob, Commit, Device, Environment, Load

SessionKind = Literal["pytest", "import", "api", "sample"]
SessionOutcome = Literal["passed", "failed", "interrupted", "error", "crashed", "empty"]
_NO_CI = CiJob()
_NO_LOAD = Load()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStart:
    """What is known when a session begins.

    Attributes:
        started_unix_us: microseconds since the epoch, UTC.
        environment: the machine; None if an import does not know it.
        command: the command line, with the values of secrets-looking options removed.
        unmeasured: reason why a metric cannot be measured here, by its name.
    """

    session_id: str
    project: str
    kind: SessionKind
    started_unix_us: int
    label: str | None
    tags: Mapping[str, str]
    note: str | None = None
    command: str | None = None
    tool: str
    tool_version: str | None
    environment: Environment | None
    devices: tuple[Device, ...]
    commit: Commit
    ci: CiJob = _NO_CI
    load: Load = _NO_LOAD
    unmeasured: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """How a session ended.

    Attributes:
        finished_unix_us: microseconds since the epoch, UTC; None if it died.
        complete: whether every selected test ran and the session was closed by itself.
        steal_s: CPU time stolen from this machine during the session, all cores.
        contended: whether other work disturbed it; None if not known.
    """

    finished_unix_us: int | None
    outcome: SessionOutcome
    exit_status: int | None = None
    complete: bool
    load1: float | None = None
    steal_s: float | None = None
    contended: bool | None = None
