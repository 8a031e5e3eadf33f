"""Names of tests as one readable line."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.present.verdicts.findings import plain_line


@given(st.text())
def test_plain_line_of_any_text_is_one_line_of_utf_8_without_controls(text: str) -> None:
    line = plain_line(text)

    line.encode("utf-8")
    assert len(line.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert plain_line(line) == line


@given(st.text(), st.integers(1, 30))
def test_plain_line_with_a_limit_is_never_longer(text: str, limit: int) -> None:
    assert len(plain_line(text, limit)) <= limit


def test_plain_line_of_readable_text_is_itself() -> None:
    text = "tests/test_é.py::test_x[日本-👩\u200d🔬-a b]"

    assert plain_line(text) == text


def test_plain_line_without_what_reorders_shows_the_true_order() -> None:
    assert plain_line("a\u202eb\u2066c\u200b\x07d\r\n\te") == "abcd e"
