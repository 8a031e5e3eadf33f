import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_benchdb.analysis.statistics.false_discovery import q_values


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_agree_with_scipy(p_values: list[float]) -> None:
    assert q_values(p_values) == pytest.approx(stats.false_discovery_control(p_values).tolist(), rel=1e-9)


def test_q_values_of_nothing_are_none() -> None:
    assert q_values([]) == []
