"""What a gate is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_benchdb.operations.gate.allowances import Allowance
from pytest_benchdb.operations.gate.exit_status import MissingRule
from pytest_benchdb.operations.gate.policy import Rules

AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """What a gate is asked.

    Attributes:
        candidate: SPEC of what is judged; None for the newest session.
        baseline: SPEC of what it is compared with.
        keyword: `-k` expression over full names.
        where: `-w` filter.
        rules: thresholds and overrides; what markers said is added from the runs.
        confirms: how many re-runs must repeat a regression; 0 for none.
        fdr: q-value above which a regression is put in doubt; None for no such filter.
        missing: what a missing benchmark means.
        require_baseline: exit status 3 if nothing could be compared.
        strict: exit status 4 if nobody can tell.
        allow_cross: whether other machines may be the history.
        allowances: what may pass, beside what was accepted in the database.
        words: `pytest` and its arguments for the re-runs; None takes the recorded command.
        folder: where the git checkout is looked for, and where re-runs start.
        environ: environment variables of CI, of git and of the re-runs.
    """

    candidate: str | None = None
    baseline: str = AUTO
    keyword: str | None = None
    where: str | None = None
    rules: Rules = field(default_factory=Rules)
    confirms: int = 0
    fdr: float | None = None
    missing: MissingRule = "warn"
    require_baseline: bool = False
    strict: bool = False
    allow_cross: bool = False
    allowances: tuple[Allowance, ...] = ()
    words: tuple[str, ...] | None = None
    folder: Path = Path()
    environ: Mapping[str, str] = field(default_factory=dict)
