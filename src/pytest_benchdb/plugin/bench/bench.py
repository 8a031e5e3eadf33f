"""The object that every ``bench_*`` fixture returns: it times code on a device, and keeps what else the test measures.

PYTEST_DONT_REWRITE
"""

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.interfaces import CapturesGraphs, OpenDevice
from pytest_benchdb.measure.timing.calls import calls_of
from pytest_benchdb.measure.timing.phases import Phase, PhaseRecorder
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Rounds, Timed
from pytest_benchdb.measure.timing.running_loop import beside, loop_is_running, within
from pytest_benchdb.measure.timing.tracers import untraced
from pytest_benchdb.measure.training import Steps
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Attachment, Measurement, Request, Timing
from pytest_benchdb.model.value.number import number, plain_options, shown
from pytest_benchdb.plugin.bench.passes import Passes
from pytest_benchdb.plugin.bench.streams import StreamMethods
from pytest_benchdb.plugin.bench.sweep import Sweep, skip_point
from pytest_benchdb.plugin.bench.timing import Arguments, Replay, TimingSpec, call_once, count_function, timing_rows
from pytest_benchdb.plugin.bench.values import MetricBook, RecordedValues
from pytest_benchdb.plugin.bench.work import BenchMeters, usage_rows_of
from pytest_benchdb.plugin.recording.attempt import Attempt
from pytest_benchdb.plugin.recording.identity import id_of_params
from pytest_benchdb.registry import open_for_rank

if TYPE_CHECKING:
    from pytest_benchdb.measure.distributed.run import Distributed
    from pytest_benchdb.measure.work import Metered


def _unavailable(reason: str) -> NoReturn:
    raise BackendUnavailableError(reason)


class Bench(StreamMethods):
    """Times code on one device.

    Attributes:
        backend: name of the device's backend.
        device: the device as its library represents it: a `torch.device`, a provider's name, a page.
        extra_info: stored with the run, as JSON values.
        result_count: number of results that the benchmarked code returned, for comparisons to check.
        attachments: files stored with the run; `attach` adds one.
        on_unsupported: ends a test that needs what its device lacks, with the reason.
    """

    _for_another = "parametrize the test"  # what to do to time something else

    def __init__(
        self,
        opened: OpenDevice,
        attempt: Attempt | None,
        *,
        test: str,
        provenance: Provenance = "measured",
        passes: Passes | None = None,
        book: MetricBook | None = None,
    ) -> None:
        """Create the object of one test; tests get it from a fixture.

        Args:
            opened: the device.
            attempt: the attempt at the test, which reads the usage of the timed block; None if nothing is recorded:
                functions are then called once.
            test: the test's node id, for messages.
            provenance: of the backend's values.
            passes: passes to make after timing.
            book: units of the session's metrics.
        """
        self.backend = opened.device.backend
        self.device = opened.handle
        self.extra_info: dict[Any, Any] = {}
        self.result_count: int | None = None
        self.attachments: list[Attachment] = []
        self.opened = opened
        self.provenance = provenance
        self.on_unsupported: Callable[[str], NoReturn] = _unavailable
        self._attempt = attempt
        self._test = test
        self._passes = passes
        self._plan = Plan()
        self._meters = BenchMeters(passes, opened, provenance)
        self._phases = PhaseRecorder(
            opened, provenance=provenance, test=test, meters_of=lambda path: self._meters.phase(path, self._attempt)
        )
        self._timed: Timed | None = None
        self._used: dict[str | None, str] = {}
        self._cut: str | None = None
        self._rows: list[Measurement] = []
        self._series: list[Series] = []
        self._requests: list[Request] = []
        self._loops: list[Steps] = []
        self._book = book or MetricBook()
        self._values = RecordedValues(self._book)
        self._sweeps: list[Sweep] = []
        self._point_ids: set[str] = set()
        self._point: str | None = None

    def __call__(
        self,
        function: Callable[..., Any],
        *args: Any,
        items: float | None = None,
        bytes: float | None = None,  # noqa: A002 - the word that people know
        flops: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Time `function(*args, **kwargs)` in calibrated rounds and return the result of one more call.

        Args:
            function: the function to time; an `async def` function is awaited. In an asynchronous test, await the
                call: ``await bench(fetch)``.
            args: its arguments.
            items: items that one call handles, for `throughput`.
            bytes: bytes that one call handles, for `bytes_per_second`.
            flops: floating-point operations of one call, for `flops_per_second`.
            kwargs: its keyword arguments; use `functools.partial` for the three names above.

        Raises:
            MeasurementError: the test or phase has timed something already, or an amount of work is not above 0.
        """
        amounts = {"items": items, "bytes": bytes, "flops": flops}
        work = {name: self._amount(name, amount) for name, amount in amounts.items()}
        return self._time(function, args, kwargs, TimingSpec(plan=self._plan, work=work))

    def pedantic(  # noqa: PLR0913, PLR0917 - pytest-benchmark's signature
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> Any:
        """Time a function in a fixed number of rounds, as pytest-benchmark's `pedantic` does.

        `setup` runs before each round and may return its ``(args, kwargs)``; `teardown` gets them after the round.

        Raises:
            MeasurementError: there is a `setup` and `iterations` is not 1, or a number makes no sense.
        """
        if setup is not None and iterations != 1:
            raise self._mistake(f"setup runs once a round, so iterations={iterations} would time old arguments; use 1")
        plan = self._changed(rounds=rounds, warmup_rounds=warmup_rounds, iterations=iterations)
        current = Arguments(tuple(args), dict(kwargs or {}), setup)
        before = None if setup is None else current.renew
        after = None if teardown is None else lambda: teardown(*current.args, **current.kwargs)
        spec = TimingSpec(plan=plan, before=before, after=after)
        if setup is None:
            return self._time(target, current.args, current.kwargs, spec)
        return self._time(lambda: target(*current.args, **current.kwargs), (), {}, spec)

    def options(self, **options: Any) -> "Bench":
        """Set fields of `measure.timing.plan.Plan` for the rounds to come; return the object itself.

        Raises:
            MeasurementError: an option is unknown or makes no sense.
        """
        self._plan = self._changed(**options)
        return self

    def graph(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[], Any]:
        """Capture the device's work of `function(*args, **kwargs)` and return a function that replays it.

        ``bench(bench.graph(step, batch))`` times the work without the host that launches it. The function is called
        four times; the result of a replay is that of the last call, and changes in place. On a device without graphs
        the test is skipped.

        Raises:
            MeasurementError: the work cannot be captured.
        """
        if not isinstance(self.opened, CapturesGraphs):
            self.on_unsupported(f"bench_{self.backend} has no graphs")
        try:
            return Replay(self.opened.capture(lambda: function(*args, **kwargs)))
        except BackendUnavailableError as error:
            self.on_unsupported(str(error))
        except MeasurementError as error:
            raise self._mistake(str(error)) from error

    def phase(self, name: str) -> Phase:
        """Return a context manager that measures its block as a separate phase.

        Raises:
            MeasurementError: the name is empty.
        """
        return self._phases.phase(name)

    def record(self, metric: str, value: Any, unit: str | None = None, better: str | None = None) -> None:
        """Store a value, or an iterable of samples, of a metric; further calls add to its samples.

        Args:
            metric: a built-in metric, or a name of the suite's own.
            value: in `unit`.
            unit: SI unit; built-in metrics have one already.
            better: ``lower``, ``higher`` or ``none``.

        Raises:
            MeasurementError: the value is not finite, is negative for a metric that cannot be, or has a different unit
                than before.
        """
        try:
            self._values.add(metric, value, unit=unit, better=better, phase=self._phases.current)
        except MeasurementError as error:
            raise self._mistake(str(error)) from error

    def attach(self, path: "str | os.PathLike[str]", name: str | None = None) -> None:
        """Store a copy of a file with the run, such as a profile or a trace.

        Raises:
            MeasurementError: there is no such file.
        """
        file = Path(path).resolve()
        if not file.is_file():
            raise self._mistake(f"no file {file} to attach")
        self.attachments.append(Attachment(path=str(file), name=name or file.name))

    def sweep(self, **values: Iterable[Any]) -> Sweep:
        """Return the points of all combinations of parameters, to iterate over; each is a run of its own.

        Args:
            values: the values of each parameter: ``batch_size=[1, 8]``.

        Raises:
            MeasurementError: a parameter has no values, two points would have the same name, or this is a point of
                another sweep.
        """
        if self._point is not None:
            raise self._mistake("a sweep inside a point of another; give both parameters to one sweep")
        try:
            sweep = Sweep(values, begin=self._at, names=self._point_ids, test=self._test)
        except MeasurementError as error:
            raise self._mistake(str(error)) from error
        self._sweeps.append(sweep)
        return sweep

    def steps(self, n: int, *, warmup: int = 0, samples_per_step: float | None = None) -> Steps:
        """Return a training loop of `n` steps to iterate over.

        Args:
            n: number of steps, including the first and the warm-up.
            warmup: steps after the first that are discarded.
            samples_per_step: samples that one step handles, for `throughput`.

        Raises:
            MeasurementError: a number is out of range.
        """
        phase = self._claim("a training loop")
        loop = Steps(
            n,
            device=self.opened,
            warmup=warmup,
            samples_per_step=samples_per_step,
            provenance=self.provenance,
            phase=phase,
            test=self._test,
            meters=self._meters.block("training steps", self._attempt, phase),
        )
        self._loops.append(loop)
        return loop

    def distributed(self, function: Callable[..., object], *args: object, **options: Any) -> "Distributed":
        """Run `function(rank, *args)` on worlds of several ranks, each rank in a separate process.

        Args:
            function: defined at the top level of its module; times its steps with ``rank.steps(n)``.
            args: JSON values.
            options: fields of `measure.distributed.run.RankPlan`: ``world_sizes``, ``backend``, ``method``, ...

        Raises:
            MeasurementError: the plan cannot be carried out, or a rank failed; then its world stores nothing.
            BackendUnavailableError: torch is not installed.
        """
        from pytest_benchdb.measure.distributed.run import RankPlan, run_distributed

        self._claim("ranks")
        if self.backend != "cpu":
            opener = f"{open_for_rank.__module__}:{open_for_rank.__name__}"  # each rank imports it
            options = {"opener": opener, "opener_argument": self.backend, **options}
        try:
            about = {"provenance": self.provenance, **self._meters.of_ranks(self._attempt)}
            plan = RankPlan(**{**about, **plain_options(options)})
        except TypeError as error:
            raise self._mistake(str(error)) from error
        if self._attempt is None:
            plan = replace(plan, world_sizes=(1,))
        result = run_distributed(function, plan=plan, args=args, test=self._test)
        self._rows += result.measurements
        self._series += result.series
        failure = result.error(self._test)
        if failure is not None:
            raise failure
        return result

    def mistakes(self) -> list[str]:
        """Return the test's mistakes that show only at its end."""
        for loop in self._loops:
            loop.leave()
        errors = [
            self._phases.error(),
            *(loop.error() for loop in self._loops),
            *(sweep.error() for sweep in self._sweeps),
        ]
        return [str(error) for error in errors if error is not None]

    def timing(self) -> Timing:
        """Return everything that was measured."""
        phases = self._meters.of_phases(self._used)
        rows = [
            *self._rows,
            # A function timed within a phase gives the phase's time, so the clock around the phase is left out.
            *map(self._meters.marked, self._phases.measurements(without=self._used)),
            *(row for metered in phases for row in metered.measurements),
            *(row for loop in self._loops for row in loop.measurements()),
            *self._values.measurements(self.provenance),
        ]
        if not rows and not self._requests:
            return Timing.missing(self._cut or f"bench_{self.backend} was not used", self.provenance)
        timing = Timing(
            measurements=tuple(rows),
            timer="time.perf_counter_ns",
            invalid=self._cut,
            provenance=self.provenance,
            result_count=self.result_count,
            series=(
                *self._series,
                *(series for metered in phases for series in metered.series),
                *(series for loop in self._loops for series in loop.metered().series),
            ),
            requests=tuple(self._requests),
        )
        timed = self._timed
        if timed is None:
            return timing
        return replace(
            timing,
            iterations=timed.iterations,
            rounds=len(timed.wall_ns),
            warmup_rounds=timed.warmup_rounds,
            calls=timed.iterations * len(timed.wall_ns),
            sync_mode=timed.sync_mode,
            cache_mode=timed.cache_mode,
        )

    def is_unused(self) -> bool:
        """Return whether nothing was measured, outside the points of a sweep."""
        return not (self._used or self._phases.names or self._values or self._cut)

    @contextlib.contextmanager
    def _at(self, params: Mapping[str, Any]) -> Iterator[None]:
        """Make the block a run of its own: meanwhile this object has the state of a new one."""
        if self._point is not None:
            raise self._mistake(f"a point inside the point {self._point}; leave that first")
        point = id_of_params(params)
        own = Bench(
            self.opened,
            None,
            test=f"{self._test}, point {point}",
            provenance=self.provenance,
            passes=self._passes,
            book=self._book,
        )
        own._plan, own._point = self._plan, point
        test = self._attempt
        attempt = None if test is None else test.point(params, bench=own)
        own._attempt = attempt
        own.on_unsupported = functools.partial(skip_point, attempt)
        if test is not None and attempt is not None:
            test.begin_point(attempt)
        states, error = vars(self).copy(), None
        vars(self).update(vars(own))
        try:
            yield
            if mistakes := self.mistakes():
                raise MeasurementError("\n".join(mistakes))  # noqa: TRY301 - it is an error of the point
            if attempt is not None and attempt.time_budget is not None:
                attempt.time_budget.check(self.timing())
        except BaseException as raised:
            error = raised
            raise
        finally:
            vars(own).update({name: vars(self)[name] for name in vars(own)})
            vars(self).update(states)
            if test is not None and attempt is not None:
                test.finish_point(attempt, error)

    def _time(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], spec: TimingSpec
    ) -> Any:
        if loop_is_running() and inspect.iscoroutinefunction(function):
            return beside(lambda: self._time(function, args, kwargs, spec))
        phase = self._claim("a function")
        if self._attempt is None:
            result = call_once(function, args, kwargs, spec)
            self.opened.synchronize()
            return result
        counter = None if self._passes is None or self.provenance == "simulated" else self._passes.counter
        if counter is not None and counter.instead_of_time:
            self._cut = "the benchmarked function raised"
            result, counts = count_function(counter, function, args, kwargs, spec)
            self._cut = None
            self._rows += (replace(row, phase=phase) for row in counts)
            return result
        spec = replace(spec, is_graph=isinstance(function, Replay))
        self._cut = "the benchmarked function raised"
        self._meters.disturb(self._attempt)
        has_passes = self._passes is not None and self._passes.has_any
        with calls_of(function, args, kwargs) as calls:
            conditions = None if self._passes is None else self._passes.conditions(self.opened, self.provenance)
            rounds = Rounds(
                calls,
                self.opened,
                spec.plan,
                before=spec.before,
                after=spec.after,
                may_keep=not has_passes,
                is_steady=None if conditions is None else conditions.is_steady,
            )
            block = self._attempt.block if phase is None else self._attempt.block.another()
            with untraced():
                timed = rounds.run(within(block if conditions is None else conditions.around(block)))
            if phase is None:
                self._timed = timed
            else:
                self._rows += usage_rows_of(block, phase)
            rows = timing_rows(timed, spec, phase=phase, provenance=self.provenance, notes=calls.notes)
            self._rows += rows if conditions is None else conditions.added_to(rows, phase)
            self._cut = None
            with untraced():
                self._keep(self._meters.repeat(rounds, timed, phase, items=spec.work.get("items")))
            return rounds.take_result()

    def _keep(self, metered: "Metered") -> None:
        self._rows += metered.measurements
        self._series += metered.series
        self.attachments += metered.attachments

    def _claim(self, what: str) -> str | None:
        """Return the current phase; each can time only one thing, so that rows stay distinguishable."""
        phase = self._phases.current
        if phase in self._used:
            place = "" if phase is None else f" in phase {phase!r}"
            raise self._mistake(
                f"bench_{self.backend} timed {self._used[phase]}{place} before and now gets {what}; "
                f"{self._for_another}, or use a phase for each"
            )
        self._used[phase] = what
        return phase

    def _amount(self, name: str, value: Any) -> float | None:
        if value is None:
            return None
        with contextlib.suppress(ValueError):
            if 0 < (amount := number(value)) < float("inf"):
                return amount
        raise self._mistake(f"{name}={shown(value)}; give the amount that one call handles, above 0")

    def _of(self, row: Measurement) -> Provenance:
        return row.provenance if self.provenance == "measured" else self.provenance

    def _changed(self, **options: Any) -> Plan:
        try:
            return self._plan.changed(**plain_options(options))
        except MeasurementError as error:
            raise self._mistake(str(error)) from error

    def _mistake(self, text: str) -> MeasurementError:
        return MeasurementError(f"{self._test}: {text}")
