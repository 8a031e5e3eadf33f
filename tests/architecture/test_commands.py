"""Every command in a ``console`` block of the README and the docs is run, and must succeed.

The blocks of one page are run in order, in one fresh folder that holds the examples. Lines that begin with
``$ `` are commands; the rest of a block shows output and is not compared. Commands that need a network or
change the machine stand in ``sh`` blocks, which are not run. A ``python`` block that begins with an import
is a program, and is run as well. All pages but the README are run with the long checks.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^```(?:console\n(?P<console>.*?)|python\n(?P<program>(?:import|from) .*?))^```", re.MULTILINE | re.DOTALL
)
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs").rglob("*.md"),
    *ROOT.glob("examples/*/*.md"),
]
PAGES = sorted(
    path for path in DOCUMENTS if "_build" not in path.parts and BLOCK.search(path.read_text(encoding="utf-8"))
)


def marks_of(path: Path) -> list[pytest.MarkDecorator]:
    marks = [] if path == ROOT / "README.md" else [pytest.mark.long]
    if re.search(r"^\$ benchdb count", path.read_text(encoding="utf-8"), re.MULTILINE) and not shutil.which("valgrind"):
        marks.append(pytest.mark.skip(reason="valgrind is not installed, which counts instructions"))
    return marks


def commands_of(page: str) -> list[list[str]]:
    """Return the commands of a page in order; a trailing backslash joins a command with its next line."""
    commands = []
    for block in BLOCK.finditer(page):
        if block["program"]:
            commands.append([sys.executable, "-c", block["program"]])
        else:
            lines = block["console"].replace("\\\n", " ").splitlines()
            commands += [["bash", "-c", line.removeprefix("$ ")] for line in lines if line.startswith("$ ")]
    return commands


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
    page = (
        "```console\n$ one\noutput\n$ two \\\n three\n```\n"
        "```sh\nfour\n```\n"
        "```python\nimport five\n```\n"
        "```python\nsix()\n```\n"
    )

    assert [command[-1] for command in commands_of(page)] == ["one", "two   three", "import five\n"]


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=marks_of(path), id=path.relative_to(ROOT).as_posix()) for path in PAGES]
)
def test_page_commands_all_succeed(path: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    commands = commands_of(path.read_text(encoding="utf-8"))

    assert commands != []
    for command in commands:
        result = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, f"$ {command[-1]}\n{result.stdout}{result.stderr}"
