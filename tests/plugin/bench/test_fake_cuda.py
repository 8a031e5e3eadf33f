"""`bench_cuda` from the fixture to the database, with a fake torch and a fake driver of two GPUs."""

from pathlib import Path

import pytest
from tests.plugin.recorded import Record

ROOT = Path(__file__).parents[3]
CONFTEST = f"""
import sys

sys.path.insert(0, {str(ROOT)!r})
from tests.backends import fake_torch
from tests.backends.meters import fake_nvml

UUIDS = ["11111111-0c1e-4a8f-9d0b-2f6f3a1b5c7d", "22222222-0c1e-4a8f-9d0b-2f6f3a1b5c7d"]
torch = fake_torch.cuda(*(fake_torch.Gpu(uuid=uuid) for uuid in UUIDS))
# The driver's order is not CUDA's.
cards = [fake_nvml.Gpu(f"GPU-{{uuid}}", clock_mhz=clock) for uuid, clock in zip(UUIDS, (1980, 1755))]
driver = fake_nvml.FakeNvml(*reversed(cards))
sys.modules["torch"] = torch
sys.modules["pynvml"] = driver.module
"""
SUITE = """
import conftest


def test_each(bench_each):
    torch = conftest.torch
    assert torch.module.current == bench_each.device.index
    values = torch.ones(8, device=bench_each.device)
    bench_each.pedantic(values.__add__, args=(values,), rounds=5, warmup_rounds=2)
    torch.gpus[bench_each.device.index].retries += 1


def test_after():
    assert conftest.torch.module.current == 0


def test_cold(bench_cuda):
    values = conftest.torch.ones(8, device=bench_cuda.device)
    bench_cuda.options(cache_mode="cold", rounds=3, iterations=1, warmup_rounds=1)(values.__add__, values)


def test_graph(bench_cuda):
    values = conftest.torch.ones(8, device=bench_cuda.device)
    bench_cuda.pedantic(bench_cuda.graph(values.__add__, values), rounds=3)


def test_phases(bench_cuda):
    with bench_cuda.phase("load"):
        pass
    assert conftest.torch.module.nvtx.closed == ["load"]
"""


def test_cuda_records_each_device_with_its_own_clock(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)

    recorded = record(SUITE, "--benchdb-backends=cuda:0,cuda:1", "-p", "no:randomly")

    recorded.result.assert_outcomes(passed=6)
    rows = recorded.sql(
        "SELECT benchmark.name, uuid[5:8], metric, value FROM measurement JOIN run USING (run_id)"
        " JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id JOIN device ON device.device_id = run.device_id"
        " WHERE metric IN ('clock_frequency', 'allocator_retries', 'device_peak', 'device_time') AND valid"
    )
    found = {(test, uuid, metric): value for test, uuid, metric, value in rows}
    assert found["test_each[cuda:0]", "1111", "clock_frequency"] == 1.98e9
    assert found["test_each[cuda:1]", "2222", "clock_frequency"] == 1.755e9
    assert found["test_each[cuda:1]", "2222", "device_time"] == pytest.approx(2e-6)
    assert found["test_each[cuda:1]", "2222", "allocator_retries"] == 0
    assert found["test_cold", "1111", "device_peak"] < 4096  # without the buffer that is flushed
    cold = "SELECT name FROM run JOIN benchmark USING (benchmark_id) WHERE cache_mode = 'cold'"
    assert recorded.sql(cold) == [("test_cold",)]
