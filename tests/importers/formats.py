"""Read the small files of `data` with the importer that detects them, and find figures in what it made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_benchdb.importers import importers
from pytest_benchdb.importers.reading.files import head_of
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

DATA = Path(__file__).parent / "data"
BUILT_IN = {importer.name: importer for importer in importers()}


def sessions_of(name: str, path: str | Path) -> list[ImportedSession]:
    """Return the sessions of a file, which has no problem and is detected as the format `name`."""
    file = DATA / name / path
    detected = next((each.name for each in importers() if each.can_read(file, head_of(file, 65_536))), None)
    assert detected == name, f"{path} is detected as {detected}"
    read = list(BUILT_IN[name].read(file))
    assert not [item for item in read if isinstance(item, ImportProblem)]
    return [item for item in read if isinstance(item, ImportedSession)]


def runs_of(name: str, path: str | Path) -> list[ImportedRun]:
    return [run for session in sessions_of(name, path) for run in session.runs]


def figures_of(run: ImportedRun) -> dict[str, Measurement]:
    return {row.metric: row for row in run.measurements}


def changed(name: str, path: str, folder: Path, change: Callable[[Any], object]) -> Path:
    """Write a copy of a JSON file after a change to it."""
    document = json.loads((DATA / name / path).read_text())
    change(document)
    copy = folder / Path(path).name
    copy.write_text(json.dumps(document))
    return copy
