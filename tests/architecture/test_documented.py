"""What users can type or meet has its place in docs/reference; the lists come from the code itself."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from pytest_benchdb import errors, hookspecs
from pytest_benchdb.cli.main import cli
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.plugin.bench.bench import Bench

ROOT = Path(__file__).parents[2]
SQL = ROOT / "src" / "pytest_benchdb" / "store" / "sql"


@cache
def page(name: str) -> str:
    return (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")


def error_classes(base: type[errors.BenchdbError]) -> Iterator[type[errors.BenchdbError]]:
    yield base
    for child in base.__subclasses__():
        yield from error_classes(child)


def command_lines(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from command_lines(child, f"{path} {name}")


ERRORS = sorted(set(error_classes(errors.BenchdbError)), key=lambda error: error.slug)
COMMANDS = dict(command_lines(cli, "benchdb"))
HOOKS = [name for name in vars(hookspecs) if name.startswith("pytest_benchdb_")]


def relations() -> dict[str, set[str]]:
    """Return the tables and views of the schema with the columns that carry a comment."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SQL.glob("*.sql"))
    names = re.findall(r"^CREATE (?:TABLE|(?:OR REPLACE )?VIEW) (\w+)", text, re.MULTILINE)
    columns: dict[str, set[str]] = {name: set() for name in names}
    for relation, column in re.findall(r"COMMENT ON COLUMN (\w+)\.(\w+)", text):
        columns[relation].add(column)
    return columns


RELATIONS = relations()


@pytest.mark.parametrize("error", ERRORS)
def test_error_class_has_a_section(error: type[errors.BenchdbError]) -> None:
    assert f"({error.slug})=\n" in page("errors")
    assert f"`{error.__name__}`" in page("errors")


def test_error_slugs_are_unique() -> None:
    slugs = [error.slug for error in ERRORS]

    assert len(slugs) == len(set(slugs)) > 1


def test_plugin_options_are_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    command = [sys.executable, "-m", "pytest", "--help", "-p", "pytest_benchdb.plugin", "-p", "no:cacheprovider"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)

    flags = set(re.findall(r"^ +(--(?:no-)?benchdb[\w-]*)", result.stdout, re.MULTILINE))
    ini_keys = set(re.findall(r"^ +(benchdb_\w+) \(", result.stdout, re.MULTILINE))

    assert {"--benchdb", "--no-benchdb"} <= flags
    assert "benchdb_db" in ini_keys
    assert [name for name in sorted(flags | ini_keys) if not re.search(rf"`{name}[`=]", page("options"))] == []


@pytest.mark.parametrize("path", COMMANDS)
def test_command_and_its_options_are_documented(path: str) -> None:
    section = page("cli").partition(f"## {path}\n")[2].partition("\n## ")[0]

    flags = {
        flag
        for param in COMMANDS[path].params
        if isinstance(param, click.Option) and not param.hidden
        for flag in [*param.opts, *param.secondary_opts]
    }

    assert section != ""
    assert [flag for flag in sorted(flags) if f"`{flag}`" not in section] == []


@pytest.mark.parametrize("name", HOOKS)
def test_hook_is_documented(name: str) -> None:
    assert f"def {name}(" in page("hooks")


@pytest.mark.parametrize("relation", RELATIONS)
def test_relation_and_its_columns_are_documented(relation: str) -> None:
    section = page("schema").partition(f"### {relation}\n")[2].partition("\n### ")[0]

    assert section != ""
    assert RELATIONS[relation] != set()
    assert [column for column in sorted(RELATIONS[relation]) if f"| `{column}` |" not in section] == []


@pytest.mark.parametrize("metric", METRICS)
def test_metric_is_documented(metric: str) -> None:
    assert f"| `{metric}` | {METRICS[metric].unit} | {METRICS[metric].better} |" in page("metrics")


def test_bench_methods_and_their_arguments_are_documented() -> None:
    # Not for tests: what the plugin calls when a test ends.
    methods = [name for name in vars(Bench) if not name.startswith("_") and name not in {"mistakes", "result"}]

    missing = []
    for heading, method in {"call": "__call__", **{name: name for name in methods}}.items():
        section = page("bench").partition(f"## {heading}\n")[2].partition("\n## ")[0]
        for name, parameter in list(inspect.signature(getattr(Bench, method)).parameters.items())[1:]:
            default = "" if parameter.default is parameter.empty else f"`{parameter.default}`"
            row = " | ".join(part for part in (f"| `{name}`", default) if part)
            if row not in section:
                missing.append(f"{method}: {row}")

    assert missing == []


def test_generated_parts_are_current() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)

    assert result.returncode == 0, f"run python docs/generate.py\n{result.stdout}{result.stderr}"


def test_generated_parts_check_reports_a_stale_page(tmp_path: Path) -> None:
    script = tmp_path / "generate.py"
    script.write_bytes((ROOT / "docs" / "generate.py").read_bytes())
    (tmp_path / "reference").mkdir()
    stale = tmp_path / "reference" / "metrics.md"
    stale.write_text("<!-- generated: metrics -->\n<!-- end generated -->\n", encoding="utf-8")

    checked = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    subprocess.run([sys.executable, str(script)], capture_output=True, check=True)

    assert checked.returncode == 1, checked.stderr
    assert "stale" in checked.stdout
    assert "`wall_time`" in stale.read_text(encoding="utf-8")
