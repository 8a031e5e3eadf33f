"""A command's output: destination, format, width and colour; and progress bars for slow work."""

import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.exchange.output_file import write_file
from pytest_benchdb.present.report.formats import REPORT_SUFFIXES
from pytest_benchdb.present.writing.grid import Line, plain_text, write_lines
from pytest_benchdb.present.writing.text import SIGNS, sanitize

FORMATS = ("table", "md", "json", "csv")
_PIECE = 32_768
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MOST_NAMED = 8
PIPE_WIDTH = 120
"""Width of tables written to a pipe or a file."""
PATIENCE_S = 0.5
"""Seconds before a progress bar appears."""
_REFRESH_S = 0.1
"""Least seconds between two refreshes of a bar that is not refreshed by itself: each takes about a millisecond."""

_SUFFIXES = {
    **REPORT_SUFFIXES,
    ".markdown": "md",
    ".htm": "html",
    ".txt": "table",
    ".xml": "junit",
    ".sarif": "sarif",
    ".png": "png",
    ".svg": "svg",
    ".pdf": "pdf",
}

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a command presents its data.

    Attributes:
        path: file to write to; None for standard output.
        width: the most columns that a table may take.
        ascii_only: whether the terminal only shows ASCII.
        progress: whether progress may be shown on standard error.
    """

    format: str
    path: Path | None
    color: bool
    width: int
    ascii_only: bool
    quiet: bool
    verbose: bool
    progress: bool

    def text(self, text: str) -> None:
        """Write text unchanged, but without control characters for a terminal, which would obey them.

        Raises:
            ConfigError: the file cannot be written.
        """
        if self.path is None:
            stream = sys.stdout
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
            if stream.isatty():
                text = _CONTROL.sub(lambda match: sanitize(match[0]), text.replace("\r\n", "\n"))
            # In pieces: with PYTHONUNBUFFERED, one large write to a pipe that closes does not raise.
            for start in range(0, len(text), _PIECE):
                stream.write(text[start : start + _PIECE])
            return
        write_file(self.path, [text.encode("utf-8", "backslashreplace")])
        self.say(f"wrote {self.path}")

    def binary(self, content: bytes) -> None:
        """Write a file that is not text.

        Raises:
            ConfigError: the file cannot be written, or the output is a terminal.
        """
        if self.path is not None:
            write_file(self.path, [content])
            self.say(f"wrote {self.path}")
            return
        if sys.stdout.isatty():
            raise ConfigError(f"a terminal cannot show a picture; name a file, as in -o plot.{self.format}")
        sys.stdout.flush()
        sys.stdout.buffer.write(content)

    def lines(self, lines: Iterable[Line]) -> None:
        """Write lines, in colour if enabled."""
        if self.path is None and self.color:
            write_lines(lines, sys.stdout, color=True)
        else:
            self.text(plain_text(lines))

    def say(self, message: str) -> None:
        """Write a message to standard error, unless `quiet`."""
        if not self.quiet:
            click.echo("\n".join(map(sanitize, message.split("\n"))), err=True)


def make_output(params: Mapping[str, Any], *, formats: tuple[str, ...] = FORMATS) -> Output:
    """Return the output that a command's options describe.

    Raises:
        ConfigError: no format fits the suffix of the file.
    """
    target = params.get("output")
    path = Path(target) if target and target != "-" else None
    name = params.get("format") or _format_of(path, formats)
    color = _color(params.get("color") or "auto", sys.stdout, os.environ) and path is None
    return Output(
        format=name,
        path=path,
        color=color,
        width=params.get("width") or _width(os.environ),
        ascii_only=path is None and not _can_show(sys.stdout),
        quiet=bool(params.get("quiet")),
        verbose=bool(params.get("verbose")),
        progress=not params.get("no_progress") and not params.get("quiet") and sys.stderr.isatty(),
    )


def _format_of(path: Path | None, formats: tuple[str, ...]) -> str:
    if path is None or not path.suffix:
        return formats[0]
    name = _SUFFIXES.get(path.suffix.lower())
    if name not in formats:
        names = ", ".join(formats)
        raise ConfigError(f"-o {path}: no format has the suffix {path.suffix!r}; give -f with one of {names}")
    return name


def _color(when: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    if when != "auto":
        return when == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def _width(environ: Mapping[str, str]) -> int:
    if environ.get("COLUMNS", "").isdigit() and int(environ["COLUMNS"]) > 0:
        return int(environ["COLUMNS"])
    if not sys.stdout.isatty():
        return PIPE_WIDTH
    return shutil.get_terminal_size((80, 24)).columns


def _can_show(stream: TextIO) -> bool:
    try:
        SIGNS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write_answer(
    answer: Answer, lines: Callable[..., Iterable[Line]], table: Callable[[Answer], DataTable], output: Output
) -> None:
    """Write an answer as terminal lines, or in other formats as a table of plain values."""
    if output.format == "table":
        output.lines(lines(answer, output.width, ascii_only=output.ascii_only, verbose=output.verbose))
    else:
        write_table(table(answer), output)


def write_table(table: DataTable, output: Output) -> None:
    """Write values as a table, Markdown, JSON or CSV."""
    if output.format == "json":
        from pytest_benchdb.present.writing.values import table_json

        output.text(table_json(table))
    elif output.format == "csv":
        from pytest_benchdb.present.writing.values import table_csv

        output.text(table_csv(table))
    elif output.format == "md":
        from pytest_benchdb.present.writing.values import table_markdown

        output.text(table_markdown(table))
    else:
        from pytest_benchdb.present.writing.values import layout_values

        laid = layout_values(table, output.width, ascii_only=output.ascii_only)
        output.lines(laid.lines)
        say_left_out(laid.left_out, output)


def say_left_out(columns: Sequence[str], output: Output) -> None:
    """Say which columns of a table did not fit the width."""
    if columns:
        named = ", ".join(columns[:_MOST_NAMED])
        more = f" and {len(columns) - _MOST_NAMED} more" if len(columns) > _MOST_NAMED else ""
        output.say(f"hidden (too narrow): {named}{more}; --width N or -f csv shows them")


class Bar:
    """A progress callback that shows a bar only after `PATIENCE_S`."""

    def __init__(self, title: str, clock: Callable[[], float], *, by_itself: bool = True) -> None:
        """Show nothing yet; `by_itself` lets a thread refresh the bar meanwhile."""
        self._title = title
        self._clock = clock
        self._by_itself = by_itself
        self._shown_at = self._began = clock()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        """Show how many are done."""
        if self._bar is None and self._clock() - self._began > PATIENCE_S and done < total:
            self._start(total)
        if self._bar is not None:
            refresh = not self._by_itself and self._clock() - self._shown_at > _REFRESH_S
            self._shown_at = self._clock() if refresh else self._shown_at
            self._bar.update(self._task, completed=done, total=total, description=self._title, refresh=refresh)

    def describe(self, title: str) -> None:
        """Change the text before the bar, from the next call on."""
        self._title = title

    def _start(self, total: int) -> None:
        # Imported late: it takes 60 ms that a quick command can save.
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True, auto_refresh=self._by_itself)
        self._task = self._bar.add_task(self._title, total=total)
        self._bar.start()

    def stop(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()


@contextlib.contextmanager
def progress_bar(title: str, *, shown: bool, by_itself: bool = True) -> Iterator[Bar | None]:
    """Yield a callback that takes the numbers done and in total; None if `shown` is false."""
    if not shown:
        yield None
        return
    bar = Bar(title, time.monotonic, by_itself=by_itself)
    try:
        yield bar
    finally:
        bar.stop()


@contextlib.contextmanager
def command_feedback(output: Output, title: str) -> Iterator[Feedback]:
    """Yield feedback for an operation: a progress bar, and warnings on standard error."""
    with progress_bar(title, shown=output.progress) as progress:
        if progress is None:
            yield Feedback(warn=output.say)
        else:
            yield Feedback(progress=progress, warn=output.say)
