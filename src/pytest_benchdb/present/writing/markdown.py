"""Text and tables as GitHub-flavoured Markdown, safe whatever the names contain."""

import re
from collections.abc import Sequence

from pytest_benchdb.model.report import DataTable
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.values import value_text

# An underscore inside a word is never emphasis, and test names are full of them.
_SPECIAL = re.compile(r"[\\`*\[\]~|#]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MENTION = "@\u200b"


def escape(text: str) -> str:
    r"""Write text so that Markdown shows it as it is, on one line and inside a table.

    A zero-width space after ``@`` keeps a name from notifying somebody.

    >>> escape("a|b\n<script>`_x_`")
    'a\\|b\\\\n&lt;script&gt;\\`\\_x\\_\\`'
    """
    safe = _SPECIAL.sub(lambda match: "\\" + match[0], sanitize(text))
    safe = re.sub(r"[&<>]", lambda match: _ENTITIES[match[0]], safe)
    return safe.replace("@", _MENTION)


def table_markdown(table: DataTable) -> str:
    """Write a table; figures are right-aligned."""
    right = [
        all(isinstance(row[index], int | float) or row[index] is None for row in table.rows)
        for index in range(len(table.columns))
    ]
    rows = [[escape(value_text(value)) for value in row] for row in table.rows]
    text = markdown_table([escape(name) for name in table.columns], right, rows)
    return text + ("\n_More rows were left out: raise `--limit`._\n" if table.more else "")


def markdown_table(heads: Sequence[str], right: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    rule = ["---:" if is_right else ":---" for is_right in right]
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows)]
    return "\n".join(lines) + "\n"
