import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.model.identity import content_id, uuid7, without_addresses


def test_uuid7_has_version_variant_and_time() -> None:
    value = uuid.UUID(uuid7(1_700_000_000_000))

    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert value.int >> 80 == 1_700_000_000_000


@pytest.mark.parametrize("unix_ms", [-1, 0, 2**48 - 1, 2**60])
def test_uuid7_of_any_clock_is_a_uuid(unix_ms: int) -> None:
    assert uuid.UUID(uuid7(unix_ms)).version == 7


def test_uuid7_is_sorted_by_time_and_unique() -> None:
    values = [uuid7(ms) for ms in range(1, 2000)]

    assert values == sorted(values)
    assert len({uuid7(1) for _ in range(1000)}) == 1000


def test_content_id_is_a_uuid_and_pinned() -> None:
    assert str(uuid.UUID(content_id("a"))) == content_id("a")
    # Pinned: another value would separate every benchmark from its history.
    assert content_id("benchmark", "project", "tests/test_a.py::test_b[c]") == "bf5f554c-e334-5593-998d-8278226515e8"


@given(
    st.lists(st.none() | st.text() | st.integers(), max_size=4),
    st.lists(st.none() | st.text() | st.integers(), max_size=4),
)
def test_content_id_of_different_parts_differs(first: list[str | int | None], second: list[str | int | None]) -> None:
    assert (content_id(*first) == content_id(*second)) == (first == second)


def test_without_addresses_keeps_everything_else() -> None:
    assert without_addresses("<A at 0x7f3a5c0d1e50>-0xff-1") == "<A at 0x…>-0xff-1"
