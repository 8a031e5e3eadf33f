"""Runs something in a forked child, where a library that was started in the parent may hang or abort."""

import json
import os
import select
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable


def use_standard_library() -> None:
    """Use what a forked child must still be able to use: a thread, a lock, a file."""
    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    with tempfile.TemporaryFile("w+") as file:
        json.dump(done, file)


def problem_in_forked_child(action: Callable[[], object], limit_s: float) -> str | None:
    """Run an action in a forked child; return what went wrong there, None if nothing did.

    Args:
        action: what to run; its result is dropped.
        limit_s: how long the child may take before it is ended.
    """
    receive, send = os.pipe()
    with warnings.catch_warnings():
        # Since 3.12 Python warns of every fork beside threads; what it warns of is what is tried here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run_and_exit(action, send)
    os.close(send)
    try:
        answered = bool(select.select([receive], [], [], limit_s)[0])
        answer = os.read(receive, 4096).decode("utf-8", "replace") if answered else ""
    finally:
        os.close(receive)
        if not answered:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if not answered:
        return f"the child gave no answer within {limit_s:g} s"
    if not answer:
        return f"the child died with {os.waitstatus_to_exitcode(status)}"
    return None if answer == "done" else answer


def _run_and_exit(action: Callable[[], object], send: int) -> None:
    answer = "done"
    try:
        action()
    except BaseException as error:  # noqa: BLE001 - nothing may get out of the child: it would run the rest of pytest
        answer = f"the child raised {type(error).__name__}: {error}"
    try:
        os.write(send, answer.encode("utf-8", "replace")[:4096])
    finally:
        os._exit(0)
