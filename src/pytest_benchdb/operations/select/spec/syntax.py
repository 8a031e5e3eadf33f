"""SPEC, the syntax in which users name sessions, and its parser."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from pytest_benchdb.errors import ConfigError

Kind = Literal[
    "latest",
    "run",
    "session",
    "commit",
    "branch",
    "tag",
    "label",
    "last-good",
    "merge-base",
    "window",
    "before",
    "file",
    "auto",
    "range",
    "word",
]
KINDS = frozenset(get_args(Kind)) - {"range", "word"}
"""The words that may precede a colon or be alone."""

FORMS = (
    "latest~N, session:ID, run:ID, commit:SHA, branch:NAME~N, tag:GLOB, label:NAME, last-good:BRANCH, "
    "merge-base:BRANCH, window:N, before:TIME, file:PATH, auto, A..B"
)
_TWO_DOTS = 2
_ALONE = frozenset({"auto", "last-good", "merge-base"})
_LATEST = re.compile(r"latest(?:~(?P<back>\d{1,6}))?")
_RANGE = re.compile(r"(?P<base>[^.].*?)(?P<dots>\.{2,3})(?P<head>(?:[^.].*)?)", re.DOTALL)
_BACK = re.compile(r"(?P<name>.+)~(?P<back>\d{1,6})", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A parsed SPEC.

    Attributes:
        text: as it was written.
        value: the text after the colon, or the bare word; None for ``latest`` and other kinds without a value. Of a
            range, the SPEC before the dots.
        head: of a range, the SPEC after the dots.
        back: the N of ``~N``: how many sessions (``latest``) or commits with results (``branch``) before the newest.
    """

    kind: Kind
    text: str
    value: str | None = None
    back: int = 0
    head: str | None = None

    @property
    def path(self) -> Path | None:
        """The file or folder of ``file:PATH``; None for every other kind."""
        return home_path(self.value) if self.kind == "file" and self.value else None


def home_path(text: str) -> Path:
    """Return the path that a user wrote, with ``~`` replaced; as shells do, leave that of an unknown user as it is."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - `Path.expanduser` raises for such a user


def names_database(text: str) -> bool:
    """Return whether a text is the path of a folder with session files, or of a database file."""
    path = home_path(text)
    try:
        if path.is_dir():
            return any(path.glob("*.duckdb"))
        return path.suffix in {".duckdb", ".db"} and path.is_file()
    except (OSError, ValueError):
        return False


def parse_spec(text: str) -> Spec:
    """Parse a SPEC.

    >>> parse_spec("branch:main~2")
    Spec(kind='branch', text='branch:main~2', value='main', back=2, head=None)
    >>> parse_spec("nightly").kind
    'word'
    >>> sides_of(["v1.2..HEAD~3"])
    ['v1.2', 'HEAD~3']

    Raises:
        ConfigError: the SPEC is empty, or its value is missing or not a number.
    """
    written = text.strip()
    if not written:
        raise ConfigError(f"an empty SPEC names no session; write {FORMS}, or a label, a tag, a branch or a commit")
    latest = _LATEST.fullmatch(written)
    if latest:
        return Spec(kind="latest", text=written, back=int(latest["back"] or 0))
    if written in _ALONE:
        return Spec(kind=cast("Kind", written), text=written)
    kind, colon, value = written.partition(":")
    if not colon or kind not in KINDS - {"auto", "latest"}:
        return _parse_range(written) or Spec(kind="word", text=written, value=written)
    if not value:
        raise ConfigError(f"SPEC {written!r}: nothing follows the colon; write {FORMS}")
    if kind == "window" and not (value.isdecimal() and int(value) > 0):
        raise ConfigError(f"SPEC {written!r}: {value!r} is not a number of sessions; write for example window:20")
    if kind == "branch":
        name, back = split_back(value)
        return Spec(kind="branch", text=written, value=name, back=back)
    return Spec(kind=cast("Kind", kind), text=written, value=value)


def _parse_range(written: str) -> Spec | None:
    """Parse ``A..B``, ``A...B`` and the same without B; None for anything else, such as a path."""
    match = _RANGE.fullmatch(written)
    if match is None or match["base"].endswith("/") or match["head"].startswith("/"):
        return None
    base = match["base"] if len(match["dots"]) == _TWO_DOTS else f"merge-base:{match['base']}"
    return Spec(kind="range", text=written, value=base, head=match["head"] or "latest")


def sides_of(specs: Sequence[str]) -> list[str]:
    """Return SPECs with a single range ``A..B`` replaced by its ends, the baseline and the candidate."""
    spec = parse_spec(specs[0]) if len(specs) == 1 else None
    return [spec.value, spec.head] if spec is not None and spec.value and spec.head else list(specs)


def split_back(text: str) -> tuple[str, int]:
    """Split ``NAME~N`` into the name and N; N is 0 if absent."""
    match = _BACK.fullmatch(text)
    return (match["name"], int(match["back"])) if match else (text, 0)
