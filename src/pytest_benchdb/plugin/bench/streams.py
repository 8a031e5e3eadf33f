"""The methods of `Bench` that send token streams, beside those in `bench`.

PYTEST_DONT_REWRITE
"""

import warnings
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.errors import ConfigError, MeasurementError
from pytest_benchdb.measure.timing.tracers import untraced
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.number import plain_options
from pytest_benchdb.model.run import Measurement, Request
from pytest_benchdb.plugin.bench.work import BenchMeters
from pytest_benchdb.plugin.recording.attempt import Attempt

if TYPE_CHECKING:
    from pytest_benchdb.measure.stream import Source, StreamResult
    from pytest_benchdb.measure.work import Metered


class StreamMethods:
    """Sends token streams; `Bench` has the rest of what is declared here."""

    _attempt: Attempt | None
    _test: str
    _cut: str | None
    _meters: BenchMeters
    _requests: list[Request]

    @abstractmethod
    def _claim(self, what: str) -> str | None: ...

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
            raise self._mistake(str(error)) from error
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
