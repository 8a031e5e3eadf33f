import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_benchdb.store.statement import identifier, literal, render

_CONNECTION = duckdb.connect()
_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(_TEXT)
def test_literal_text_comes_back(text: str) -> None:
    assert _CONNECTION.execute(f"SELECT {literal(text)}").fetchone() == (text,)


@given(st.lists(_TEXT))
def test_literal_list_comes_back(texts: list[str]) -> None:
    assert _CONNECTION.execute(f"SELECT {literal(texts)}").fetchone() == (texts,)


@given(st.dictionaries(_TEXT, _TEXT, min_size=1))
def test_literal_map_comes_back(texts: dict[str, str]) -> None:
    assert _CONNECTION.execute(f"SELECT {literal(texts)}").fetchone() == (texts,)


@given(st.one_of(st.none(), st.booleans(), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(allow_nan=False)))
def test_literal_value_comes_back(value: float | bool | None) -> None:
    (found,) = _CONNECTION.execute(f"SELECT {literal(value)}").fetchone() or ()

    assert found == value
    assert type(found) is type(value)


@given(_TEXT, _TEXT)
def test_render_puts_each_value_in_its_place(first: str, second: str) -> None:
    sql = render("SELECT $first, $second, $first", {"first": first, "second": second})

    assert _CONNECTION.execute(sql).fetchone() == (first, second, first)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
@settings(max_examples=50)
def test_identifier_is_one_name(name: str) -> None:
    cursor = _CONNECTION.execute(f"SELECT 1 AS {identifier(name)}")

    assert [column[0] for column in cursor.description or ()] == [name]
