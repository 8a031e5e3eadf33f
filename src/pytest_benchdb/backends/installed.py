"""Finds installed packages without importing them: importing torch takes seconds, finding it milliseconds."""

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
