"""`-k`: what pytest's own expressions mean, without pytest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.select.filters.keyword import matches_glob, parse_expression

NAME = "tests/test_sorting.py::TestLists::test_sort[numpy-1000]"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", True),
        ("sort", True),
        ("SORT", True),
        ("parse", False),
        ("sort and numpy", True),
        ("sort and list and parse", False),
        ("parse or sort", True),
        ("not sort", False),
        ("not not sort", True),
        ("sort and not parse", True),
        ("not (parse or sort)", False),
        ("parse and sort or numpy", True),
        ("parse and (sort or numpy)", False),
        ("[numpy-1000]", True),
        ("test_sorting.py::TestLists", True),
        ("android", False),
        ("(sort)and(numpy)", True),
        ("NOT parse AND sort", True),
    ],
)
def test_expression_over_a_name_is_decided(expression: str, expected: bool) -> None:
    assert parse_expression(expression)(NAME) is expected


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("and", "a word is missing before 'and'"),
        ("sort and", "a word is missing at the end"),
        ("not", "a word is missing at the end"),
        ("(sort", r"a '\)' is missing"),
        ("sort)", r"'and' or 'or' is missing before '\)'"),
        ("sort numpy", "'and' or 'or' is missing before 'numpy'"),
        ("()", r"a word is missing before '\)'"),
        ("(" * 200 + "a" + ")" * 200, "more than 50"),
        ("not " * 5000 + "a", "more than 50"),
    ],
    ids=lambda value: value[:20],
)
def test_invalid_expression_is_explained(expression: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        parse_expression(expression)


WORDS = st.sampled_from(["sort", "parse", "numpy", "x"])


@given(
    st.recursive(
        WORDS,
        lambda inner: st.one_of(
            inner.map("not ({})".format),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) and ({pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) or ({pair[1]})"),
        ),
        max_leaves=8,
    )
)
def test_expression_agrees_with_python(expression: str) -> None:
    code = expression
    for word in ("sort", "parse", "numpy", "x"):
        code = code.replace(word, str(word in NAME))

    assert parse_expression(expression)(NAME) is eval(code)  # noqa: S307 - made of our own words


@given(st.text(max_size=40))
def test_expression_of_any_text_is_read_or_refused(text: str) -> None:
    try:
        matches = parse_expression(text)
    except ConfigError as error:
        assert str(error).startswith("-k")  # noqa: PT017 - both ends are right
    else:
        assert matches(NAME) in {True, False}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("*", True), ("*[1]", True), ("*::test_x[*]", True), ("tests/test_a.py::test_x[1]", True), ("*[12]", False)],
)
def test_names_match_globs_whose_brackets_are_brackets(pattern: str, expected: bool) -> None:
    assert matches_glob("tests/test_a.py::test_x[1]", pattern) is expected
