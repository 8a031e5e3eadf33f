"""A backend with two devices, of which one is current, that captures graphs and shows ranges."""

import pytest
from tests.plugin.recorded import Record

CONFTEST = """
import contextlib

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.reading import Probe

current = [0]
ranges = []


class Twin(BlockingDevice):
    @contextlib.contextmanager
    def current(self):
        before, current[0] = current[0], self.handle
        yield
        current[0] = before

    def capture(self, function):
        if self.handle == 1:
            raise BackendUnavailableError("twin:1 has no graphs")
        result = function()
        return lambda: result

    def begin_range(self, name):
        ranges.append(name)
        return name

    def end_range(self, begun):
        ranges.append("end of " + begun)


class TwinBackend:
    name = "twin"
    provenance = "measured"

    def probe(self):
        return Probe(available=True)

    def devices(self):
        return [Device(device_id=content_id("twin", i), backend="twin", name="Twin", uuid=f"TWIN-{i}") for i in (0, 1)]

    def open(self, device):
        return Twin(device, int(device.uuid[-1]))


def pytest_benchdb_backends():
    return [TwinBackend()]
"""
SUITE = """
import conftest


def test_current(bench_each):
    assert conftest.current == [bench_each.device]
    bench_each.pedantic(len, ["abc"])


def test_after():
    assert conftest.current == [0]


def test_graph(bench_each):
    calls = []
    replay = bench_each.graph(calls.append, 1)
    bench_each.pedantic(replay, rounds=3)
    assert calls == [1]


def test_graph_on_the_host(bench_cpu):
    bench_cpu.graph(len, "abc")


def test_ranges(bench_twin):
    with bench_twin.phase("decode"), bench_twin.phase("attention"):
        pass
    assert conftest.ranges == ["decode", "decode/attention", "end of decode/attention", "end of decode"]
"""


def test_abilities_of_a_device_reach_the_tests(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)

    recorded = record(SUITE, "--benchdb-backends=twin:0,twin:1", "-p", "no:randomly")

    recorded.result.assert_outcomes(passed=5, skipped=2)
    assert recorded.sql("SELECT outcome, reason FROM run WHERE outcome <> 'passed' ORDER BY reason") == [
        ("unsupported", "bench_cpu has no graphs"),
        ("unsupported", "twin:1 has no graphs"),
    ]
    assert recorded.sql(
        "SELECT uuid FROM run JOIN benchmark USING (benchmark_id) JOIN device USING (device_id)"
        " WHERE benchmark.name LIKE 'test_current%' ORDER BY uuid"
    ) == [("TWIN-0",), ("TWIN-1",)]
