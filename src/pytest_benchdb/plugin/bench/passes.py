"""What is measured besides times: memory, energy, counters and series, in passes of calls and around other work.

PYTEST_DONT_REWRITE
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import BenchdbError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Attachment, Measurement
from pytest_benchdb.plugin.recording.attempt import OnceWithin
from pytest_benchdb.plugin.recording.counting import counter_of, run_of
from pytest_benchdb.registry import Registry

if TYPE_CHECKING:
    from pytest_benchdb.measure.energy.conditions import Conditions
    from pytest_benchdb.measure.energy.sensors import Sensors
    from pytest_benchdb.measure.energy.window import EnergyPlan
    from pytest_benchdb.measure.process.block_usage import BlockProbe
    from pytest_benchdb.measure.sampler.sampler import Sampler
    from pytest_benchdb.measure.work import Metered, WorkMeters
    from pytest_benchdb.model.profile import Profile


PROFILE, ALLOCATIONS = "profile", "allocations"
SERIES_S = 1.0
"""Time for which the series pass repeats rounds."""
_METRIC_OF = {
    "memory": "python_peak",
    "memray": "native_peak",
    "energy": "energy",
    "counters": "instructions",
    "instructions": "instructions",
    "series": "rss",
    "profile": "bytecodes",
}
"""The metric whose row states the reason if a pass fails."""
BESIDE_WORKERS = "other xdist workers use the device meanwhile; run without -n"
"""Why there is no energy under xdist: a counter covers the whole device, and cannot separate its processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTarget:
    """The timed function that a pass runs again.

    Attributes:
        call: runs one round and waits for the device.
        once: makes one call and returns its result.
        once_within: makes one call inside a block, without what goes before and after it.
        opened: the device.
        iterations: calls in one round.
        round_s: median time of one round.
        phase: named part of the run; None means the whole run.
        provenance: of the device's values.
        items: items that one call handles; None if not known.
        is_cold: whether the device's caches are emptied before each round.
    """

    call: Callable[[], object]
    once: Callable[[], object]
    once_within: OnceWithin
    opened: OpenDevice
    iterations: int
    round_s: float
    phase: str | None
    provenance: Provenance
    items: float | None = None
    is_cold: bool = False


class Passes:
    """The passes of one process; samplers and sensors start when first needed.

    Attributes:
        names: the selected passes, in order.
        counter: counts the instructions of functions; None if that was not selected.
    """

    def __init__(self, names: Sequence[str], registry: Registry, *, alone: bool) -> None:
        """Select passes by name, in order; `alone` means that no other xdist worker runs beside this process."""
        self.names = tuple(names)
        self.counter = counter_of(names)
        self._alone = alone
        self._registry = registry
        self._sensors: Sensors | None = None
        self._samplers: dict[str | None, Sampler] = {}
        self._meters: WorkMeters | None = None
        self._files: ProfileFiles | None = None

    @property
    def has_any(self) -> bool:
        """Whether a pass was selected."""
        return bool(self.names)

    @property
    def no_energy(self) -> str | None:
        """Why energy must not be measured in this process; None if it may."""
        return None if self._alone else BESIDE_WORKERS

    def prepare(self, device: Device | None, provenance: Provenance = "measured") -> None:
        """Measure the idle power of a device before its first benchmark; None for the host.

        It takes about two seconds, once per device, and nothing unless energy was asked for.
        """
        if "energy" not in self.names or not self._alone:
            return
        from pytest_benchdb.measure.energy.energy_pass import prepare

        with contextlib.suppress(Exception):  # the energy of the first benchmark has the reason
            prepare(self.sensors(), _energy_plan(device, provenance))

    def make(self, target: PassTarget) -> "Metered":
        """Run every selected pass of one function; a failed one only gives its reason."""
        from pytest_benchdb.measure.work import Metered

        results = [self._run(name, target) for name in self.names]
        return Metered(
            measurements=tuple(row for result in results for row in result.measurements),
            series=tuple(series for result in results for series in result.series),
            attachments=tuple(file for result in results for file in result.attachments),
        ).of_phase(target.phase)

    def meters(self, probe: "BlockProbe") -> "WorkMeters":
        """Return the meters of work that cannot be repeated; `probe` is the process's own."""
        if self._meters is None:
            from pytest_benchdb.measure.work import WorkMeters

            self._meters = WorkMeters(
                self.names,
                probe=probe,
                sensors=self.sensors,
                sampler=self._sampler,
                conditions=self.conditions,
                no_energy=self.no_energy,
            )
        return self._meters

    def sensors(self) -> "Sensors":
        """Return the energy meters of the session, found by the first call."""
        if self._sensors is None:
            from pytest_benchdb.backends.meters import meters
            from pytest_benchdb.measure.energy.sensors import Sensors

            self._sensors = Sensors(self._registry.meters(meters()), unavailable=self._registry.meters_left_out)
        return self._sensors

    def conditions(self, opened: OpenDevice, provenance: Provenance) -> "Conditions | None":
        """Return what reads the clock of a device around its timing; None for devices that no meter can find."""
        uuid = opened.device.uuid
        if uuid is None or provenance == "simulated":
            return None
        from pytest_benchdb.measure.energy.conditions import Conditions

        sensors = self.sensors()
        panel = sensors.panel(uuid, provenance)
        reasons = sensors.absences(uuid, "clock") or ("no meter reads the clock of this device",)
        return Conditions(panel, clock_ns=opened.clock_ns, absent="; ".join(reasons))

    def profiled(self, once_within: OnceWithin) -> "Metered":
        """Return the profile of a function, as figures and as files; a failure only gives its reason.

        Args:
            once_within: calls the function once inside a block.
        """
        from pytest_benchdb.measure.profiling.profile_pass import profile_calls, profile_rows
        from pytest_benchdb.measure.work import Metered

        try:
            profile = profile_calls(once_within, folder=Path.cwd())
        except Exception as error:  # noqa: BLE001 - from the function
            why = f"the {PROFILE} pass ended with {type(error).__name__}: {error}"
            return Metered(measurements=profile_rows(None, why))
        return self.metered_of(profile)

    def allocated(self, once_within: OnceWithin) -> "Metered":
        """Return the allocations of a function as files, with memray too if its pass was selected.

        Args:
            once_within: calls the function once inside a block.
        """
        from pytest_benchdb.measure.profiling.allocations_pass import native_allocations, python_allocations
        from pytest_benchdb.measure.work import Metered
        from pytest_benchdb.model.allocations import ALLOCATIONS_NAMES, Allocations, allocations_json

        self._files = self._files or ProfileFiles()
        trace = {"python_peak": python_allocations, "native_peak": native_allocations}
        texts = {}
        for metric in trace if "memray" in self.names else ("python_peak",):
            try:
                found = trace[metric](once_within, folder=Path.cwd())
            except Exception as error:  # noqa: BLE001 - from the function, or why it has none
                why = str(error) if isinstance(error, BenchdbError) else f"{type(error).__name__}: {error}"
                found = Allocations(metric=metric, method="", reason=why)
            texts[ALLOCATIONS_NAMES[metric]] = allocations_json(found)
        return Metered(attachments=self._files.files(texts))

    def again(self, once_within: OnceWithin) -> "Metered":
        """Return what the passes gave that another plugin's fixture can make: profile and allocations."""
        from pytest_benchdb.measure.work import Metered

        made = Metered()
        if PROFILE in self.names:
            made = self.profiled(once_within)
        return made.with_profile(self.allocated(once_within)) if ALLOCATIONS in self.names else made

    def metered_of(self, profile: "Profile") -> "Metered":
        """Return the figures and files of a profile."""
        from pytest_benchdb.measure.profiling.profile_pass import profile_rows
        from pytest_benchdb.measure.work import Metered

        self._files = self._files or ProfileFiles()
        return Metered(measurements=profile_rows(profile), attachments=self._files.written(profile))

    def close(self) -> None:
        """Stop the samplers, close the meters, and remove the files that were attached."""
        if self._files is not None:
            self._files.close()
            self._files = None
        for sampler in self._samplers.values():
            sampler.close()
        self._samplers.clear()
        if self._sensors is not None:
            self._sensors.close()
            self._sensors = None

    def _run(self, name: str, target: PassTarget) -> "Metered":
        from pytest_benchdb.measure.work import Metered

        if target.provenance == "simulated" and name != "energy":
            return Metered()  # this host's memory and sensors are not the simulated device's
        try:
            result: Metered = getattr(self, f"_{name}")(target)
        except Exception as error:  # noqa: BLE001 - from the function, or from a library that a meter uses
            why = f"the {name} pass ended with {type(error).__name__}: {error}"
            pass_name = "memory" if name == "memray" else name
            return Metered(measurements=(Measurement.of(_METRIC_OF[name], pass_name=pass_name, reason=why),))
        return result

    def _memory(self, target: PassTarget) -> "Metered":
        from pytest_benchdb.measure.process.memory_pass import DEFAULT_METRIC_NAMES

        return self._memory_of(target, DEFAULT_METRIC_NAMES)

    def _memray(self, target: PassTarget) -> "Metered":
        return self._memory_of(target, ("native_peak",))

    def _memory_of(self, target: PassTarget, metrics: Sequence[str]) -> "Metered":
        from pytest_benchdb.measure.process.block_usage import BlockProbe
        from pytest_benchdb.measure.process.memory_pass import measure_memory
        from pytest_benchdb.measure.work import Metered

        own = None if self._meters is not None else BlockProbe()
        probe = own or self._meters.probe  # type: ignore[union-attr]
        try:
            return Metered(measurements=measure_memory(target.once, probe=probe, metrics=metrics))
        finally:
            if own is not None:
                own.close()

    def _counters(self, target: PassTarget) -> "Metered":
        from pytest_benchdb.backends.meters import perf_events
        from pytest_benchdb.measure.process.counters_pass import count_events
        from pytest_benchdb.measure.timing.running_loop import host
        from pytest_benchdb.measure.work import Metered

        if host() is not None:
            why = "the function runs in the test's event loop, and counters are read in another thread"
            return Metered(measurements=(Measurement.of("instructions", pass_name="counters", reason=why),))
        return Metered(measurements=count_events(target.call, perf_events, iterations=target.iterations))

    def _instructions(self, target: PassTarget) -> "Metered":
        from pytest_benchdb.measure.work import Metered

        if self.counter is None or "counters" in self.names:  # that pass has them
            return Metered()
        return Metered(measurements=self.counter.rows(run_of(target.once, (), {})))

    def _profile(self, target: PassTarget) -> "Metered":
        return self.profiled(target.once_within)

    def _allocations(self, target: PassTarget) -> "Metered":
        return self.allocated(target.once_within)

    def _series(self, target: PassTarget) -> "Metered":
        from pytest_benchdb.measure.sampler.series_pass import record_series
        from pytest_benchdb.measure.work import Metered

        series, summaries = record_series(
            target.call, self._sampler(target.opened), min_duration_s=SERIES_S, clock=time.monotonic
        )
        return Metered(measurements=summaries, series=series)

    def _sampler(self, opened: OpenDevice | None) -> "Sampler":
        from pytest_benchdb.measure.sampler.sampler import Sampler, watched

        device = None if opened is None or opened.device.is_host else opened.device
        key = None if device is None else device.device_id
        if key not in self._samplers:
            self._samplers[key] = Sampler(devices=watched(device))
        return self._samplers[key]

    def _energy(self, target: PassTarget) -> "Metered":
        from dataclasses import replace

        from pytest_benchdb.measure.energy.energy_pass import measure_energy
        from pytest_benchdb.measure.energy.energy_rows import energy_per, unmeasured
        from pytest_benchdb.measure.work import Metered

        if not self._alone:
            return Metered(measurements=(unmeasured(BESIDE_WORKERS),))
        plan = replace(
            _energy_plan(target.opened.device, target.provenance),
            rounds_hint_s=target.round_s,
            iterations=target.iterations,
        )
        rows = measure_energy(target.call, self.sensors(), plan)
        if target.items is not None:
            calls = plan.iterations * float((rows[0].details or {}).get("rounds_in_window") or 0)  # type: ignore[arg-type]
            rows = (*rows, energy_per(rows[0], "energy_per_sample", target.items * calls))
        if target.is_cold:
            why = "it includes the energy of emptying the caches before each call"
            rows = tuple(
                row if row.value is None or row.metric == "idle_power" else replace(row, valid=False, reason=why)
                for row in rows
            )
        return Metered(measurements=rows)


class ProfileFiles:
    """The files of profiles, until the store has copied them."""

    def __init__(self) -> None:
        """Make the folder."""
        import tempfile

        self._folder = tempfile.TemporaryDirectory(prefix="benchdb-profile-", ignore_cleanup_errors=True)

    def written(self, profile: "Profile") -> tuple[Attachment, ...]:
        """Write a profile in our own format and in those of other tools, and return the files."""
        from pytest_benchdb.model.profile import PROFILE_NAME, profile_json
        from pytest_benchdb.operations.explain.files import texts_of

        texts = {f"profile.{ending}": text for ending, text in texts_of(profile, "benchmark").items()}
        return self.files({PROFILE_NAME: profile_json(profile), **texts})

    def files(self, texts: Mapping[str, str]) -> tuple[Attachment, ...]:
        """Write texts by the names that they are to have, and return the files."""
        return tuple(self._attachment(name, text) for name, text in texts.items())

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()

    def _attachment(self, name: str, text: str) -> Attachment:
        path = Path(self._folder.name, f"{uuid7()}-{name}")
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        return Attachment(path=str(path), name=name)


def _energy_plan(device: Device | None, provenance: Provenance) -> "EnergyPlan":
    from pytest_benchdb.measure.energy.window import EnergyPlan

    is_host = device is None or device.is_host
    return EnergyPlan(
        rounds_hint_s=0.0,
        device_uuid=None if device is None or is_host else device.uuid,
        on_host=is_host,
        provenance=provenance,
    )
