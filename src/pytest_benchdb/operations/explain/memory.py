"""The lines that hold memory in recorded sessions, and the explanation of each benchmark by those of both sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.analysis.profiles.allocations import compare_allocations
from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.model.allocations import ALLOCATIONS_NAMES, Allocations, read_allocations
from pytest_benchdb.model.answer.explanation import Explanation, MemoryChange
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.explain.profiles import reasons_of
from pytest_benchdb.store.read.reader import Reader

NOT_ASKED = "it was not recorded with --benchdb-passes memory,allocations, or cannot be called again"
NO_GROWTH = "no line holds more at the peak; what is measured beside it, such as the resident set, also has free memory"

_LEAST_NOTED_BYTES = 4096
"""Python's own memory for a call differs by less."""


@dataclass(frozen=True, slots=True)
class Traced:
    """The allocations of a benchmark on one side; None with the reason why it has none."""

    allocations: Allocations | None
    reason: str = NOT_ASKED


def read_allocated(reader: Reader, session_id: str, metric: str) -> dict[str, Traced]:
    """Return the allocations of a session by the full names of its benchmarks; those without any have the reason."""
    found = {name: Traced(None, reason) for name, reason in reasons_of(reader, session_id, metric, NOT_ASKED).items()}
    for row in reader.run_files([session_id], [ALLOCATIONS_NAMES[metric]]):
        found[row["fullname"]] = _read(row["path"], row["fullname"])
    return found


def _read(path: Path | None, fullname: str) -> Traced:
    if path is None:
        return Traced(None, "the file of its allocations is not beside the database any more")
    try:
        allocations = read_allocations(path.read_text(encoding="utf-8"), f"the allocations of {fullname}")
    except (OSError, ImportFormatError, UnicodeDecodeError) as error:
        return Traced(None, str(error))
    return Traced(allocations) if allocations.reason is None else Traced(None, allocations.reason)


def explain_memory(fullname: str, metric: str, base: Mapping[str, Traced], head: Mapping[str, Traced]) -> Explanation:
    """Return which lines of a benchmark hold more at the head than at the base."""
    for role, side in (("base", base), ("head", head)):
        if fullname not in side:
            why = f"the {role} has no such benchmark: it is new, gone or renamed"
            return Explanation(fullname=fullname, metric=metric, reason=why)
    before, after = base[fullname], head[fullname]
    if before.allocations is None or after.allocations is None:
        role, reason = ("base", before.reason) if before.allocations is None else ("head", after.reason)
        why = f"the {role} has no allocations of it: {reason}"
        return Explanation(fullname=fullname, metric=metric, reason=why)
    change = compare_allocations(before.allocations, after.allocations)
    notes = tuple(_notes(change, before.allocations, after.allocations))
    return Explanation(fullname=fullname, metric=metric, memory=change, notes=notes)


def _notes(change: MemoryChange, base: Allocations, head: Allocations) -> Iterator[str]:
    """Yield what limits an explanation."""
    if change.culprit is None:
        yield NO_GROWTH
    if change.variation > max(_LEAST_NOTED_BYTES, 0.01 * change.base_peak):
        yield (
            f"the peaks of two calls of one side differ by {change.variation:,} B: it depends on random numbers, on "
            "time, or on what earlier calls left behind"
        )
    threads = max(base.threads, head.threads)
    if threads:
        yield f"{counted(threads, 'further thread')} ran, whose steps are not followed"
