"""How trends name machines."""

import pytest

from pytest_benchdb.model.answer.trend import Trends

MACHINES = {"aaaaaaaa-1": "AMD EPYC", "bbbbbbbb-2": "Intel Xeon", "cccccccc-3": "Intel Xeon"}
TRENDS = Trends(
    sources=(), series=(), order="time", order_reason=None, sessions=1, sessions_in_all=1, machines=MACHINES
)


@pytest.mark.parametrize(
    ("fingerprint", "name"),
    [
        ("aaaaaaaa-1", "AMD EPYC"),
        ("bbbbbbbb-2", "Intel Xeon (bbbbbbbb)"),
        ("cccccccc-3", "Intel Xeon (cccccccc)"),
        ("dddddddd-4", "dddddddd"),
        (None, "unknown"),
    ],
)
def test_machine_has_the_name_of_its_processor(fingerprint: str | None, name: str) -> None:
    assert TRENDS.machine_name(fingerprint) == name


def test_summary_is_one_line() -> None:
    assert repr(TRENDS) == "<Trends: 0 series over 1 session: 0 changes of level>"
