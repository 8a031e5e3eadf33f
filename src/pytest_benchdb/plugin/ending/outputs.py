"""Writes the files that ``--benchdb-report`` and ``--benchdb-json`` name, once the session is stored.

Their content is read back from the database, so that it matches `benchdb report`. DuckDB is loaded into pytest's
process here, and only here: after the last test, and only if such a file is requested.

PYTEST_DONT_REWRITE
"""

import dataclasses
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pytest_benchdb.errors import BenchdbError
from pytest_benchdb.plugin.settings import Settings
from pytest_benchdb.store.fold_process import FoldResult

ShowPath = Callable[[Path], str]
Writer = Callable[[Path], str]
"""Writes one file and returns the line that reports it."""


class Outputs(NamedTuple):
    """The files that were written, and those that were not.

    Attributes:
        notes: one line for each file written, or one for all if there were no results.
        trouble: one line for each file that could not be written.
    """

    notes: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()


def write_outputs(
    settings: Settings, session_id: str, result: FoldResult | None, folder: Path, show: ShowPath
) -> Outputs:
    """Write the files that the settings name; report failures instead of raising.

    Args:
        settings: of this run.
        session_id: the session to write.
        result: the result of its fold; None if nothing was recorded.
        folder: where pytest was started; relative names start there.
        show: returns a path as the user should see it.
    """
    files = [*settings.reports, *([settings.json_path] if settings.json_path else [])]
    if not files:
        return Outputs()
    names = ", ".join(files)
    if result is None:
        return Outputs(notes=(f"not written, because there are no results: {names}",))
    if result.status == "failed":
        return Outputs(trouble=(f"not written, because the session is not in the database yet: {names}",))
    writers = [(name, _report_writer(result.path, session_id, folder, show)) for name in settings.reports]
    if settings.json_path:
        writers.append((settings.json_path, _json_writer(result.path, session_id, show)))
    notes: list[str] = []
    trouble: list[str] = []
    # The suite's warning filters are for the suite: with `error`, a library's deprecation would lose the files.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, write in writers:
            _write(name, write, folder, notes, trouble)
    return Outputs(notes=tuple(notes), trouble=tuple(trouble))


def _write(name: str, write: Writer, folder: Path, notes: list[str], trouble: list[str]) -> None:
    from pytest_benchdb.operations.select.spec.syntax import home_path

    try:
        notes.append(write(folder / home_path(name)))
    except BenchdbError as error:
        trouble.append(str(error))
    except Exception as error:  # noqa: BLE001 - a file beside the results must not cost the run its exit status
        trouble.append(f"{name} was not written: {type(error).__name__}: {' '.join(str(error).split())}")


def _report_writer(source: Path, session_id: str, folder: Path, show: ShowPath) -> Writer:
    def write(path: Path) -> str:
        from pytest_benchdb.operations.exchange.output_file import write_file
        from pytest_benchdb.operations.history.pictures import build_illustrated
        from pytest_benchdb.operations.history.trend import TrendRequest
        from pytest_benchdb.operations.select.selection import Selection
        from pytest_benchdb.present.report.formats import format_of, report_text

        selection = Selection(paths=(source,), specs=(f"session:{session_id}",))
        shown = build_illustrated(selection, TrendRequest(root=folder, environ=os.environ))
        report = dataclasses.replace(shown.report, sources=(show(source),))
        text = report_text(report, format_of(path.name) or "md", pictures=shown.pictures)
        write_file(path, [text.encode("utf-8", "backslashreplace")])
        return f"report written to {show(path)}"

    return write


def _json_writer(source: Path, session_id: str, show: ShowPath) -> Writer:
    def write(path: Path) -> str:
        from pytest_benchdb.model.wording import counted
        from pytest_benchdb.operations.export.results import export_pytest_benchmark

        done = export_pytest_benchmark(source, session_id, path)
        number = sum(done.left_out.values())
        left_out = f", without {number} that did not pass or have no valid rounds" if number else ""
        return f"pytest-benchmark's JSON written to {show(path)}: {counted(done.runs, 'run')}{left_out}"

    return write
