"""A backend with two devices, of which one is current, that captures graphs and shows ranges."""

import pytest
from tests.plugin.recorded import Record

CONFTEST = """
import contextlib
import time

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.reading import Domain, Probe, Reading

current = [0]
ranges = []
heat_s = [0.0]


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


class TwinMeter:
    name = "twin_meter"
    provenance = "measured"
    covers = "device"

    def probe(self):
        return Probe(available=True)

    def domains(self):
        about = {"scope": "device", "device_uuid": "TWIN-0"}
        return [
            Domain(name="TWIN-0/clock_sm", metric="clock_frequency", unit="Hz", kind="gauge", **about),
            Domain(name="TWIN-0/throttle_thermal", metric="throttle_time", unit="s", kind="counter", **about),
        ]

    def read(self):
        now_ns = time.monotonic_ns()
        return {"TWIN-0/clock_sm": Reading(1.98e9, now_ns), "TWIN-0/throttle_thermal": Reading(heat_s[0], now_ns)}

    def close(self):
        pass


def pytest_benchdb_backends():
    return [TwinBackend()]


def pytest_benchdb_meters():
    return [TwinMeter()]
"""
SUITE = """
import time

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


def test_hot(bench_twin):
    def work():
        begun = time.monotonic()
        while time.monotonic() < begun + 0.002:
            pass
        conftest.heat_s[0] += time.monotonic() - begun

    bench_twin.pedantic(work, rounds=3)


def test_ranges(bench_twin):
    with bench_twin.phase("decode"), bench_twin.phase("attention"):
        pass
    assert conftest.ranges == ["decode", "decode/attention", "end of decode/attention", "end of decode"]
"""


def test_abilities_of_a_device_reach_the_tests(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)

    recorded = record(SUITE, "--benchdb-backends=twin:0,twin:1", "-p", "no:randomly")

    recorded.result.assert_outcomes(passed=6, skipped=2)
    assert recorded.sql("SELECT outcome, reason FROM run WHERE outcome <> 'passed' ORDER BY reason") == [
        ("unsupported", "bench_cpu has no graphs"),
        ("unsupported", "twin:1 has no graphs"),
    ]
    assert recorded.sql(
        "SELECT uuid FROM run JOIN benchmark USING (benchmark_id) JOIN device USING (device_id)"
        " WHERE benchmark.name LIKE 'test_current%' ORDER BY uuid"
    ) == [("TWIN-0",), ("TWIN-1",)]
    conditions = (
        "SELECT metric, value, valid, measurement.reason FROM measurement JOIN run USING (run_id)"
        " JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id WHERE benchmark.name = '{}'"
        " AND metric IN ('clock_frequency', 'throttle_time', 'wall_time') ORDER BY metric"
    )
    clock, throttled, wall = recorded.sql(conditions.format("test_hot"))
    assert clock == ("clock_frequency", 1.98e9, True, None)
    assert throttled == ("throttle_time", throttled[1], True, None)
    assert throttled[1] >= 3 * 0.002
    assert (wall[0], wall[2]) == ("wall_time", False)
    assert wall[3].startswith("the device was slowed down for heat for ")
    graphs = (
        "SELECT fullname FROM report JOIN measurement USING (run_id) "
        "WHERE metric = 'wall_time' AND (details->>'graph') = 'true'"
    )
    assert recorded.sql(graphs) == [("test_suite.py::test_graph[twin:0]",)]
    unread = recorded.sql(conditions.format("test_current[twin:1]"))[0]
    assert unread[:3] == ("clock_frequency", None, False)
    assert "NVML" in unread[3] or "pynvml" in unread[3]
