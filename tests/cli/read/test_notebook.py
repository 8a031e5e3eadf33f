"""The example notebook: its cells run in order, on recorded sessions, as in a fresh kernel."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[3] / "examples" / "notebook" / "explore.ipynb"


def cells() -> list[str]:
    """Return the code of the notebook's cells."""
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]


def test_notebook_has_no_outputs() -> None:
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))

    assert len(cells()) > 10
    assert all(cell.get("outputs", []) == [] for cell in document["cells"])


def test_cells_run_in_a_fresh_process(
    new_session: Callable[..., Any], new_run: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("pandas")
    for number in range(3):
        runs = [new_run(f"test_a.py::test_x[{n}]", params={"n": n}) for n in (1, 2)]
        new_session(tmp_path / ".benchdb", runs=runs, at=number)

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(cells())], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("[(3,)]\n")
