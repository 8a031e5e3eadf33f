"""Confirm suspects side by side: run the baseline's commit and the candidate in turn, instead of the candidate alone.

A re-run repeats the machine's new state as faithfully as the code's. Sides that alternate share it, so what is left
between them is the code. Suspects are looked at after a few pairs, and only those still open run on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.environment.git.worktree import find_checkout, find_commit, is_on_a_branch
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import COMPARED, Judgement, Policy
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.operations.commits.import_probe import find_packages
from pytest_benchdb.operations.duet.plan import Duet, SideRequest
from pytest_benchdb.operations.duet.recorded import without_recording
from pytest_benchdb.operations.duet.run import OpenDuet
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.gate.confirm import INTERRUPTED, Confirmation, undecided_row
from pytest_benchdb.operations.gate.history import GateSides
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.pytest_run import own_words, parse_suite
from pytest_benchdb.present.verdicts.words import interval_text
from pytest_benchdb.store.own_commands import recall

LOOKS = (5, 5, 10)
"""Pairs to run before each look at the suspects that are still open."""
MOST = sum(LOOKS)
_ERROR = 0.005
"""Chance that a suite of identical code fails, for all suspects and looks together."""
_REPEATED = 0.5
"""Share of what the session showed that the sides must show too."""
SHARES = (0.1, 0.3, 0.6)
"""How the looks share that chance."""
_INSTEAD = "benchdb regress --confirm-by duet -- pytest ARGS"
_SHORT = 10
ABSENT = "one of the commits lacks the benchmark, or did not measure this metric"


Sides = tuple[list[SessionValue], list[SessionValue]]
"""The values of baseline and candidate, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """What a gate compares.

    Attributes:
        baseline: full hash of the newest commit of the history whose checkout was clean.
        candidate: full hash; None for the working tree as it is.
    """

    baseline: str
    candidate: str | None


def find_commits(sides: GateSides, folder: Path, environ: Mapping[str, str]) -> Commits:
    """Return the commits to run in turn.

    Args:
        sides: the sessions of the gate.
        folder: where to look for the checkout.
        environ: environment variables for git.

    Raises:
        ConfigError: a side's code is not there: no checkout, no commit, or changes that were never committed.
    """
    checkout = find_checkout(folder, environ)
    judged = sides.newest
    known = [session for session in sides.history or sides.baseline if session.commit_sha is not None]
    clean = [session.commit_sha for session in known if not session.dirty]
    if not clean or clean[-1] is None:
        state = "were measured with uncommitted changes" if known else "have no commit"
        raise ConfigError(f"the sessions of the baseline {state}, so its code cannot be checked out")
    baseline = _own_commit(checkout, clean[-1], environ)
    if judged.commit_sha is None:
        raise ConfigError("the candidate was recorded outside of a git checkout, so its code is not known")
    if not judged.dirty:
        return Commits(baseline=baseline, candidate=_own_commit(checkout, judged.commit_sha, environ))
    here = find_commit(checkout, "HEAD", environ)
    if here != judged.commit_sha:
        raise ConfigError(
            f"the candidate had uncommitted changes on {judged.commit_sha[:_SHORT]}, and {here[:_SHORT]} is checked out"
        )
    return Commits(baseline=baseline, candidate=None)


def _own_commit(checkout: Path, sha: str, environ: Mapping[str, str]) -> str:
    """Return the full hash of a commit that a database names.

    The database may come from anybody, and its hashes choose what is run: only what a branch or a tag has is taken.
    """
    commit = find_commit(checkout, sha, environ)
    if not is_on_a_branch(checkout, commit, environ):
        raise ConfigError(f"the commit {commit[:_SHORT]} is on no branch or tag of {checkout}, so it is not run")
    return commit


def plan_duet(sides: GateSides, request: GateRequest) -> Duet:
    """Return the duet of a gate, the candidate's command on both commits; its database is for the caller to choose.

    Args:
        sides: the sessions of the gate.
        request: has the user's command, if any; else it is the one by which the user recorded the candidate.

    Raises:
        ConfigError: the command is not known, or a side's code is not there.
    """
    folder = request.folder.absolute()
    commits = find_commits(sides, folder, request.environ)
    words = request.words
    if words is None:
        words = tuple(own_words(recall(sides.newest.session_id), request.folder, "--confirm-by", _INSTEAD))
    suite = parse_suite(without_recording(words), folder)
    first, *rest = suite.program
    program = (str((folder / first).absolute()) if Path(first).name != first else first, *rest)
    return Duet(
        base=SideRequest(commit=commits.baseline, program=program),
        head=SideRequest(commit=commits.candidate, program=program),
        arguments=tuple(_relative(word, folder) for word in suite.arguments),
        pairs=MOST,
        database=Path(),
        pythonpath=request.pythonpath or own_places(folder),
        only_own=True,
    )


def own_places(folder: Path) -> tuple[str, ...]:
    """Return where a working folder keeps its packages: ``src`` if it has any, else the folder itself if it has.

    Each side's own come first, before what is installed in editable mode from the user's checkout.
    """
    if find_packages(folder / "src", (".",)):
        return ("src",)
    return (".",) if find_packages(folder, ()) else ()


def _relative(word: str, folder: Path) -> str:
    """Return an argument that is a path into the user's checkout as one that means each side's own."""
    path, colons, test = word.partition("::")
    if Path(path).is_absolute() and Path(path).is_relative_to(folder):
        return f"{Path(path).relative_to(folder)}{colons}{test}"
    return word


def confirm_in_turn(
    suspects: Sequence[ComparisonRow], opened: OpenDuet, database: Path, say: Callable[[str], None]
) -> Confirmation:
    """Run suspects on both sides in turn until each is confirmed, cleared, or too noisy to tell.

    Args:
        suspects: rows that look regressed.
        opened: the duet, with both sides checked out.
        database: folder that takes its sessions.
        say: called with a line for each look.

    Raises:
        ConfigError: a side cannot be run, or does not measure its own code.
        StoreError: the sessions cannot be read back.
    """
    rows = {row.key: row for row in suspects}
    open_keys, absent, done = list(rows), set[SeriesKey](), 0
    for pairs, share in zip(LOOKS, SHARES, strict=True):
        names = list(dict.fromkeys(key.fullname for key in open_keys))
        if not names:
            break
        say(f"side by side: {counted(len(names), 'suspect')}, pairs {done + 1} to {done + pairs} of at most {MOST}")
        try:
            opened.play(pairs, names)
        except KeyboardInterrupt:
            rows.update({key: undecided_row(rows[key], INTERRUPTED) for key in open_keys})
            undecided = frozenset({*open_keys, *absent})
            return Confirmation(rows=tuple(rows.values()), undecided=undecided, interrupted=True)
        done += pairs
        values = values_of_sides(opened, database, {key.metric for key in open_keys})
        still_open = []
        for key in open_keys:
            sides = sides_of(key, values)
            if sides is None:
                rows[key] = undecided_row(rows[key], ABSENT)
                absent.add(key)
                continue
            judgement = judge_sides(*sides, surer(rows[key], share / len(suspects)))
            rows[key], is_open = settle(rows[key], judgement)
            still_open += [key] if is_open else []
        open_keys = still_open
    undecided = frozenset({*open_keys, *absent})
    return Confirmation(rows=tuple(rows.values()), undecided=undecided, out_of_reach=frozenset(absent))


def surer(row: ComparisonRow, share: float) -> Policy:
    """Return the limits of a row, with a share of the chance that a suite of identical code may fail."""
    policy = row.policy or Policy(better="none", relative=0.0)
    return replace(policy, confidence=1 - _ERROR * share)


def settle(row: ComparisonRow, judgement: Judgement) -> tuple[ComparisonRow, bool]:
    """Return a suspect with what running it in turn showed, and whether it is still open.

    It is confirmed by a change beyond its limit that chance does not explain, and cleared if its interval leaves no
    room for one, or for half of what the session showed. Else it runs on, and is undecided in the end.
    """
    row = replace(row, confirmations=(judgement,))
    text = _evidence(judgement)
    if judgement.verdict == "regressed":
        return replace(row, judgement=replace(row.judgement, verdict="regressed", state=None, reason=text)), False
    if judgement.verdict not in COMPARED:
        return undecided_row(row, f"side by side showed nothing: {judgement.reason or judgement.verdict}"), True
    worst = _worst(row, judgement)
    seen = row.judgement.change or 0.0
    if worst is not None and worst < max(row.limit or 0.0, _REPEATED * abs(seen)):
        text = f"{text}: it does not repeat what the session showed ({percent_text(seen)})"
        return cleared_row(row, text), False
    if judgement.test == "exact":
        return cleared_row(row, text), False
    return undecided_row(row, f"{text}: too noisy to tell"), True


def cleared_row(row: ComparisonRow, reason: str) -> ComparisonRow:
    """Return a suspect that did not repeat, with the reason."""
    return replace(row, judgement=replace(row.judgement, verdict="inconclusive", state="suspect", reason=reason))


def _worst(row: ComparisonRow, judgement: Judgement) -> float | None:
    """Return the worst change that the interval allows, above 0 if worse; None without an interval."""
    interval = judgement.interval
    if interval is None:
        return None
    return -interval.low if row.better == "higher" else interval.high


def _evidence(judgement: Judgement) -> str:
    """Return what running in turn showed: ``side by side +5.2 % (+4.1 … +6.3 %) in 10 pairs``."""
    change = "?" if judgement.change is None else percent_text(judgement.change)
    interval = "" if judgement.interval is None else f" ({interval_text(judgement.interval)} %)"
    return f"side by side {change}{interval} in {counted(judgement.candidate_sessions, 'pair')}"


def sides_of(key: SeriesKey, values: Mapping[SeriesKey, Sides]) -> Sides | None:
    """Return the values of a series, or of the same one on this machine's device; None if there are none."""
    here = [sides for other, sides in values.items() if replace(other, device=key.device) == key]
    return values.get(key) or (here[0] if len(here) == 1 else None)


def values_of_sides(opened: OpenDuet, database: Path, metrics: set[str]) -> Mapping[SeriesKey, Sides]:
    """Return the values of both sides by series, oldest first; only of series that both have."""
    result = opened.result()
    with open_source([database]) as reader:
        base, head = (
            _by_series(reader.session_values([session.session_id for session in side], metrics=sorted(metrics)))
            for side in (result.base, result.head)
        )
    return {key: (base[key], head[key]) for key in base.keys() & head.keys()}


def _by_series(values: Sequence[SessionValue]) -> dict[SeriesKey, list[SessionValue]]:
    found: dict[SeriesKey, list[SessionValue]] = {}
    for value in values:
        found.setdefault(value.key, []).append(value)
    return found
