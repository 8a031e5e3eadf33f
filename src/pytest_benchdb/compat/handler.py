"""The handler of the older database, which stores into a `.duckdb` file or a folder of pytest-benchdb."""

import atexit
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_benchdb.compat.result import run_of
from pytest_benchdb.errors import BenchdbError, ConfigError
from pytest_benchdb.model.run import NOT_RUN, PASSED
from pytest_benchdb.operations.api import open_history
from pytest_benchdb.operations.exchange.output_file import write_file
from pytest_benchdb.operations.read.report import build_report
from pytest_benchdb.operations.record import Context, SessionRecorder, project_root, start_session
from pytest_benchdb.operations.select.selection import NEWEST, Selection
from pytest_benchdb.present.report.formats import report_text
from pytest_benchdb.store.journal.lines import run_lines
from pytest_benchdb.store.target import resolve

if TYPE_CHECKING:
    from typing_extensions import Self

    from pytest_benchdb.store.connection import Connection

DEFAULT_PATH = "./benchmark_db.duckdb"
_FORMATS = {"markdown": "md", "md": "md", "html": "html", "json": "json", "csv": "csv"}


class TestResultsDBHandler:
    """Stores results that a script measured, as one session that ends when it is read, closed, or with the process.

    Each result is on the disk when the call returns. As before, what cannot be stored is reported, here as a warning,
    and returns False: the tests of a script go on.

    Attributes:
        db_path: the file or folder; None if `DISABLE_DB_STORAGE` is 1.
    """

    __test__ = False  # the name is the older one's: pytest would take it for tests

    def __init__(self, db_path: str | os.PathLike[str] | None = None) -> None:
        """Open nothing yet.

        Args:
            db_path: a `.duckdb` file or a folder; None takes `BENCHMARK_DB_PATH`, else ``./benchmark_db.duckdb``.
        """
        disabled = os.environ.get("DISABLE_DB_STORAGE", "0") == "1"
        path = os.fspath(db_path or os.environ.get("BENCHMARK_DB_PATH") or DEFAULT_PATH)
        self.db_path: str | None = None if disabled else path
        self._recorder: SessionRecorder | None = None
        self._failed = False

    def is_available(self) -> bool:
        """Return whether results are stored."""
        return self.db_path is not None

    def store_test_result(self, test_result: Mapping[str, Any]) -> bool:
        """Store a result; `compat.result.run_of` says which keys it has.

        Returns:
            Whether it was stored.
        """
        if self.db_path is None:
            return False
        try:
            recorder = self._started(self.db_path)
            host = next(iter(recorder.start.devices), None)
            made = run_of(test_result, recorder.start.project, host)
            recorder.append(run_lines(made.run))
        except BenchdbError as error:
            warnings.warn(f"the result was not stored: {error}", stacklevel=2)
            return False
        self._failed = self._failed or made.run.outcome not in PASSED | NOT_RUN
        for remark in made.remarks:
            warnings.warn(remark, stacklevel=2)
        return True

    def store_performance_result(self, result: Mapping[str, Any] | None = None, **figures: Any) -> bool:
        """Store figures of a model on a kind of hardware: the keys of `performance`, beside those of a result."""
        given = {**(result or {}), **figures}
        named = {"model_name", "hardware_type", "test_type", "test_name", "test_case", "timestamp", "is_simulated"}
        whole = {name: value for name, value in given.items() if name in named}
        whole["test_type"] = given.get("test_type") or given.get("test_case") or "inference"
        inner = {name: value for name, value in given.items() if name not in whole}
        return self.store_test_result({"success": True, **whole, "performance": inner})

    def store_compatibility_result(self, result: Mapping[str, Any] | None = None, **facts: Any) -> bool:
        """Store whether a model works on some hardware: `is_compatible` or `compatibility_status`, and an error."""
        given = {**(result or {}), **facts}
        compatible = given.get("is_compatible")
        status = given.get("compatibility_status") or given.get("status")
        if isinstance(compatible, bool) and status is None:
            status = "supported" if compatible else "unsupported"
        return self.store_test_result({"test_type": "compatibility", **given, "status": status})

    def store_power_metrics(self, result: Mapping[str, Any] | None = None, **figures: Any) -> bool:
        """Store power and temperature of a model on a kind of hardware: the keys of `power_metrics`."""
        given = {**(result or {}), **figures}
        return self.store_test_result({"success": True, "test_type": "power", **given, "power_metrics": given})

    def generate_report(self, format: str = "markdown", output_file: str | os.PathLike[str] | None = None) -> str:  # noqa: A002
        """Return a report of the newest sessions, and write it to a file if one is named.

        Args:
            format: ``markdown``, ``html``, ``json`` or ``csv``.
            output_file: the file to write.

        Raises:
            ConfigError: there is no such format, or the file cannot be written.
            MissingExtraError: the format needs a package that is not installed.
            StoreError: there are no results, or they cannot be read.
        """
        name = _FORMATS.get(str(format).lower())
        if name is None:
            raise ConfigError(f"format {format!r} is unknown; write one of {', '.join(_FORMATS)}")
        text = report_text(build_report(Selection(paths=(self._readable(),), last=NEWEST)), name)
        if output_file is not None:
            write_file(Path(output_file), [text.encode("utf-8", "backslashreplace")])
        return text

    def get_test_results(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest results: rows of the view `test_results`."""
        return self.query("SELECT * FROM test_results ORDER BY test_date DESC")[:limit]

    def get_performance_results(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest figures: rows of the view `performance_results`."""
        return self.query("SELECT * FROM performance_results ORDER BY created_at DESC")[:limit]

    def get_compatibility_matrix(self) -> list[dict[str, Any]]:
        """Return which model works on which hardware: rows of the view `hardware_compatibility`."""
        return self.query("SELECT * FROM hardware_compatibility")

    def get_power_metrics(self) -> list[dict[str, Any]]:
        """Return rows of the view `power_metrics`."""
        return self.query("SELECT * FROM power_metrics")

    def get_models(self) -> list[dict[str, Any]]:
        """Return rows of the view `models`."""
        return self.query("SELECT * FROM models ORDER BY model_name")

    def get_hardware_platforms(self) -> list[dict[str, Any]]:
        """Return rows of the view `hardware_platforms`."""
        return self.query("SELECT * FROM hardware_platforms ORDER BY hardware_type, device_name")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return the answer to one SELECT as dictionaries.

        Raises:
            QueryError: the statement was refused or failed.
            StoreError: there are no results, or they cannot be read.
        """
        with open_history(self._readable()) as history:
            return history.sql(sql, rows=None).to_pylist()

    @property
    def con(self) -> "Connection":
        """A DuckDB connection to an up-to-date copy of the results, read-only; close it yourself."""
        with open_history(self._readable()) as history:
            return history.connection()

    def close(self) -> None:
        """End the session; a later result begins another. Closing again does nothing."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        atexit.unregister(self.close)
        result = recorder.finish(
            outcome="failed" if self._failed else "passed", exit_status=None, complete=True, row_limit=0
        )
        self._failed = False
        message = recorder.problem or (result.message if result is not None else None)
        if message is not None:
            warnings.warn(message, stacklevel=2)

    def __enter__(self) -> "Self":
        """Return the handler."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _readable(self) -> Path:
        self.close()
        if self.db_path is None:
            raise ConfigError("DISABLE_DB_STORAGE is 1, so there is no database")
        return Path(self.db_path)

    def _started(self, path: str) -> SessionRecorder:
        if self._recorder is None:
            target = resolve(path, Path.cwd())
            context = Context(
                root=project_root(Path.cwd()),
                environ=os.environ,
                argv=["python", *sys.argv],
                project=None,
                label=None,
                tags={},
                note=None,
                suite={},
                unmeasured={},
                kind="api",
            )
            self._recorder = SessionRecorder(start_session(context), target)
            atexit.register(self.close)
        return self._recorder
