"""Lines of spans on a terminal, in colour through rich where colour is wanted."""

from collections.abc import Iterable
from typing import TextIO

from pytest_benchdb.present.grid import Line

_RICH_STYLES = {"head": "bold", "dim": "dim", "good": "green", "bad": "bold red", "warn": "yellow"}


def plain_text(lines: Iterable[Line]) -> str:
    """Return the lines without styles."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def write_lines(lines: Iterable[Line], stream: TextIO, *, color: bool) -> None:
    """Write lines that already fit the terminal; with `color` in the terminal's own 16 colours."""
    if not color:
        stream.write(plain_text(lines))
        return
    # Late: 50 ms that a pipe does not need.
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, color_system="standard", highlight=False, soft_wrap=True)
    for line in lines:
        text = Text(no_wrap=True, overflow="ignore", end="")
        for span in line:
            text.append(span.text, _RICH_STYLES.get(span.style, ""))
        text.rstrip()
        console.print(text, crop=False)
