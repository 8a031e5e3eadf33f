"""Writes the files of explanations into a folder: flame graphs, and profiles in the formats of other tools."""

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.exporters.profiles import callgrind_text, collapsed_text, speedscope_text
from pytest_benchdb.model.answer.explanation import Explanation, Explanations
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.profile import Profile
from pytest_benchdb.operations.exchange.output_file import why_not_written, write_file
from pytest_benchdb.present.explain.flame_graph import flame_svg

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_MOST_NAME = 80
_SIDES = ("base", "head")


def write_files(explanations: Explanations, folder: Path) -> int:
    """Write the files of all benchmarks that have profiles, and return how many.

    Raises:
        ConfigError: the folder cannot be made, or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--files {folder} {why_not_written(error)}") from error
    count = 0
    for one in explanations.benchmarks:
        if len(one.profiles) == len(_SIDES):
            for name, text in _files(one):
                write_file(folder / name, [text.encode("utf-8", "backslashreplace")])
                count += 1
    return count


def _files(one: Explanation) -> Iterator[tuple[str, str]]:
    stem = file_stem(one.fullname)
    yield f"{stem}.flame.svg", flame_svg(one.fullname, *one.profiles)
    for side, profile in zip(_SIDES, one.profiles, strict=True):
        for ending, text in texts_of(profile, one.fullname).items():
            yield f"{stem}.{side}.{ending}", text


def texts_of(profile: Profile, fullname: str) -> dict[str, str]:
    """Return a profile in the formats of other tools, by the endings of their files' names."""
    return {
        "collapsed.txt": collapsed_text(profile),
        "speedscope.json": speedscope_text(profile, fullname),
        "callgrind.out": callgrind_text(profile),
    }


def file_stem(fullname: str) -> str:
    """Return a name for files of a benchmark: what of its full name is safe, and a hash if that is not all.

    >>> file_stem("tests/test_a.py::test_b")
    'tests-test_a.py-test_b'
    """
    safe = _UNSAFE.sub("-", fullname).strip("-.")
    if len(safe) <= _MOST_NAME and re.fullmatch(r"[\w./:-]+", fullname, re.ASCII):
        return safe
    return f"{safe[:_MOST_NAME]}-{content_id(fullname)[:8]}"
