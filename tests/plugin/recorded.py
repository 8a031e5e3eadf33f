"""A pytest run that recorded, and what can be asked of it; `conftest.py` has the fixture that makes it."""

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
                "SELECT b.fullname, s.samples FROM samples s JOIN run r USING (run_id)"
                " JOIN benchmark b USING (benchmark_id) WHERE s.metric = 'wall_time'"
            )
        )


Record = Callable[..., Recorded]
BenchmarkJson = Callable[..., dict[str, Any]]
