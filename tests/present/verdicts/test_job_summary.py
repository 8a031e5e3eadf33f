"""The job summary: within the size that GitHub keeps."""

import pytest
from tests.present.verdicts.results import gate, many, row

from pytest_benchdb.present.verdicts.page import MOST_BYTES, job_summary


def test_summary_of_few_rows_holds_all_of_them() -> None:
    text = job_summary(gate([row("regressed", "t.py::a"), row("unchanged", "t.py::b")]))

    assert text.startswith("### ❌ Benchmarks failed\n")
    assert "t.py::a" in text
    assert "t.py::b" in text
    assert "not shown" not in text


@pytest.mark.parametrize("size", [MOST_BYTES, 20_000, 2_000])
def test_summary_of_many_rows_is_within_its_bytes(size: int) -> None:
    text = job_summary(many(20_000, "tests/test_é日本_{file}.py::test_{n}"), size=size)

    assert size / 2 < len(text.encode("utf-8")) <= size
    assert "rows are not shown" in text


@pytest.mark.parametrize("size", [-5, 0, 100])
def test_summary_without_room_is_empty_or_short(size: int) -> None:
    assert len(job_summary(gate([row("regressed")]), size=size).encode()) <= max(size, 0)
