import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.analysis.rules.few_sessions import cliffs_delta

SIDE = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=20)


@given(baseline=SIDE, candidate=SIDE)
def test_delta_is_the_mean_sign_over_all_pairs(baseline: list[float], candidate: list[float]) -> None:
    signs = [(after > before) - (after < before) for before in baseline for after in candidate]

    assert cliffs_delta(baseline, candidate) == pytest.approx(sum(signs) / len(signs))


@pytest.mark.parametrize(("baseline", "candidate"), [([], [1.0]), ([1.0], [])], ids=str)
def test_delta_of_an_empty_side_is_none(baseline: list[float], candidate: list[float]) -> None:
    assert cliffs_delta(baseline, candidate) is None
