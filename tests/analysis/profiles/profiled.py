"""Profiles of small programs, counted for real."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from pytest_benchdb.measure.profiling.profile_pass import profile_calls
from pytest_benchdb.model.profile import Profile


def profile_of_source(source: str, folder: Path, *, file: str = "shop.py") -> Profile:
    """Return the profile of `work()` of a module with this source."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    names: dict[str, Callable[[], object]] = {}
    exec(compile(source, str(path), "exec"), names)  # noqa: S102 - the tests' own

    def once(block: AbstractContextManager[object]) -> None:
        with block:
            names["work"]()

    return profile_calls(once, folder=folder)
