"""Tells what can be told of a library without using it: whether it is installed, and why a child must not use it.

Importing torch takes seconds, finding it milliseconds.
"""

from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path


def package_folder(name: str, path: Sequence[str] | None = None) -> Path | None:
    """Return the folder of an installed top-level package; None if it is not installed.

    Args:
        name: of the package.
        path: folders as in `sys.path`; None takes `sys.path`.
    """
    spec = PathFinder.find_spec(name, path)
    # A folder that only happens to be called so, a working copy's say, is found too: as a namespace, without a file.
    if spec is None or spec.origin is None or not spec.has_location:
        return None
    return Path(spec.origin).parent


def forked(library: str) -> str:
    """Return why a child cannot use a library whose threads stayed behind in its parent: it would hang (measured)."""
    return f"this process was forked after {library} had started; start it with spawn"
