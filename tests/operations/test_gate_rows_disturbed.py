from collections.abc import Callable

import pytest

from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.gate.policy import Rules
from pytest_benchdb.operations.gate.rows import Context, judge_rows
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds

Session = Callable[..., SessionRow]
Value = Callable[..., SessionValue]


@pytest.mark.parametrize(
    ("metric", "verdict"), [("wall_time", "inconclusive"), ("cpu_time", "regressed"), ("thread_time", "regressed")]
)
def test_judge_rows_of_a_disturbed_session_doubts_what_other_work_makes_longer(
    metric: str, verdict: str, session: Session, value: Value
) -> None:
    history = [value(str(number), 1e-3 * (1 + number % 3 / 1000), metric=metric) for number in range(12)]
    candidate = value("99", 2e-3, metric=metric)
    rules = Rules(thresholds=parse_thresholds([f"{metric}:5%"]))
    context = Context(rules=rules, sessions={"99": session("99", contended=True)}, by_name=frozenset({metric}))

    rows = judge_rows(history, [candidate], context)

    assert [row.row.judgement.verdict for row in rows] == [verdict]
