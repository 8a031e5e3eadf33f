"""Text from outside: harmless to a terminal, with the correct width."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.present.writing.text import clip, pad, sanitize, shorten, width

ANY_TEXT = st.text(st.characters(), max_size=60)


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("test_a[x-1]", "test_a[x-1]"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b]0;title\x07\x1b[31mred", "\\x1b]0;title\\x07\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("a\u2028b", "a\\u2028b"),
        ("a\u00a0b", "a b"),
        ("\udc80", "\\udc80"),
        ("漢字 é", "漢字 é"),
        ("<script>", "<script>"),
    ],
)
def test_sanitize_makes_controls_visible(raw: str, safe: str) -> None:
    assert sanitize(raw) == safe


def test_sanitize_for_ascii_terminals_escapes_the_rest() -> None:
    assert sanitize("é漢", ascii_only=True) == "\\xe9\\u6f22"


@given(ANY_TEXT)
def test_sanitize_of_any_text_leaves_nothing_to_obey(text: str) -> None:
    safe = sanitize(text)

    kinds = {unicodedata.category(char) for char in safe.replace("\u200d", "")}
    assert kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()


@given(ANY_TEXT)
def test_sanitize_twice_changes_nothing_more(text: str) -> None:
    assert sanitize(sanitize(text)) == sanitize(text)


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("\U0001f600", 2), ("\u2764\ufe0f", 2), ("", 0)]
)
def test_width_counts_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (33, "test_sort_a_long_list[numpy-1000]"),
        (20, "test_sort…umpy-1000]"),
        (5, "te…0]"),
        (2, "t…"),
        (1, "t"),
        (0, ""),
    ],
)
def test_shorten_keeps_both_ends(limit: int, text: str) -> None:
    assert shorten("test_sort_a_long_list[numpy-1000]", limit) == text


def test_shorten_for_ascii_terminals_uses_three_points() -> None:
    assert shorten("abcdefghij", 7, ascii_only=True) == "ab...ij"


@given(ANY_TEXT.map(sanitize), st.integers(0, 70), st.booleans())
def test_shorten_and_clip_of_any_text_fit(text: str, limit: int, ascii_only: bool) -> None:
    assert width(shorten(text, limit, ascii_only=ascii_only)) <= limit
    assert width(clip(text, limit, ascii_only=ascii_only)) <= limit


@given(ANY_TEXT.map(sanitize), st.integers(0, 70))
def test_shorten_of_text_that_fits_changes_nothing(text: str, extra: int) -> None:
    assert shorten(text, width(text) + extra) == text


@given(ANY_TEXT.map(sanitize), st.booleans())
def test_pad_fills_to_the_columns(text: str, right: bool) -> None:
    assert width(pad(text, 200, right=right)) == 200


@given(st.text(), st.integers(1, 30))
def test_sanitized_text_with_a_limit_is_never_longer(text: str, limit: int) -> None:
    assert len(sanitize(text, limit=limit)) <= limit


def test_sanitized_readable_text_is_itself() -> None:
    text = "tests/test_é.py::test_x[日本-👩\u200d🔬-a b]"

    assert sanitize(text) == text
