"""A file that a user asked for: written whole, or left as it was."""

import contextlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from pytest_benchdb.errors import ConfigError


def write_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file; one that was there is replaced when the new one is complete.

    Args:
        path: the file; a device or a pipe is written to directly.
        pieces: its content.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(pieces)
        else:
            _replace(path, pieces)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{path} cannot be written: {reason}; name a file in a folder that exists") from error


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    path = Path(os.path.realpath(path))  # a link stays a link
    fresh = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with fresh.open("xb") as file:
            file.writelines(pieces)
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
