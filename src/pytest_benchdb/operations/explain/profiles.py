"""Profiles of recorded sessions, and the explanation of each benchmark by those of both sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.analysis.profiles.causes import compare_profiles
from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.model.answer.explanation import Explanation, ProfileChange
from pytest_benchdb.model.profile import NATIVE_NAME, PROFILE_NAME, Profile, read_profile
from pytest_benchdb.model.wording import counted
from pytest_benchdb.store.read.reader import Reader

METRIC = "bytecodes"
NOT_ASKED = "was not recorded with --benchdb-passes profile"
NOT_PYTHON = (
    "what takes longer is not seen in Python code: waiting, input and output, caches, allocation, or the inside of a C"
    " function"
)


@dataclass(frozen=True, slots=True)
class Profiled:
    """The profile of a benchmark on one side; None with the reason why it has none."""

    profile: Profile | None
    reason: str = NOT_ASKED


def read_side(reader: Reader, session_id: str) -> dict[str, Profiled]:
    """Return the profiles of a session by the full names of its benchmarks; those without any have the reason."""
    found = {name: Profiled(None, reason) for name, reason in reasons_of(reader, session_id, METRIC, NOT_ASKED).items()}
    for row in reader.run_files([session_id], [PROFILE_NAME]):
        found[row["fullname"]] = _read(row["path"], row["fullname"])
    return found


def reasons_of(reader: Reader, session_id: str, metric: str, otherwise: str) -> dict[str, str]:
    """Return why each benchmark of a session has no value of a metric, by full name; `otherwise` if none is stored."""
    reasons = {
        row["run_id"]: row["reason"]
        for row in reader.measurements([session_id])
        if row["metric"] == metric and row["reason"]
    }
    return {
        run["fullname"]: reasons.get(run["run_id"], otherwise)
        if run["outcome"] == "passed"
        else f"{run['outcome']}: {run['reason'] or 'no reason was recorded'}"
        for run in reader.runs([session_id])
    }


def _read(path: Path | None, fullname: str) -> Profiled:
    if path is None:
        return Profiled(None, "the file of its profile is not beside the database any more")
    try:
        return Profiled(read_profile(path.read_text(encoding="utf-8"), f"the profile of {fullname}"))
    except (OSError, ImportFormatError, UnicodeDecodeError) as error:
        return Profiled(None, str(error))


def native_profiles(reader: Reader, session_id: str) -> dict[str, Profiled]:
    """Return what each native function executed, by the full names of a session's benchmarks."""
    return {
        row["fullname"]: _read(row["path"], row["fullname"]) for row in reader.run_files([session_id], [NATIVE_NAME])
    }


def with_native(one: Explanation, base: Mapping[str, Profiled], head: Mapping[str, Profiled]) -> Explanation:
    """Return an explanation with the native functions of both sides."""
    nothing = Profiled(None, "it was not counted under valgrind")
    before, after = base.get(one.fullname, nothing), head.get(one.fullname, nothing)
    if before.profile is None or after.profile is None:
        reason = before.reason if before.profile is None else after.reason
        return replace(one, notes=(*one.notes, f"native functions: {reason}"))
    native = compare_profiles(before.profile, after.profile)
    notes = [note for note in one.notes if native.culprit is None or note != NOT_PYTHON]
    return replace(one, native=native, notes=tuple(notes))


def explain_benchmark(fullname: str, base: Mapping[str, Profiled], head: Mapping[str, Profiled]) -> Explanation:
    """Return why a benchmark executes more at the head than at the base."""
    for role, side in (("base", base), ("head", head)):
        if fullname not in side:
            return Explanation(
                fullname=fullname, reason=f"the {role} has no such benchmark: it is new, gone or renamed"
            )
    before, after = base[fullname], head[fullname]
    if before.profile is None or after.profile is None:
        role, reason = ("base", before.reason) if before.profile is None else ("head", after.reason)
        return Explanation(fullname=fullname, reason=f"the {role} has no profile of it: {reason}")
    profiles = (before.profile, after.profile)
    if before.profile.unit != after.profile.unit:
        units = " and ".join(one.unit for one in profiles)
        return Explanation(fullname=fullname, reason=f"its sides were counted by {units}", profiles=profiles)
    change = compare_profiles(*profiles)
    return Explanation(fullname=fullname, python=change, profiles=profiles, notes=tuple(_notes(change, *profiles)))


def _notes(change: ProfileChange, base: Profile, head: Profile) -> Iterator[str]:
    """Yield what limits an explanation."""
    if change.culprit is None:
        yield NOT_PYTHON
    if base.python != head.python:
        yield f"the base ran on {base.python} and the head on {head.python}, whose bytecode may differ"
    if change.unit != "instructions":
        yield "a call takes long, so its lines were counted instead of its instructions"
    if change.variation:
        varying = [one.function.name for one in change.functions if one.varies][:3]
        where = f", in {', '.join(varying)}" if varying else ""
        yield (
            f"two calls of one side differ by {change.variation:,} {change.unit}{where}: it depends on random numbers, "
            "on time, or on what earlier calls left behind"
        )
    if not base.again or not head.again:
        yield "it was counted once, because it cannot be repeated; how much it varies is not known"
    threads = max(base.threads, head.threads)
    if threads:
        yield f"{counted(threads, 'further thread')} ran, and waiting for each other varies by chance"
