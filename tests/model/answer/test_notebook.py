"""How results show themselves, whatever their names are."""

from collections.abc import Sequence

from pytest_benchdb.model.answer.notebook import MOST_ROWS, Notebook

HOSTILE = "<b>\x1b[31m\ud800\u202e\n"


class Shown(Notebook):
    """A result whose every text is hostile."""

    def summary(self) -> str:
        """Return the text."""
        return f"one{HOSTILE}two"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return more rows than are shown."""
        return (HOSTILE, "n"), [(HOSTILE, None), (HOSTILE, 1.23456)] * MOST_ROWS


def test_console_shows_one_printable_line() -> None:
    assert repr(Shown()) == r"<Shown: one<b>\x1b[31m\ud800\u202e two>"


def test_notebook_shows_a_table_with_everything_escaped() -> None:
    page = Shown()._repr_html_()

    assert page.isprintable()
    assert "<b>" not in page
    assert page.count("<tr>") == 1 + MOST_ROWS
    assert "1.235" in page
    assert page.endswith(f"<p>and {MOST_ROWS} more rows</p>")
