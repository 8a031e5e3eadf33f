"""The layers of the design, as import-linter's contracts in pyproject.toml state them."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="it needs a newer rich than the oldest that we support")

ROOT = Path(__file__).parents[2]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def test_contracts_on_the_source_are_kept() -> None:
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_contracts_on_an_upward_import_are_broken(tmp_path: Path) -> None:
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(contracts, encoding="utf-8")
    package = tmp_path / "pytest_benchdb"
    for source in (ROOT / "src" / "pytest_benchdb").rglob("*.py"):
        copy = package / source.relative_to(ROOT / "src" / "pytest_benchdb")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    with (package / "model" / "run.py").open("a", encoding="utf-8") as module:
        module.write("\nimport pytest_benchdb.store\n")

    result = lint(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "Layers: imports only go down BROKEN" in result.stdout
