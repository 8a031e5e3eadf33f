"""Exports of AIPerf and GenAI-Perf."""

from pathlib import Path
from typing import Any

import pytest
from tests.importers.formats import BUILT_IN, changed, figures_of, runs_of, sessions_of

from pytest_benchdb.errors import ImportFormatError

NAME = "aiperf"


def test_export_is_a_run_with_the_units_of_the_file_converted() -> None:
    (session,) = sessions_of(NAME, "profile_export_aiperf.json")
    (run,) = session.runs
    rows = figures_of(run)

    assert (session.tool, session.tool_version, session.started_unix_us) == ("aiperf", "0.8.0", 1_769_868_000_250_000)
    assert run.fullname.startswith("aiperf profile[model=example/small-1b-endpoint=chat-streaming=true-concurrency=4")
    summary = rows["ttft"].summary
    assert summary is not None
    assert (summary.n, summary.mean, summary.stddev) == (30, 0.055, 0.011)
    assert (summary.p90, summary.p95, summary.p99) == pytest.approx((0.066, 0.0715, 0.0825))
    assert rows["tpot"].summary is not None
    assert rows["itl"].summary is not None
    assert (rows["tpot"].summary.mean, rows["itl"].summary.mean) == (0.012, 0.0125)
    assert (rows["requests_per_second"].value, rows["tokens_per_second"].value) == (3.0, 150.0)
    assert run.device is not None
    assert (run.device.backend, run.device.name, run.device.uuid) == ("cuda", "Example GPU 80GB", "GPU-1")
    assert rows["energy"].value == 4000.0  # 0.004 MJ
    assert rows["power"].summary is not None
    assert rows["power"].summary.mean == 400.0
    assert rows["device_used"].summary is not None
    assert rows["device_used"].summary.mean == 20e9


def test_export_with_errors_has_failed() -> None:
    (run,) = runs_of(NAME, "errors_aiperf.json")

    assert (run.outcome, run.reason) == ("failed", "3 of 33 requests failed")


def test_export_of_genai_perf_has_no_time() -> None:
    (session,) = sessions_of(NAME, "profile_export_genai_perf.json")

    assert (session.tool, session.started_unix_us) == ("genai-perf", None)
    assert session.runs[0].params == {
        "model": "example/small-1b",
        "endpoint": "chat",
        "streaming": True,
        "concurrency": 2,
    }


def test_unit_of_another_quantity_is_refused_in_one_line(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["request_latency"]["unit"] = "MB"

    path = changed(NAME, "profile_export_aiperf.json", tmp_path, change)

    with pytest.raises(ImportFormatError, match="e2e_latency is in 'MB'; it is stored in 's'"):
        list(BUILT_IN[NAME].read(path))
