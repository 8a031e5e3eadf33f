"""The methods of `Bench` that send token streams, beside those in `bench`.

PYTEST_DONT_REWRITE
"""

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.errors import ConfigError, MeasurementError
from pytest_benchdb.measure.timing.tracers import untraced
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement, Request
from pytest_benchdb.model.value.number import plain_options
from pytest_benchdb.plugin.bench.work import BenchMeters
from pytest_benchdb.plugin.recording.attempt import Attempt

if TYPE_CHECKING:
    from pytest_benchdb.measure.stream import Source, StreamResult
    from pytest_benchdb.measure.stream.sweep import StreamSweep
    from pytest_benchdb.measure.work import Metered


class StreamMethods:
    """Sends token streams; `Bench` has the rest of what is declared here."""

    _attempt: Attempt | None
    _test: str
    _cut: str | None
    _meters: BenchMeters
    _requests: list[Request]
    _rows: list[Measurement]

    @abstractmethod
    def _claim(self, what: str) -> str | None: ...

    @abstractmethod
    def _at(self, params: Mapping[str, Any]) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _mistake(self, text: str) -> MeasurementError: ...

    @abstractmethod
    def _of(self, row: Measurement) -> Provenance: ...

    @abstractmethod
    def _keep(self, metered: "Metered") -> None: ...

    def stream(self, source: "Source", **options: Any) -> "StreamResult":
        """Send requests whose answers are token streams, and store their events and metrics.

        Args:
            source: a function that returns a generator of chunks, an `Endpoint`, or its URL.
            options: fields of `measure.stream.StreamPlan`: ``concurrency``, ``rate``, ``requests``, ``slo``, ...;
                ``warmup`` is short for ``warmup_requests``.

        Raises:
            MeasurementError: no request was answered whole, an option cannot be used, or the test or phase has timed
                something already.
            MissingExtraError: the source is a URL and aiohttp is not installed.
        """
        from pytest_benchdb.measure.stream import StreamPlan, run_stream
        from pytest_benchdb.plugin.bench.work import stream_meters

        __tracebackhide__ = True
        if "warmup" in options:
            options["warmup_requests"] = options.pop("warmup")
        phase = self._claim("a stream")
        try:
            plan = StreamPlan(**plain_options(options))
            if self._attempt is None:
                plan = replace(plan, requests=1, duration_s=None, warmup_requests=0)
            meters = self._meters.block("streams", self._attempt, phase)
            with untraced():
                result = run_stream(source, plan, around=meters)
        except (ConfigError, TypeError) as error:
            raise self._mistake(str(error).replace("StreamPlan.__init__()", "stream()")) from None
        except MeasurementError as error:
            self._cut = str(error)
            raise MeasurementError(self._cut) from None  # without the frames of the thread that sent
        rows = (replace(row, provenance=self._of(row)) for row in result.measurements)
        self._keep(stream_meters(meters, result.requests, rows).of_phase(phase))
        self._requests += (replace(request, phase=phase) for request in result.requests)
        if result.saturated is not None:
            warnings.warn(f"{self._test}: {result.saturated}", pytest.PytestWarning, stacklevel=2)
        if (nothing := result.nothing) is not None:
            self._cut = nothing
            raise MeasurementError(nothing)
        return result

    def stream_sweep(
        self,
        source: "Source",
        *,
        concurrency: Iterable[int] | None = None,
        rate: Iterable[float] | None = None,
        stop: bool = True,
        **options: Any,
    ) -> "StreamSweep":
        """Send streams with more and more load until the server is saturated; each level is a run of its own.

        Args:
            source: as for `stream`.
            concurrency: ascending levels of a closed loop; without these and rates 1, 2, 4, ... 256.
            rate: ascending levels of an open loop, arrivals per second.
            stop: whether to leave out the levels after the first one that saturates the server.
            options: as for `stream`; without ``requests`` and ``duration_s``, a level lasts 10 s.

        Raises:
            MeasurementError: as for `stream`, or the levels cannot be used.
            MissingExtraError: as for `stream`.
        """
        from pytest_benchdb.measure.stream.sweep import LEVEL_S, levels_of, sweep_levels

        __tracebackhide__ = True
        self._claim("a sweep of streams")
        try:
            axis, loads = levels_of(concurrency, rate, requests=options.get("requests"))
        except (ConfigError, TypeError) as error:
            raise self._mistake(str(error)) from error
        if self._attempt is None:
            loads = loads[:1]
        if not options.keys() & {"requests", "duration_s"}:
            options["duration_s"] = LEVEL_S

        def measure(load: float) -> "StreamResult":
            with self._at({axis: load}):
                return self.stream(source, **{**options, axis: load})

        try:
            found = sweep_levels(axis, loads, measure, stop=stop)
        except MeasurementError as error:
            raise error.with_traceback(None) from None  # the frames between are ours
        self._rows += (replace(row, provenance=self._of(row)) for row in found.measurements())
        return found
