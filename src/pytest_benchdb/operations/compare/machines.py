"""Compare the machines and environments of two sides: obstacles, warnings and differences."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pytest_benchdb.analysis.machine_names import machine_names
from pytest_benchdb.model.comparison import Difference, Shift, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.operations.compare.axis import python_text
from pytest_benchdb.operations.read.environment import flatten
from pytest_benchdb.store.read.reader import Reader

_TIMED = "by time"
_FACTS: Mapping[str, Callable[[SessionRow], object]] = {
    "what they count": lambda session: (session.tags or {}).get("counted", _TIMED),
    "processor": lambda session: session.cpu_model,
    "cores": lambda session: session.cores,
    "threads": lambda session: session.threads,
    "system": lambda session: session.os,
    "Python": lambda session: python_text(session.python),
}
# An axis compares different values of these facts, so their difference is not an obstacle.
_EXPECTED = {"python": frozenset({"Python"}), "cpu": frozenset({"processor"}), "os": frozenset({"system"})}

MOST_SESSIONS = 20
"""How many of a side's newest sessions have their environment read."""

TIMING_OPTIONS = ("disable_gc", "gc", "min_rounds", "max_time", "min_time", "warmup", "precision", "cache_mode")
"""Options of fixtures, from the details of measurements; they differ only if both sides state them."""

_HASHES = frozenset({"fingerprint"})
_OBSERVED_BY = "observed by"
_NAMES = {
    "details.suite.observed_by": _OBSERVED_BY,
    "details.suite.traced_by": "traced by",
    "hostname_hash": "host",
    "cpu_model": "cpu",
    "ram_bytes": "ram",
}
_SHOWN_OF_A_HASH = 8


def find_obstacle(
    baseline: Sequence[SessionRow], candidate: Sequence[SessionRow], *, across: str | None = None
) -> str | None:
    """Return why the sessions of a benchmark must not be compared; None if they may.

    The fact that the axis `across` compares is not an obstacle.
    """
    prints = [{session.fingerprint for session in side} for side in (baseline, candidate)]
    if prints[0] == prints[1]:
        return None
    differing = [name for name in _FACTS if _differ(_seen(name, baseline), _seen(name, candidate))]
    if across in _EXPECTED and differing and set(differing) <= _EXPECTED[across]:
        return None
    what = _listed(differing) if differing else "their machine, as far as it is known"
    return f"the sides differ in {what}{_names(baseline, candidate)}"


def _names(baseline: Sequence[SessionRow], candidate: Sequence[SessionRow]) -> str:
    """Return the names of the machines of two sides, if those have one each."""
    names = machine_names([*baseline, *candidate])
    sides = [{names.get(session.fingerprint or "", "unknown") for session in side} for side in (baseline, candidate)]
    if any(len(side) != 1 for side in sides) or sides[0] == sides[1]:
        return ""
    return f": {next(iter(sides[0]))} and {next(iter(sides[1]))}"


def _differ(baseline: set[object], candidate: set[object]) -> bool:
    return bool(baseline and candidate) and baseline != candidate


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def keep_one_machine(baseline: Side, candidate: Side) -> tuple[Side, Side, tuple[str, ...]]:
    """Reduce both sides to one machine and Python that they share.

    Returns:
        The sides, and a sentence on what was left out; unchanged if they share no machine or have only one.
    """
    prints = [{session.fingerprint for session in side.sessions} for side in (baseline, candidate)]
    shared = prints[0] & prints[1]
    if not shared or len(prints[0] | prints[1]) == 1:
        return baseline, candidate, ()
    kept = next(session.fingerprint for session in reversed(candidate.sessions) if session.fingerprint in shared)
    sides = [
        Side(name=side.name, sessions=tuple(session for session in side.sessions if session.fingerprint == kept))
        for side in (baseline, candidate)
    ]
    lost = sum(len(side.sessions) for side in (baseline, candidate)) - sum(len(side.sessions) for side in sides)
    text = f"{counted(lost, 'session')} of another machine or Python left out; --allow-cross takes them in"
    return sides[0], sides[1], (text,)


def machine_warnings(baseline: Side, candidate: Side, shift: Shift | None) -> Iterator[str]:
    """Yield warnings that readers need before they trust the rows."""
    sessions = {session.session_id: session for side in (baseline, candidate) for session in side.sessions}.values()
    disturbed = sum(1 for session in sessions if session.contended)
    if disturbed:
        yield f"other work disturbed {_share(disturbed, len(sessions))}: repeat on a quiet machine"
    incomplete = sum(1 for session in sessions if not session.complete)
    if incomplete:
        yield f"some benchmarks may be missing from {_share(incomplete, len(sessions))}: it did not end by itself"
    if shift is not None:
        yield (
            f"{shift.agreeing * 100:.0f} % of the benchmarks moved alike, by {percent_text(shift.change)} in the "
            "median, as on another machine or interpreter; repeat both sides in turn: benchdb duet"
        )


def observer_warnings(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield why times may differ though the code does not: a profiler, a debugger or a check ran beside one side."""
    for difference in differences:
        if difference.name == _OBSERVED_BY:
            before, after = difference.baseline or "nothing", difference.candidate or "nothing"
            yield (
                f"{before} observed the baseline, and {after} the candidate: that is in the times of phases, steps and "
                "pytest-benchmark, so record both alike"
            )


def _share(number: int, of: int) -> str:
    return "the session" if of == 1 else f"{number} of {of} sessions"


def _seen(name: str, sessions: Iterable[SessionRow]) -> set[object]:
    return {_FACTS[name](session) for session in sessions} - {None}


def side_differences(reader: Reader, baseline: Side, candidate: Side) -> tuple[Difference, ...]:
    """Return the facts in which two sides differ, with the values of all their sessions; none without sessions.

    Raises:
        StoreError: the history cannot be read.
    """
    if not baseline.sessions or not candidate.sessions:
        return ()
    read: dict[str, Mapping[str, object]] = {}
    newest = {session.session_id for side in (baseline, candidate) for session in side.sessions[-MOST_SESSIONS:]}
    options: dict[str, list[tuple[str, str]]] = {}
    for row in reader.timing_options(sorted(newest), TIMING_OPTIONS):
        options.setdefault(row["session_id"], []).append((row["name"], row["value"]))
    sides = []
    for side in (baseline, candidate):
        facts: dict[str, set[str]] = {}
        for session in side.sessions[-MOST_SESSIONS:]:
            key = session.session_id
            if key not in read:
                read[key] = dict(flatten(reader.environment_of(key)))
            for name, value in read[key].items():
                facts.setdefault(name, set()).add(_text(name, value))
            for name, text in options.get(key, ()):
                facts.setdefault(name, set()).add(text)
            if session.tool_version:
                facts.setdefault(session.tool, set()).add(session.tool_version)
        sides.append(facts)
    before, after = sides
    return tuple(
        Difference(name=_NAMES.get(name, name), baseline=_joined(before.get(name)), candidate=_joined(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if name not in _HASHES
        and before.get(name) != after.get(name)
        and (name not in TIMING_OPTIONS or (before.get(name) and after.get(name)))
    )


def _text(name: str, value: object) -> str:
    text = str(value)
    return text[:_SHOWN_OF_A_HASH] if name == "hostname_hash" else text


def _joined(texts: set[str] | None) -> str | None:
    return ", ".join(sorted(texts)) if texts else None
