"""Tests for every meter."""

import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import get_args

import pytest

from pytest_benchdb.interfaces import Meter
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.reading import Domain, Reading, Scope
from pytest_benchdb.testing.provider_contract import ProviderContract, expect, timed

_READS = 20


class MeterContract(ProviderContract):
    """Inherit, define the fixture `meter`, and call the class ``Test...``.

    Attributes:
        read_limit_s: longest median wall time to read all domains. A window of two seconds has a read at both ends, so
            20 ms are 1 % of it.
    """

    read_limit_s: float = 0.02

    @pytest.fixture
    def provider(self, meter: Meter) -> Meter:
        """Return the meter, for the tests of `ProviderContract`."""
        return meter

    @pytest.fixture
    def shutdown(self) -> Callable[[], object] | None:
        """Return the function that other users of the vendor's library call to shut it down, as `nvmlShutdown`."""
        return None

    @pytest.fixture
    def domains(self, meter: Meter) -> Iterator[Sequence[Domain]]:
        """Return the meter's domains; skip without one, with the meter's reason."""
        probe = meter.probe()
        if not probe.available:
            pytest.skip(f"{meter.name}: {probe.reason}")
        domains = meter.domains()
        expect(len(domains) > 0, "the probe says that the meter is available, and there is no domain")
        yield domains
        meter.close()

    def test_domains_have_known_metrics_in_their_units(self, domains: Sequence[Domain]) -> None:
        """A domain reads a registered metric, in the unit of that metric."""
        for domain in domains:
            metric = METRICS.get(domain.metric)
            if metric is None:
                pytest.fail(f"{domain.name} reads {domain.metric!r}, which is not a metric", pytrace=False)
            expect(
                domain.unit == metric.unit,
                f"{domain.name} reads {domain.metric} in {domain.unit!r}; its unit is {metric.unit!r}",
            )
            expect(domain.kind in {"counter", "gauge"}, f"{domain.name} is a {domain.kind!r}, not a counter or gauge")
            expect(domain.scope in get_args(Scope), f"{domain.name} has the scope {domain.scope!r}")

    def test_domains_have_sound_ticks_and_ranges(self, domains: Sequence[Domain]) -> None:
        """A tick and a range are positive or unknown, and only counters wrap."""
        for domain in domains:
            expect(domain.tick_s is None or domain.tick_s > 0, f"{domain.name} has a tick of {domain.tick_s} s")
            expect(domain.range is None or domain.range > 0, f"{domain.name} wraps at {domain.range}")
            expect(domain.range is None or domain.kind == "counter", f"{domain.name} is a gauge and wraps")

    def test_domains_are_named_once(self, domains: Sequence[Domain]) -> None:
        """Domain names are unique, because readings are keyed by them, and `within` names another domain."""
        names = [domain.name for domain in domains]

        expect(all(names), f"a domain has no name: {names}")
        expect(len(set(names)) == len(names), f"two domains share a name: {names}")
        for domain in domains:
            exists = domain.within is None or (domain.within in names and domain.within != domain.name)
            expect(exists, f"{domain.name} is within {domain.within!r}, which is not another domain")

    def test_domains_stay_the_same(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """Every call returns the same domains."""
        again = meter.domains()

        expect(list(again) == list(domains), f"domains() returned {list(domains)} and then {list(again)}")

    def test_read_covers_the_domains(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """`read` returns a reading for each domain and nothing else."""
        read, wanted = set(meter.read()), {domain.name for domain in domains}

        expect(read == wanted, f"read() leaves out {sorted(wanted - read)} and adds {sorted(read - wanted)}")

    def test_read_some_reads_what_was_asked_for(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """`read_some`, if the meter has it, returns a reading for each of its arguments and nothing else."""
        read_some = getattr(meter, "read_some", None)
        if read_some is None:
            pytest.skip("this meter has no read_some")
        for domain in domains:
            read = set(read_some({domain.name}))
            expect(read == {domain.name}, f"read_some({{{domain.name!r}}}) returned {sorted(read)}")

    def test_readings_have_a_value_or_a_reason(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """A reading has a reason, or a value that is finite and not negative."""
        readings = meter.read()
        for domain in domains:
            reading = readings[domain.name]
            if reading.value is None:
                expect(bool(reading.reason), f"{domain.name} has no value and does not say why")
                continue
            expect(reading.reason is None, f"{domain.name} has a value and yet the reason {reading.reason!r}")
            sound = math.isfinite(reading.value) and reading.value >= 0
            expect(sound, f"{domain.name} reads {reading.value!r} {domain.unit}")

    def test_readings_say_when(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """A reading's time comes from `time.monotonic_ns` and is not in the future."""
        first, second = meter.read(), meter.read()
        now_ns = time.monotonic_ns()
        for domain in domains:
            before, after = first[domain.name].monotonic_ns, second[domain.name].monotonic_ns
            expect(type(after) is int, f"{domain.name} was read at {after!r}; nanoseconds are whole")
            expect(before <= after, f"{domain.name} was read at {before} and then at {after}")
            past = after <= now_ns or meter.provenance == "simulated"
            expect(past, f"{domain.name} was read at {after} ns, and time.monotonic_ns is at {now_ns}")

    def test_counters_only_rise(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """A counter decreases only when it wraps, and then it has a range."""
        reads = [meter.read() for _ in range(5)]
        for domain in domains:
            if domain.kind != "counter":
                continue
            values = [value for read in reads if (value := read[domain.name].value) is not None]
            fell = [(a, b) for a, b in pairwise(values) if b < a]
            expect(not fell or domain.range is not None, f"{domain.name} fell {fell} and has no range to wrap at")
            within = domain.range is None or max(values, default=0.0) <= domain.range
            expect(within, f"{domain.name} read {max(values, default=0.0)}, beyond its range {domain.range}")

    def test_read_works_in_a_thread(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """`read` in another thread returns the same domains."""
        answers: list[Mapping[str, Reading]] = []

        def read() -> None:
            answers.append(meter.read())

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(self.answer_limit_s)

        expect(bool(answers), f"read() gave no answer within {self.answer_limit_s:g} s in a thread, or raised")
        expect(set(answers[0]) == {domain.name for domain in domains}, "read() has other domains in a thread")

    def test_read_costs_little(
        self, meter: Meter, domains: Sequence[Domain], record_property: Callable[[str, object], None]
    ) -> None:
        """Reads are quick, because they are part of the window; their time is in the JUnit report."""
        meter.read()

        cost_s = statistics.median(timed(meter.read)[1] for _ in range(_READS))

        record_property("read_s", cost_s)
        record_property("read_domains", len(domains))
        expect(cost_s <= self.read_limit_s, f"a read took {cost_s:.6f} s, more than {self.read_limit_s:g} s")

    def test_read_works_after_close(self, meter: Meter, domains: Sequence[Domain]) -> None:
        """Closing can be repeated, and a later read opens the library again."""
        meter.close()
        meter.close()

        readings = meter.read()

        expect(set(readings) == {domain.name for domain in domains}, "read() has other domains after close()")
        unread = [name for name, reading in readings.items() if reading.value is None]
        expect(len(unread) < len(readings), f"nothing can be read after close(): {readings}")

    def test_read_works_after_another_user_shut_the_library_down(
        self, meter: Meter, domains: Sequence[Domain], shutdown: Callable[[], object] | None
    ) -> None:
        """Reads work even if another user of the library, such as torch, shuts it down."""
        if shutdown is None:
            pytest.skip("this meter's library cannot be shut down by others")
        before = {name for name, reading in meter.read().items() if reading.value is not None}
        shutdown()

        after = {name for name, reading in meter.read().items() if reading.value is not None}

        expect(bool(before), f"none of the {len(domains)} domains can be read at all")
        expect(before <= after, f"after a shutdown by others {sorted(before - after)} cannot be read any more")
