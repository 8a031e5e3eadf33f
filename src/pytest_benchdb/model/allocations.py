"""Allocations: what each line of code holds at the moment at which one call of a benchmark holds most memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

from pytest_benchdb.errors import ImportFormatError

SCHEMA = "benchdb.allocations/1"
ALLOCATIONS_NAMES: Mapping[str, str] = {"python_peak": "allocations.json", "native_peak": "native-allocations.json"}
"""Names of the attachments of a run that hold its allocations, by the metric whose peak they explain."""


class Line(NamedTuple):
    """A line of code.

    Attributes:
        file: relative to the project or to the folder of installed packages; empty for the benchmark itself.
        function: qualified name of the function around it.
        text: the source, without indentation; empty if not known.
        is_own: whether it belongs to the project, rather than to Python's library or an installed package.
    """

    file: str
    line: int
    function: str
    text: str = ""
    is_own: bool = True

    def __str__(self) -> str:
        """Return its function, and where it is."""
        return f"{self.function} ({self.file}:{self.line})" if self.file else self.function


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was allocated along one path of calls and was in use at the peak.

    Attributes:
        path: indices of lines, from the one that allocated to the outermost caller; empty for the benchmark itself.
        size_bytes: above 0.
        blocks: number of allocations; 0 for what was only there within one line, whose blocks are not known.
    """

    path: tuple[int, ...]
    size_bytes: int
    blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocations:
    """What one call of a benchmark held at its peak.

    Attributes:
        metric: ``python_peak`` or ``native_peak``.
        method: how it was traced.
        peak_bytes: at the peak of the call whose lines these are.
        again_bytes: peak of another call; what differs depends on more than the code.
        threads: number of threads that the call started.
        reason: why there are no lines; None if there are.
    """

    metric: str
    method: str
    peak_bytes: int = 0
    again_bytes: int = 0
    lines: Sequence[Line] = ()
    held: Sequence[Held] = ()
    threads: int = 0
    reason: str | None = None

    @property
    def variation(self) -> int:
        """By how many bytes the peaks of two calls differ."""
        return abs(self.peak_bytes - self.again_bytes)


def allocations_json(allocations: Allocations) -> str:
    """Return allocations as JSON; `read_allocations` reads it."""
    document = {
        "schema": SCHEMA,
        "metric": allocations.metric,
        "method": allocations.method,
        "peak_bytes": allocations.peak_bytes,
        "again_bytes": allocations.again_bytes,
        "threads": allocations.threads,
        "reason": allocations.reason,
        "lines": [list(one) for one in allocations.lines],
        "held": [astuple(one) for one in allocations.held],
    }
    return json.dumps(document, separators=(",", ":"))


def read_allocations(text: str, where: str) -> Allocations:
    """Return the allocations of a file.

    Raises:
        ImportFormatError: they are not of this version; the message names `where`.
    """
    try:
        return _allocations(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise ImportFormatError(f"{where} are not of the schema {SCHEMA}: {error}") from error


def _allocations(document: Mapping[str, Any]) -> Allocations:
    if document.get("schema") != SCHEMA:
        raise ValueError(f"the schema is {document.get('schema')!r}")
    lines = [
        Line(str(file), int(line), str(function), str(text), bool(is_own))
        for file, line, function, text, is_own in document["lines"]
    ]
    held = [
        Held(path=tuple(int(index) for index in path), size_bytes=int(size), blocks=int(blocks))
        for path, size, blocks in document["held"]
    ]
    if not all(0 <= index < len(lines) for one in held for index in one.path):
        raise ValueError("a path has a line that is not there")
    if any(one.size_bytes < 0 or one.blocks < 0 for one in held):
        raise ValueError("a size is below 0")
    return Allocations(
        metric=str(document["metric"]),
        method=str(document["method"]),
        peak_bytes=int(document["peak_bytes"]),
        again_bytes=int(document["again_bytes"]),
        threads=int(document["threads"]),
        reason=None if document["reason"] is None else str(document["reason"]),
        lines=lines,
        held=held,
    )
