"""The request for a gate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pytest_benchdb.operations.gate.allowances import Allowance
from pytest_benchdb.operations.gate.policy import Rules

AUTO = "auto"

ConfirmBy = Literal["auto", "rerun", "duet", "instructions"]
OF_COMMITS: frozenset[ConfirmBy] = frozenset({"duet", "instructions"})
"""Ways that run the baseline's commit too. Who names one wants its answer: without it, the gate is undecided."""

MissingRule = Literal["warn", "fail", "ignore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """What a gate judges, by what, and what fails it.

    Attributes:
        candidate: SPEC of the sessions to judge; None for the newest session.
        baseline: SPEC of the sessions to compare with.
        keyword: `-k` expression over full names.
        where: `-w` filter.
        rules: thresholds and overrides; marker rules are added from the runs.
        confirms: how many re-runs must repeat a regression; 0 for none, None for two where they are possible.
        confirm_by: how suspects are checked; None for re-runs if `confirms` says how many, else for `auto`, which takes
            the best way that is possible.
        pythonpath: folders of each side to put first on Python's path when commits are run, relative to `folder`; none
            for the place where it keeps its packages.
        fdr: q-value above which a regression is put in doubt; None for no filter.
        missing: whether missing benchmarks are reported, fail the gate, or are ignored.
        require_baseline: exit status 3 if nothing could be compared.
        strict: exit status 4 if the machine was too disturbed to judge.
        alert_improvement: whether an improvement beyond the limit fails the gate too, until it is accepted.
        allow_cross: whether the history may include other machines.
        allowances: regressions that may pass, in addition to those accepted in the database.
        words: `pytest` and its arguments for re-runs; None for the recorded command.
        folder: the working folder of re-runs, and where to look for the git checkout.
        environ: environment variables for CI facts, git and re-runs.
    """

    candidate: str | None = None
    baseline: str = AUTO
    keyword: str | None = None
    where: str | None = None
    rules: Rules = field(default_factory=Rules)
    confirms: int | None = None
    confirm_by: ConfirmBy | None = None
    pythonpath: tuple[str, ...] = ()
    fdr: float | None = None
    missing: MissingRule = "warn"
    require_baseline: bool = False
    strict: bool = False
    alert_improvement: bool = False
    allow_cross: bool = False
    allowances: tuple[Allowance, ...] = ()
    words: tuple[str, ...] | None = None
    folder: Path = Path()
    environ: Mapping[str, str] = field(default_factory=dict)
