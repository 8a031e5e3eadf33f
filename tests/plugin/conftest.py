"""Runs pytest on small suites, in a process of its own, and reads what was recorded with plain DuckDB."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

FAST = ("--benchmark-max-time=0.005", "--benchmark-min-rounds=3", "--benchmark-calibration-precision=1")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A pytest run and the folder that it recorded into."""

    result: pytest.RunResult
    folder: Path

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.duckdb") if path.name != "history.duckdb")

    @property
    def text(self) -> str:
        return str(self.result.stdout) + str(self.result.stderr)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        (file,) = self.files
        with duckdb.connect(str(file), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def one(self, query: str) -> tuple[Any, ...]:
        (row,) = self.sql(query)
        return row

    def outcomes(self) -> dict[str, str]:
        rows = self.sql("SELECT name, outcome FROM run JOIN benchmark USING (benchmark_id) ORDER BY run_id")
        return dict(rows)

    def samples(self) -> dict[str, list[float]]:
        """The valid rounds by benchmark."""
        return dict(
            self.sql(
                "SELECT b.fullname, s.samples FROM samples s JOIN run r USING (run_id) JOIN benchmark b USING (benchmark_id)"
                " WHERE s.metric = 'wall_time'"
            )
        )


Record = Callable[..., Recorded]


@pytest.fixture
def record(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Return a function that writes a suite and runs pytest on it with ``--benchdb=results``."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path.parent / "cache"))
    for name in ("CI", "GITHUB_ACTIONS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)

    def run(
        suite: str | None = None, *args: str, fast: bool = True, path: str = "results", timeout: float = 120
    ) -> Recorded:
        if suite is not None:
            pytester.makepyfile(test_suite=suite)
        options = [*(FAST if fast else ()), f"--benchdb={path}", *args]
        return Recorded(pytester.runpytest_subprocess(*options, timeout=timeout), pytester.path / path)

    return run


@pytest.fixture
def benchmark_json(pytester: pytest.Pytester) -> Callable[[], dict[str, Any]]:
    """Return a function that reads what pytest-benchmark itself wrote, by full name."""

    def read(name: str = "own.json") -> dict[str, Any]:
        content = json.loads((pytester.path / name).read_text())
        return {entry["fullname"]: entry for entry in content["benchmarks"]}

    return read
