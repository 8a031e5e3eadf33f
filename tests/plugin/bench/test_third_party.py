"""The example package, installed as users install it, adds a backend, a meter and an environment probe."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.plugin.recorded import Record, Recorded

EXAMPLE = Path(__file__).parents[3] / "examples" / "third_party"
VECTOR = 256
KERNEL_S = 4 * VECTOR * 10e-9
"""The toy's clock: four cycles of 10 ns for each number."""
KERNEL_J = 20.0 * KERNEL_S


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example into a folder of its own, without a network."""
    for needed in ("hatchling", "pip"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed, which the example is built with")
    folder = tmp_path_factory.mktemp("site")
    offline = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--no-cache-dir"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(folder), str(EXAMPLE)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert [path.name for path in folder.glob("*.dist-info")] == ["benchdb_example_probe-0.1.0.dist-info"]
    return folder


@pytest.fixture
def with_example(record: Record, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    )
    return record


def values(recorded: Recorded, test: str) -> dict[tuple[str | None, str], tuple[Any, str]]:
    rows = recorded.sql(
        "SELECT m.phase, m.metric, m.value, m.provenance FROM measurement m JOIN run USING (run_id)"
        f" JOIN benchmark b ON b.benchmark_id = run.benchmark_id WHERE b.name = '{test}' AND m.value IS NOT NULL"
    )
    return {(phase, metric): (value, provenance) for phase, metric, value, provenance in rows}


@pytest.mark.long
def test_example_package_records_its_own_suite(with_example: Record) -> None:
    suite = (EXAMPLE / "tests" / "test_dot.py").read_text(encoding="utf-8")

    recorded = with_example(suite, "--benchdb-passes=time,energy")

    recorded.result.assert_outcomes(passed=2)
    dot = values(recorded, "test_dot")
    assert dot[None, "device_time"] == (pytest.approx(KERNEL_S), "simulated")
    assert dot[None, "energy"] == (pytest.approx(KERNEL_J, rel=0.05), "simulated")
    assert dot[None, "wall_time"][1] == "simulated"
    phases = values(recorded, "test_phases")
    assert phases["compute", "device_time"] == (pytest.approx(KERNEL_S), "simulated")
    assert phases["load", "device_time"][0] == 0
    assert recorded.sql("SELECT DISTINCT backend, name, uuid, driver FROM device JOIN run USING (device_id)") == [
        ("example", "Toy accelerator", "EXAMPLE-0", "toy-1.0")
    ]


@pytest.mark.long
def test_example_package_tells_its_environment(with_example: Record) -> None:
    recorded = with_example("def test_a(bench_example):\n    bench_example.pedantic(len, ['abc'])\n")

    assert recorded.one("SELECT details->>'$.suite.example_firmware' FROM environment") == ("toy-1.0",)


@pytest.mark.long
def test_example_backend_is_one_of_the_selected_devices(with_example: Record) -> None:
    suite = "def test_a(bench_each):\n    bench_each.pedantic(len, ['abc'])\n"

    recorded = with_example(suite, "--benchdb-backends=cpu,example")

    recorded.result.assert_outcomes(passed=2)
    assert set(recorded.sql("SELECT backend FROM run JOIN device USING (device_id)")) == {("cpu",), ("example",)}


@pytest.mark.long
def test_example_out_of_memory_is_recorded_as_oom(with_example: Record) -> None:
    suite = """
        def test_large(bench_example):
            bench_example.pedantic(bench_example.device.allocate, [1 << 30])

        def test_small(bench_example):
            bench_example.pedantic(len, ["abc"])
    """

    recorded = with_example(suite)

    assert recorded.outcomes() == {"test_large": "oom", "test_small": "passed"}


def test_fixture_of_a_package_that_is_not_installed_is_unknown(record: Record) -> None:
    recorded = record("def test_a(bench_example):\n    bench_example(len, 'abc')\n")

    recorded.result.assert_outcomes(errors=1)
    assert "fixture 'bench_example' not found" in recorded.text
