"""Remembers, in the user's cache, how this user's sessions were started on this machine.

A session file also has its command, to be read by people. It is never run: the file may come from anybody, and
pytest's arguments choose code to run and files to write.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.cache import cache_folder
from pytest_benchdb.store.regular_file import open_regular

_NAME = "commands.jsonl"
_MOST_BYTES = 4_000_000
"""About 20,000 sessions; then the older half is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCommand:
    """How a session was started.

    Attributes:
        session_id: the session.
        command: the command line in shell syntax, secrets masked.
        folder: the working folder.
    """

    session_id: str
    command: str
    folder: str


def remember(own: OwnCommand) -> None:
    """Keep how a session was started; without a cache it is not kept, and cannot be run again by itself."""
    with contextlib.suppress(OSError, StoreError, ValueError):
        path = cache_folder() / _NAME
        descriptor = open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, json.dumps(asdict(own)).encode("utf-8", "replace") + b"\n")
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size > _MOST_BYTES:
            _forget_older_half(path)


def recall(session_id: str) -> OwnCommand | None:
    """Return how a session was started; None if this user did not record it on this machine."""
    try:
        descriptor = open_regular(cache_folder() / _NAME, os.O_RDONLY)
    except (OSError, StoreError):
        return None
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        for line in reversed(file.readlines()):
            if session_id in line:
                with contextlib.suppress(ValueError, TypeError):
                    own = OwnCommand(**json.loads(line))
                    if own.session_id == session_id:
                        return own
    return None


def _forget_older_half(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(b"".join(lines[len(lines) // 2 :]))
    os.replace(part, path)
