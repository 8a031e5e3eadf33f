"""Run a command so that errors end it with one line and an exit status, never a bare traceback.

After a traceback Python exits with status 1, which CI would read as a failed gate.
"""

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

import click

from pytest_benchdb.errors import BenchdbError, StoreError, is_interrupt
from pytest_benchdb.model import exit_status
from pytest_benchdb.present.writing.text import sanitize

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def run(command: click.Command, prog: str, arguments: list[str] | None = None) -> NoReturn:
    """Run a command and end the process with its exit status.

    Args:
        command: the command or group.
        prog: the program's name as the user called it.
        arguments: without the program's name; None for the process's own.
    """
    try:
        status = _complete(command, prog)
        if status is None:
            status = _run(command, prog, arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        status = exit_status.BROKEN_PIPE
    except OSError as error:
        status = _full(prog, error)
    sys.exit(status)


@contextlib.contextmanager
def ended_like_an_interrupt() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that temporary files are removed and what was measured is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _complete(command: click.Command, prog: str) -> int | None:
    """Answer a shell that completes a command line; return the exit status, None if none asks."""
    if not any(name.endswith("_COMPLETE") for name in os.environ):  # nearly always: importing takes time
        return None
    from pytest_benchdb.cli.frame.completion import answer, variable_of

    return answer(command, prog) if os.environ.get(variable_of(prog)) else None


def _run(command: click.Command, prog: str, arguments: list[str] | None) -> int:
    try:
        # Not `command.main`: versions of click differ in how it handles a closed pipe or an interrupt.
        with command.make_context(prog, sys.argv[1:] if arguments is None else arguments) as context:
            result = command.invoke(context)
    except BrokenPipeError:
        raise
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return exit_status.USAGE
    except (click.Abort, KeyboardInterrupt, EOFError):
        return _interrupted(prog)
    except BenchdbError as error:
        _say(prog, " ".join(str(error).split()))
        return exit_status.DATABASE if isinstance(error, StoreError) else exit_status.USAGE
    except Exception as error:  # noqa: BLE001 - nothing may escape: see the module's docstring
        return _interrupted(prog) if is_interrupt(error) else _internal(prog, error)
    return result if isinstance(result, int) else exit_status.FINE


def _interrupted(prog: str) -> int:
    _say(prog, "interrupted")
    return exit_status.INTERRUPTED


def _internal(prog: str, error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _FULL:
        return _full(prog, error)
    if os.environ.get("BENCHDB_DEBUG"):
        import traceback

        traceback.print_exception(error)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    _say(prog, f"internal error: {what}; set BENCHDB_DEBUG=1 to see where, and please report it")
    return exit_status.INTERNAL


def _full(prog: str, error: OSError) -> int:
    """Report that standard output cannot be written; files have messages of their own."""
    from pytest_benchdb.operations.exchange.output_file import why_not_written

    _drop_output()
    _say(prog, f"the output {why_not_written(error)}")
    return exit_status.USAGE


def _say(prog: str, message: str) -> None:
    click.echo(f"{prog}: {sanitize(message)}", err=True)


def _drop_output() -> None:
    """Redirect stdout to null, so that the interpreter's flush at exit does not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
