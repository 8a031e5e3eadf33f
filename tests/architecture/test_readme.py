"""The README keeps its promises: its main command works from a clean clone, and its links lead somewhere.

Its test command is what `.ci/run` begins with, in a clean checkout.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_relative_links_lead_to_files(name: str) -> None:
    targets = LINK.findall((ROOT / name).read_text(encoding="utf-8"))

    assert [target for target in targets if not (ROOT / target).exists()] == []


def command(name: str) -> str:
    """Return the one line of the README that follows the marker of that name."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    match = re.search(rf"<!-- command:{name} -->\n```sh\n([^\n]+)\n```\n", readme)
    assert match is not None, f"the README has no command line that is marked {name}"
    return match[1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so there is nothing to clone")
    folder = tmp_path / "clone"
    safe = ["-c", f"safe.directory={ROOT}", "-c", f"safe.directory={ROOT / '.git'}"]
    subprocess.run(["git", *safe, "clone", "--quiet", str(ROOT), str(folder)], check=True, capture_output=True)
    return folder


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    ours = ("BENCHDB_", "PYTEST_", "COV", "VIRTUAL_ENV", "PYTHONPATH")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.long
def test_main_command_records_and_reports_the_example_suite(clone: Path) -> None:
    result = run(command("main"), clone)

    assert result.returncode == 0, result.stdout + result.stderr
    assert list((clone / ".benchdb").glob("*.duckdb")) != []
    report = result.stdout.rpartition(" passed in ")[2]
    assert "test_json_dumps" in report
    assert "test_forward_batch" in report
