"""Search for the commit that changed a benchmark: measure both ends, then the commit that splits what is left best.

Each step runs both ends and one commit in between in turn, so that a machine that drifts shifts all of them alike. Of a
metric that repeats exactly, each commit is run once. Everything is recorded with the search's id before the next run
begins, so that the same command goes on where an earlier one ended.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.analysis.search.levels import HISTORY, distances, is_clear, log_odds
from pytest_benchdb.analysis.search.search import Range, Standing, Suspects, standing_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.bisection import SHORT, Bisection, BisectStep, Suspect
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import CHANGED, Judgement
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.operations.bisect.plan import (
    COUNTED,
    SEARCH_TAG,
    STEP_TAG,
    BisectRequest,
    Span,
    branch_span,
    find_span,
    remarks_on,
    search_id,
    weights_of,
)
from pytest_benchdb.operations.bisect.sample import (
    Followed,
    Sample,
    Session,
    change_text,
    follow,
    read_sessions,
    sample_of,
)
from pytest_benchdb.operations.commits.checkout import OpenCommit, Origin, find_origin
from pytest_benchdb.operations.commits.record import CommitRecorder, Failure, open_recorder
from pytest_benchdb.operations.exchange.open import SILENT, Feedback

ENDS_SESSIONS = 5
"""Sessions of each end before the first step, as in a duet."""
LEAST_TURNS = 2
"""Sessions of each commit in a step even if the first is clear: a single one may have been disturbed."""
MOST_ENDS_ROUNDS = 3
"""How often the ends are run in turn before the answer is that it is not clear whether they differ."""


def bisect(
    request: BisectRequest,
    folder: Path,
    environ: Mapping[str, str],
    feedback: Feedback = SILENT,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Bisection:
    """Search for the commit that changed a benchmark.

    Args:
        request: what to search for.
        folder: the user's working folder; pytest runs in the same folder of each checkout.
        environ: environment variables of the processes.
        feedback: its `warn` receives one line for each step, and remarks.
        clock: seconds, for the duration.

    Raises:
        ConfigError: the commits are not valid, an end cannot be measured, or the metric was not measured.
        StoreError: the sessions cannot be read back.
    """
    began = clock()
    origin = find_origin(folder, environ)
    span = find_span(request, origin)
    with open_recorder(origin, request.suite, feedback.warn) as recorder:
        search = _Search(request, span, origin, recorder, feedback.warn)
        found = search.run()
        while request.into_merges and (inner := _branch_of(found, search, origin)) is not None:
            merge = found.suspects[0]
            feedback.warn(f"{merge.text} is a merge; searching its branch, {counted(len(inner.commits), 'commit')}")
            runs = search.runs
            search = _Search(request, inner, origin, recorder, feedback.warn, runs=runs)
            deeper = search.run()
            if deeper.outcome not in {"found", "range"}:
                note = f"{merge.sha[:SHORT]} is a merge whose branch alone shows no change ({_change(deeper.ends)})"
                found = replace(found, runs=deeper.runs, notes=(*found.notes, note))
                break
            found = _within(found, deeper)
    return replace(found, seconds=clock() - began)


def _branch_of(found: Bisection, search: "_Search", origin: Origin) -> Span | None:
    if found.outcome != "found" or not found.suspects[0].is_merge:
        return None
    commit = next(commit for commit in search.span.commits if commit.sha == found.suspects[0].sha)
    return branch_span(commit, origin)


def _within(outer: Bisection, inner: Bisection) -> Bisection:
    """Return what was found in the branch of a merge, as the answer of the whole search."""
    note = f"in the branch that {outer.suspects[0].text} merged ({outer.confidence * 100:.1f} %)"
    return replace(
        inner,
        good=outer.good,
        bad=outer.bad,
        commits=outer.commits,
        confidence=outer.confidence * inner.confidence,
        ends=outer.ends,
        steps=(*outer.steps, *inner.steps),
        sessions=outer.sessions + inner.sessions,
        reused=outer.reused + inner.reused,
        notes=(*outer.notes, note, *inner.notes),
    )


class _CannotMeasureError(Exception):
    """A commit has no figures."""

    def __init__(self, place: int, failure: Failure) -> None:
        super().__init__(failure.text)
        self.place = place
        self.failure = failure


class _Search:
    """One search along the first parents of one branch."""

    def __init__(
        self,
        request: BisectRequest,
        span: Span,
        origin: Origin,
        recorder: CommitRecorder,
        say: Callable[[str], None],
        *,
        runs: int = 0,
    ) -> None:
        self.request = request
        self.span = span
        self.origin = origin
        self.recorder = recorder
        self.say = say
        self.id = search_id(span, request.suite)
        self.last = len(span.commits)
        self.runs = runs
        self.problems: dict[int, str] = {}
        self.imported: set[str] | None = None
        self.steps: list[BisectStep] = []
        self._open: dict[int, tuple[contextlib.ExitStack, OpenCommit]] = {}

    def run(self) -> Bisection:
        """Search until the answer is known, nothing can be measured any more, or the steps are used up."""
        try:
            followed = self._check_ends()
            if followed.ends.verdict not in CHANGED:
                return self._no_change(followed)
            weights = self._weights()
            for remark in remarks_on(self.span, weights, self.origin):
                self.say(remark)
            sessions, sample, standing = self._stand(followed, weights)
            self.say(f"{change_text(followed)}; {self._left_text(standing)}")
            while standing.next is not None and self._used(sessions) < self.request.most_steps:
                place = standing.next
                self._measure_step(standing, place, followed)
                sessions, sample, standing = self._stand(followed, weights)
                self._report(place, followed, sample, standing, self._used(sessions))
            return self._answer(followed, sessions, sample, standing)
        finally:
            self._close_all()

    def _sessions(self) -> list[Session]:
        return read_sessions(self.request, self.span.shas, self.id)

    def _stand(self, followed: Followed, weights: Sequence[float]) -> tuple[list[Session], Sample, Standing]:
        sessions = self._sessions()
        sample = sample_of(followed, sessions, self.last)
        for place, problem in sample.problems.items():
            if place not in {0, self.last}:
                self.problems.setdefault(place, problem)
        range_ = Range(last=self.last, weights=tuple(weights), skipped=frozenset(self.problems))
        standing = standing_of(range_, sample.readings, followed.noise, confidence=self.request.confidence)
        return sessions, sample, standing

    def _used(self, sessions: Sequence[Session]) -> int:
        """Return how many steps were made, those of earlier calls included."""
        return len({s.step for s in sessions if s.step != HISTORY and s.place not in {0, self.last}})

    def _weights(self) -> tuple[float, ...]:
        files = self.request.suite.files
        return weights_of(self.span.commits, self.imported, files.paths if files is not None else ())

    # The ends

    def _check_ends(self) -> Followed:
        """Measure both ends until it is known whether they differ."""
        followed = None
        for turn in range(MOST_ENDS_ROUNDS + 1):
            sessions = self._sessions()
            missing = self._missing_ends(sessions)
            if not missing:
                followed = follow(self.request, sessions, self.last)
                self._refuse(followed.ends)
                if followed.ends.verdict != "inconclusive" or turn == MOST_ENDS_ROUNDS:
                    return followed
                self.say(f"{change_text(followed)}: not sure yet, running both ends again")
            self._measure_ends(sessions, missing, exact=followed.exact if followed else self._is_exact())
        raise AssertionError("the last turn returns")  # pragma: no cover

    def _missing_ends(self, sessions: Sequence[Session]) -> list[int]:
        own = any(session.step != HISTORY for session in sessions)
        exact = self._is_exact()
        counting = [session for session in sessions if exact or session.step != HISTORY]
        # A session of this search without a value is an answer too: the metric is not measured there.
        measured = {session.place for session in counting if session.values or session.step != HISTORY}
        missing = [place for place in (self.last, 0) if place not in measured]
        # The machine is known only from a session of this search: without one, no session of the history counts.
        return missing if own or missing else [self.last]

    def _is_exact(self) -> bool:
        metric = self.request.metric
        registered = METRICS.get(metric)
        if metric in COUNTED or metric == "memory":
            return True
        return registered is not None and default_policy(metric, registered.unit, registered.better, sessions=1).exact

    def _measure_ends(self, sessions: Sequence[Session], missing: Sequence[int], *, exact: bool) -> None:
        step = _next_step(sessions)
        try:
            if exact and missing:
                self._record(missing[0], step)
                return
            for turn in range(1 if exact else ENDS_SESSIONS):
                self._turn((0, self.last), step, turn)
        except _CannotMeasureError as error:
            raise ConfigError(self._end_text(error)) from error

    def _end_text(self, error: _CannotMeasureError) -> str:
        name = self.request.good if error.place == 0 else self.request.bad
        advice = "name another commit"
        if error.failure.kind == "no-benchmark":
            advice = f"name another commit, or --benchmarks-from {self.request.bad}"
        return f"{name} ({self.span.shas[error.place][:SHORT]}) cannot be measured: {error.failure.text}; {advice}"

    @staticmethod
    def _refuse(ends: Judgement) -> None:
        if ends.verdict not in {*CHANGED, "unchanged", "inconclusive"}:
            raise ConfigError(f"the ends cannot be compared: {ends.verdict}, {ends.reason}; name other commits")

    # Measuring

    def _measure_step(self, standing: Standing, place: int, followed: Followed) -> None:
        step = _next_step(self._sessions())
        levels = standing.levels
        try:
            if followed.exact or levels is None:
                self._record(place, step)
            else:
                for turn in range(self.request.sessions):
                    self._turn((levels.good, place, levels.bad), step, turn)
                    if turn + 1 >= LEAST_TURNS and self._is_clear(followed, standing, place, step):
                        break
        except _CannotMeasureError as error:
            if error.place in {0, self.last}:
                raise ConfigError(self._end_text(error)) from error
            self.problems[error.place] = error.failure.text
        finally:
            self._close_all(but={levels.good, levels.bad} if levels else set())

    def _turn(self, places: Sequence[int], step: int, turn: int) -> None:
        """Run each commit once, every second time in the opposite order, so that a slow drift cancels out."""
        for place in places if turn % 2 == 0 else places[::-1]:
            self._record(place, step)

    def _is_clear(self, followed: Followed, standing: Standing, place: int, step: int) -> bool:
        """Return whether the sessions of a step so far say all that a step can."""
        readings = sample_of(followed, self._sessions(), self.last).readings
        own = [reading for reading in readings if reading.step == step]
        return standing.levels is not None and is_clear(own, standing.levels, followed.noise, commit=place)

    def _record(self, place: int, step: int) -> None:
        tags = {SEARCH_TAG: self.id, STEP_TAG: str(step)}
        try:
            recorded = self.recorder.record(self._opened(place), tags)
        except ConfigError as error:
            raise _CannotMeasureError(place, Failure(kind="checkout", text=str(error))) from error
        self.runs += 1
        if recorded.failure is not None:
            raise _CannotMeasureError(place, recorded.failure)
        if place in {0, self.last} and recorded.files is not None:
            self.imported = (self.imported or set()) | set(recorded.files)

    def _opened(self, place: int) -> OpenCommit:
        if place not in self._open:
            stack = contextlib.ExitStack()
            commit = stack.enter_context(self.recorder.checked_out(self.span.shas[place]))
            self._open[place] = (stack, commit)
        return self._open[place][1]

    def _close_all(self, but: set[int] | frozenset[int] = frozenset()) -> None:
        for place in [place for place in self._open if place not in but]:
            self._open.pop(place)[0].close()

    # Telling

    def _report(self, place: int, followed: Followed, sample: Sample, standing: Standing, number: int) -> None:
        commit, levels = self.span.commits[place - 1], standing.levels
        problem = self.problems.get(place)
        change = changed = None
        if problem is None and levels is not None:
            odds = log_odds(sample.readings, levels, followed.noise).get(place)
            changed = None if odds is None else 1 / (1 + math.exp(-max(-700.0, odds)))
            apart = [
                value for step in distances(sample.readings, levels, followed.noise).get(place, []) for value in step
            ]
            change = (
                sample.scale.share(median(apart) * (1 if sample.scale.logarithmic else sample.scale.centre))
                if apart
                else None
            )
        step = BisectStep(
            number=number,
            sha=commit.sha,
            subject=commit.subject,
            change=change,
            changed=changed,
            left=standing.suspects.count,
            problem=problem,
        )
        self.steps.append(step)
        what = f"cannot be measured: {problem}" if problem else f"{percent_text(change)}, {_side_text(changed)}"
        self.say(f"step {number}: {commit.sha[:SHORT]} {commit.subject}: {what}; {self._left_text(standing)}")

    def _left_text(self, standing: Standing) -> str:
        likeliest, suspects = standing.likeliest, standing.suspects
        text = f"{suspects.count} of {counted(self.last, 'commit')} left"
        if likeliest.count == 1:
            text += f", {likeliest.probability * 100:.1f} % {self.span.shas[likeliest.first][:SHORT]}"
        return text

    # Answers

    def _no_change(self, followed: Followed) -> Bisection:
        sessions = self._sessions()
        return Bisection(
            outcome="unchanged" if followed.ends.verdict == "unchanged" else "undecided",
            key=followed.key,
            unit=followed.unit,
            better=followed.policy.better,
            good=self.span.good,
            bad=self.span.shas[-1],
            commits=self.last,
            suspects=(),
            confidence=0.0,
            asked=self.request.confidence,
            ends=followed.ends,
            change=None,
            steps=(),
            runs=self.runs,
            sessions=len(sessions),
            reused=sum(session.step == HISTORY for session in sessions) if followed.exact else 0,
            seconds=0.0,
            notes=(),
            explain=None,
        )

    def _answer(self, followed: Followed, sessions: Sequence[Session], sample: Sample, standing: Standing) -> Bisection:
        suspects = standing.suspects
        found = suspects.count == 1 and suspects.probability >= self.request.confidence
        levels = standing.levels
        good, bad = (levels.good, levels.bad) if levels else (0, self.last)
        before = [value for place in range(good, suspects.first) for value in sample.values.get(place, ())]
        after = [value for place in range(suspects.last, bad + 1) for value in sample.values.get(place, ())]
        return replace(
            self._no_change(followed),
            outcome="found" if found else "range",
            suspects=tuple(self._suspects(suspects, standing, sample)),
            confidence=suspects.probability,
            change=judge_sides(_by_time(before), _by_time(after), followed.policy),
            steps=tuple(self.steps),
            sessions=len(sample.readings),
            reused=sample.reused,
            notes=tuple(self._notes(followed, sessions, sample, standing)),
        )

    def _suspects(self, suspects: Suspects, standing: Standing, sample: Sample) -> Iterator[Suspect]:
        for place in range(suspects.first, suspects.last + 1):
            commit = self.span.commits[place - 1]
            yield Suspect(
                sha=commit.sha,
                subject=commit.subject,
                author=commit.author,
                authored_at=commit.authored_at,
                is_merge=commit.is_merge,
                probability=standing.probabilities[place - 1],
                sessions=sum(reading.commit == place for reading in sample.readings),
                problem=self.problems.get(place),
            )

    def _notes(
        self, followed: Followed, sessions: Sequence[Session], sample: Sample, standing: Standing
    ) -> Iterator[str]:
        if standing.suspects.probability < self.request.confidence or (
            standing.suspects.count > standing.likeliest.count and standing.next is not None
        ):
            used = counted(self._used(sessions), "step")
            yield f"{used} were not enough; --max-steps {self.request.most_steps * 2} goes on"
        for place in standing.others:
            commit = self.span.commits[place - 1]
            what = f"it is another one at {commit.sha[:SHORT]} {commit.subject}"
            yield f"the level changes more than once: {what}; this is the largest change that was seen"
        if self.problems:
            yield f"{counted(len(self.problems), 'commit')} could not be measured"
        if sample.by_cpu:
            yield "judged by CPU times: the machine was busy"
        if followed.others:
            yield f"{counted(followed.others, 'other series')} changed as well; choose one with -k"


def _next_step(sessions: Sequence[Session]) -> int:
    return max((session.step for session in sessions), default=HISTORY) + 1


def _by_time(values: Sequence[SessionValue]) -> list[SessionValue]:
    return sorted(values, key=lambda value: value.started_at)


def _side_text(changed: float | None) -> str:
    if changed is None:
        return "not judged"
    return f"changed ({changed * 100:.1f} %)" if changed >= 0.5 else f"not changed ({(1 - changed) * 100:.1f} %)"  # noqa: PLR2004


def _change(ends: Judgement) -> str:
    return percent_text(ends.change)
