"""pytest starts with this plugin in every project that has it: what is not asked for is not imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "click",
    "duckdb",
    "aiohttp",
    "jinja2",
    "memray",
    "numpy",
    "onnxruntime",
    "openvino",
    "pandas",
    "playwright",
    "psutil",
    "pyarrow",
    "pynvml",
    "rich",
    "torch",
}

REPORT_MODULES = """
import json, sys
roots = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
print("MODULES", json.dumps(roots))
"""
IMPORT_PLUGIN = f"""
import sys, pytest, pluggy
before = set(sys.modules)
import pytest_benchdb.plugin
{REPORT_MODULES}
"""
RUN_PYTEST = f"""
import sys, pytest
before = set()
pytest.main(["-q", "-p", "pytest_benchdb.plugin", *sys.argv[1:]])
{REPORT_MODULES}
"""
SHOW_HELP = """
import json, sys
sys.argv = ["benchdb", "--help"]
from pytest_benchdb.cli.main import main
try:
    main()
finally:
    print("MODULES", json.dumps(sorted(name for name in sys.modules if name.startswith("pytest_benchdb"))))
"""
MOST_FOR_HELP = 14
"""Our modules for `benchdb --help`: with those of all commands it would take ten times as long."""
IMPORT_COMMANDS = f"""
import sys
before = set()
import pytest_benchdb.cli.main
{REPORT_MODULES}
"""


def modules_after(code: str, *arguments: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Run Python code in a fresh process and return the top-level modules that it loaded."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    line = next(line for line in result.stdout.splitlines() if line.startswith("MODULES "))
    return set(json.loads(line.removeprefix("MODULES ")))


def suite(folder: Path) -> None:
    (folder / "test_suite.py").write_text(
        "import pytest\n\n\n@pytest.mark.benchdb\ndef test_one():\n    assert sum(range(10)) == 45\n"
    )


def test_plugin_import_loads_only_the_standard_library_and_pytest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = modules_after(IMPORT_PLUGIN, folder=tmp_path, monkeypatch=monkeypatch)

    third_party = loaded - set(sys.stdlib_module_names) - {"pytest", "_pytest", "pluggy", "pytest_benchdb"}
    assert "pytest_benchdb" in loaded
    assert third_party == set()


def test_session_without_recording_loads_nothing_heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite(tmp_path)

    loaded = modules_after(RUN_PYTEST, folder=tmp_path, monkeypatch=monkeypatch)

    assert "pytest_benchdb" in loaded
    assert loaded & HEAVY == set()


def test_session_that_records_never_loads_duckdb_into_pytest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite(tmp_path)

    loaded = modules_after(RUN_PYTEST, "--benchdb=results", folder=tmp_path, monkeypatch=monkeypatch)

    assert list((tmp_path / "results").glob("*.duckdb")) != []
    assert loaded & {"duckdb", "numpy", "pandas", "pyarrow"} == set()


def test_help_of_the_program_loads_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = modules_after(SHOW_HELP, folder=tmp_path, monkeypatch=monkeypatch)

    rooms = ("decide", "history", "read", "upkeep")
    assert [name for name in loaded for room in rooms if name.startswith(f"pytest_benchdb.cli.{room}")] == []
    assert "pytest_benchdb.cli.main" in loaded
    assert len(loaded) <= MOST_FOR_HELP


def test_commands_import_loads_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = modules_after(IMPORT_COMMANDS, folder=tmp_path, monkeypatch=monkeypatch)

    assert loaded & {"duckdb", "rich", "numpy", "pandas", "pyarrow", "pytest"} == set()
