"""The rule for budgets: limits of a value itself, which need no history."""

from dataclasses import replace

from pytest_benchdb.analysis.rules.session_figures import defect_of, figure_of, shared_statistic
from pytest_benchdb.model.run import NOT_RUN
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy


def by_budget(judgement: Judgement, value: SessionValue | None, policy: Policy) -> Judgement:
    """Return a judgement that also says whether a session's value is beyond its budget.

    A budget outweighs the history, and neither the machine nor a re-run excuses it. What was not measured is never
    within its budget: it is ``inconclusive``.

    Args:
        judgement: by the history, if there is one.
        value: of the session to judge; None if it does not have the series.
        policy: with or without a budget.
    """
    budget = policy.budget
    if budget is None or value is None or value.outcome in NOT_RUN:
        return judgement
    statistic = shared_statistic((value,), policy.statistic)
    figure = figure_of(value, statistic)
    if figure is None:
        if judgement.verdict == "error":
            return judgement
        defect = defect_of(value, statistic)
        why = f": {defect[1]}" if defect is not None else ""
        return replace(judgement, verdict="inconclusive", state=None, reason=f"the budget was not checked{why}")
    beyond = figure > budget.most if policy.better == "lower" else figure < budget.most
    if not beyond:
        return replace(judgement, candidate=figure) if judgement.candidate is None else judgement
    return replace(judgement, verdict="exceeded", state=None, candidate=figure, sessions_needed=None, reason=None)
