"""Every command in a ``console`` block of the README and the docs is run, and must succeed.

The blocks of one page are run in order, in one fresh folder that holds the examples. Lines that begin with
``$ `` are commands; the rest of a block shows output and is not compared. Commands that need a network or
change the machine stand in ``sh`` blocks, which are not run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    path
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("examples/*/*.md"),
    ]
    if "_build" not in path.parts and BLOCK.search(path.read_text(encoding="utf-8"))
)


def commands_of(page: str) -> list[str]:
    """Return the commands of a page in order; a trailing backslash joins a command with its next line."""
    lines = "\n".join(BLOCK.findall(page)).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def environment(folder: Path) -> dict[str, str]:
    """Return the variables for a command: ours without what would change its meaning."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BENCHDB_", "PYTEST_", "COV"))}
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "NO_COLOR": "1",
    }


def test_commands_of_a_page_are_found_in_order() -> None:
    page = "```console\n$ one\noutput\n$ two \\\n    three\n```\n```sh\nfour\n```\n"

    assert commands_of(page) == ["one", "two      three"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_page_commands_all_succeed(path: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    commands = commands_of(path.read_text(encoding="utf-8"))

    assert commands != []
    for command in commands:
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, f"$ {command}\n{result.stdout}{result.stderr}"
