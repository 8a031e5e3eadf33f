"""The example suite, run and recorded in a real Chromium."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_benchdb.backends.web.browser import Host

ROOT = Path(__file__).parents[3]
QUERY = """
SELECT benchmark.name, device.backend, device.name, median(samples.value), count(*)
FROM run JOIN benchmark USING (benchmark_id) JOIN device USING (device_id),
  (SELECT run_id, unnest(samples) AS value FROM samples WHERE metric = 'wall_time') AS samples
WHERE samples.run_id = run.run_id
GROUP BY ALL
"""


@pytest.mark.long
def test_example_suite_records_times_of_the_page(chromium: Host, tmp_path: Path) -> None:
    import duckdb

    command = [sys.executable, "-m", "pytest", str(ROOT / "examples" / "web"), f"--benchdb={tmp_path / 'results'}"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}

    result = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr
    (file,) = (tmp_path / "results").glob("*.duckdb")
    with duckdb.connect(str(file), read_only=True) as store:
        rows = {name: rest for name, *rest in store.execute(QUERY).fetchall()}
    assert {name: row[0] for name, row in rows.items()} == {
        "test_saxpy_in_javascript": "wasm",
        "test_saxpy_in_wasm": "wasm",
        "test_saxpy_on_webgpu": "webgpu",
        "test_round_trip_to_the_page": "wasm",
    }
    assert [row[3] for name, row in rows.items() if "saxpy" in name] == [20, 20, 20]
    # 65,536 products take longer than 1 us anywhere, and in the page less than the way to it and back.
    assert 1e-6 < rows["test_saxpy_in_wasm"][2] < rows["test_round_trip_to_the_page"][2]
