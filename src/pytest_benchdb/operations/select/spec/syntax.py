"""SPEC, the syntax in which users name sessions, and its parser."""

import os
import re
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
    "word",
]
KINDS = frozenset(get_args(Kind)) - {"word"}
"""The words that may precede a colon or be alone."""

FORMS = (
    "latest~N, session:ID, run:ID, commit:SHA, branch:NAME~N, tag:GLOB, label:NAME, last-good:BRANCH, "
    "merge-base:BRANCH, window:N, before:TIME, file:PATH, auto"
)
_ALONE = frozenset({"auto", "last-good", "merge-base"})
_LATEST = re.compile(r"latest(?:~(?P<back>\d{1,6}))?")
_BACK = re.compile(r"(?P<name>.+)~(?P<back>\d{1,6})", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A parsed SPEC.

    Attributes:
        text: as it was written.
        value: the text after the colon, or the bare word; None for ``latest`` and other kinds without a value.
        back: the N of ``~N``: how many sessions (``latest``) or commits with results (``branch``) before the newest.
    """

    kind: Kind
    text: str
    value: str | None = None
    back: int = 0

    @property
    def path(self) -> Path | None:
        """The file or folder of ``file:PATH``; None for every other kind."""
        return home_path(self.value) if self.kind == "file" and self.value else None


def home_path(text: str) -> Path:
    """Return the path that a user wrote, with ``~`` replaced; as shells do, leave that of an unknown user as it is."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - `Path.expanduser` raises for such a user


def parse_spec(text: str) -> Spec:
    """Parse a SPEC.

    >>> parse_spec("branch:main~2")
    Spec(kind='branch', text='branch:main~2', value='main', back=2)
    >>> parse_spec("nightly").kind
    'word'

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
        return Spec(kind="word", text=written, value=written)
    if not value:
        raise ConfigError(f"SPEC {written!r}: nothing follows the colon; write {FORMS}")
    if kind == "window" and not (value.isdecimal() and int(value) > 0):
        raise ConfigError(f"SPEC {written!r}: {value!r} is not a number of sessions; write for example window:20")
    if kind == "branch":
        name, back = split_back(value)
        return Spec(kind="branch", text=written, value=name, back=back)
    return Spec(kind=cast("Kind", kind), text=written, value=value)


def split_back(text: str) -> tuple[str, int]:
    """Split ``NAME~N`` into the name and N; N is 0 if absent."""
    match = _BACK.fullmatch(text)
    return (match["name"], int(match["back"])) if match else (text, 0)
