"""Explain what differs between two sides: by profiles that were recorded with them, or by running both once."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import BenchdbError, ConfigError
from pytest_benchdb.model.allocations import ALLOCATIONS_NAMES
from pytest_benchdb.model.answer.explanation import Explanation, Explanations
from pytest_benchdb.model.metric import MEMORY, TIME
from pytest_benchdb.model.profile import PROFILE_NAME
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.count.wrap import callgrind_problem, wrap_counting
from pytest_benchdb.operations.duet.plan import Duet
from pytest_benchdb.operations.duet.run import run_duet
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.explain.memory import explain_memory, read_allocated
from pytest_benchdb.operations.explain.profiles import explain_benchmark, native_profiles, read_side, with_native
from pytest_benchdb.operations.select.filters.keyword import Matcher, parse_expression
from pytest_benchdb.operations.select.selection import find_sessions, path_exists, stored_sessions
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.store.read.reader import Reader

INSTRUCTIONS = "instructions"
PASSES: Mapping[str, str] = {
    INSTRUCTIONS: "--benchdb-passes=profile",
    "python_peak": "--benchdb-passes=memory,allocations",
    "native_peak": "--benchdb-passes=memray,allocations",
}
"""What pytest is asked for, by the metrics that can be explained."""
_ATTACHED = {INSTRUCTIONS: PROFILE_NAME, **ALLOCATIONS_NAMES}
NATIVE_PASSES = "--benchdb-passes=instructions"
SEED = {"PYTHONHASHSEED": "0"}
"""With another seed, sets and dicts of texts have another order and other collisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest:
    """Which benchmarks to explain.

    Attributes:
        metric: what is explained, one of `PASSES`.
        keyword: `-k` expression over full names; None for all that execute more.
        names: full names, such as the regressions of a gate; empty for all.
        native: whether to count the machine instructions of native functions too, which takes valgrind; None does so
            for the benchmarks that were asked for and that Python code does not explain.
    """

    metric: str = INSTRUCTIONS
    keyword: str | None = None
    names: tuple[str, ...] = ()
    native: bool | None = None


def explained_metric(word: str) -> str:
    """Return the metric that is explained for a metric or a word; time is explained by instructions.

    Raises:
        ConfigError: it cannot be explained.
    """
    known = {**{name: name for name in PASSES}, TIME: INSTRUCTIONS, MEMORY: "python_peak", "bytecodes": INSTRUCTIONS}
    if word not in known:
        raise ConfigError(f"--metric {word}: it cannot be explained; these can: {', '.join(known)}")
    return known[word]


def explain_by_running(
    duet: Duet, request: ExplainRequest, folder: Path, environ: Mapping[str, str], feedback: Feedback = SILENT
) -> Explanations:
    """Run both sides once with the pass that tells why, and explain what differs.

    Args:
        duet: the sides and the command; how often they run is not read.
        request: which benchmarks to explain.
        folder: the user's working folder.
        environ: environment variables of the processes.
        feedback: receives the number of runs done, and notes for the user.

    Raises:
        ConfigError: a side cannot be checked out or run, or no benchmark matches.
        StoreError: the sessions cannot be read back.
    """
    _matcher(request)  # a mistake ends this before anything runs
    profiled = replace(duet, pairs=1, arguments=(*duet.arguments, PASSES[request.metric]))
    result = run_duet(profiled, folder, {**environ, **SEED}, feedback, only=request.names)
    if not result.base or not result.head:
        missing = result.head_name if result.base else result.base_name
        raise ConfigError(f"{missing}: nothing was recorded; it must have the benchmarks that are to be explained")
    with open_source([duet.database], feedback) as reader:
        benchmarks = _explained(reader, result.base[-1], result.head[-1], request)
    names = _native_names(benchmarks, request)
    if names:
        benchmarks = _with_native(benchmarks, names, duet, folder, environ, feedback)
    return Explanations(base=result.base_name, head=result.head_name, benchmarks=benchmarks, notes=result.notes)


def _native_names(benchmarks: Sequence[Explanation], request: ExplainRequest) -> list[str]:
    """Return the benchmarks whose native functions are to be counted.

    Raises:
        ConfigError: they were asked for, and valgrind cannot count here.
    """
    problem = callgrind_problem()
    if request.native and problem is not None:
        raise ConfigError(f"--native: {problem}")
    if request.native is False or problem is not None or request.metric != INSTRUCTIONS:
        return []
    if request.native is None and request.keyword is None and not request.names:
        return []
    there = [one for one in benchmarks if one.reason is None]
    return [one.fullname for one in there if request.native or one.python is None or one.python.culprit is None]


def _with_native(
    benchmarks: Sequence[Explanation],
    names: Sequence[str],
    duet: Duet,
    folder: Path,
    environ: Mapping[str, str],
    feedback: Feedback,
) -> list[Explanation]:
    """Count benchmarks under valgrind on both sides, and return the explanations with their native functions."""
    feedback.warn(f"counting the native functions of {counted(len(names), 'benchmark')} under valgrind")
    with tempfile.TemporaryDirectory(prefix="benchdb-count-", ignore_cleanup_errors=True) as name:
        sides = {}
        for role in ("base", "head"):
            side = getattr(duet, role)
            wrapped = wrap_counting(side.program, environ, dumps=Path(name), method="callgrind", functions=True)
            sides[role] = replace(side, program=wrapped.command)
        wrapped_duet = replace(duet, pairs=1, arguments=(*duet.arguments, NATIVE_PASSES), **sides)
        result = run_duet(wrapped_duet, folder, wrapped.environ, feedback, only=tuple(names))
    if not result.base or not result.head:
        return [replace(one, notes=(*one.notes, "nothing was recorded under valgrind")) for one in benchmarks]
    with open_source([duet.database], feedback) as reader:
        before, after = (native_profiles(reader, side[-1].session_id) for side in (result.base, result.head))
    return [with_native(one, before, after) if one.fullname in names else one for one in benchmarks]


def explain_recorded(
    db: Path, base: str, head: str, request: ExplainRequest, feedback: Feedback = SILENT
) -> Explanations | None:
    """Explain what differs between two recorded sessions; None unless both have profiles.

    Args:
        db: the history.
        base: SPEC of a session.
        head: SPEC of a session.
        request: which benchmarks to explain.
        feedback: receives progress, and warnings.

    Raises:
        ConfigError: no benchmark matches.
        StoreError: the history cannot be read.
    """
    if not path_exists(db):
        return None
    with open_source([db], feedback) as reader:
        try:
            sessions = stored_sessions(reader, [db])
            context = spec_context(reader)
            before, after = (find_sessions([name], sessions, context)[-1] for name in (base, head))
        except (BenchdbError, IndexError):
            return None  # they are commits to run
        if not all(reader.run_files([one.session_id], [_ATTACHED[request.metric]]) for one in (before, after)):
            return None
        benchmarks = _explained(reader, before, after, request)
    return Explanations(base=base, head=head, benchmarks=benchmarks)


def _matcher(request: ExplainRequest) -> Matcher:
    return (lambda _name: True) if request.keyword is None else parse_expression(request.keyword)


def _explained(
    reader: Reader, base: SessionRow, head: SessionRow, request: ExplainRequest
) -> Sequence[Explanation]:  # fmt: skip
    before, after = base.session_id, head.session_id
    explain = _explainer(reader, before, after, request.metric)
    matches = _matcher(request)
    there = {run["fullname"] for run in reader.runs([before, after])}
    names = [name for name in sorted(there) if matches(name)]
    if request.names:
        names = [name for name in request.names if matches(name)]
    if not names:
        raise ConfigError(f"-k {request.keyword}: no benchmark matches; benchdb report lists them")
    return [explain(name) for name in names]


def _explainer(reader: Reader, base_id: str, head_id: str, metric: str) -> Callable[[str], Explanation]:
    """Return what explains a benchmark of two sessions by its full name."""
    if metric == INSTRUCTIONS:
        before, after = read_side(reader, base_id), read_side(reader, head_id)
        return lambda name: explain_benchmark(name, before, after)
    base, head = (read_allocated(reader, session_id, metric) for session_id in (base_id, head_id))
    return lambda name: explain_memory(name, metric, base, head)
