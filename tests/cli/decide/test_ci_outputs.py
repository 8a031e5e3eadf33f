"""The options by which `compare` and `regress` write for CI, on a command that has nothing else."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from tests.present.verdicts.results import gate, row

from pytest_benchdb.cli.decide.ci_outputs import CI_FORMATS, ci_options, ci_text, read_ci_outputs
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.output import make_output
from pytest_benchdb.errors import ConfigError

RESULT = gate([row("regressed", "test_a.py::test_x", command="pytest test_a.py::test_x")])


@click.command()
@click.argument("names", nargs=-1)
@options.format_option(("table", *CI_FORMATS))
@options.output_option
@ci_options
def command(**params: Any) -> None:
    output = make_output(params, formats=("table", *CI_FORMATS))
    outputs = read_ci_outputs(params)
    outputs.write(RESULT, output)
    output.text(ci_text(RESULT, output.format) if output.format in CI_FORMATS else f"names {params['names']}\n")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "test_a.py").write_text("\n\ndef test_x(): ...\n", encoding="utf-8")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(command, arguments)

    return call


def test_options_not_given_write_nothing(run: Any, tmp_path: Path) -> None:
    assert run("a").output == "names ('a',)\n"
    assert {path.name for path in tmp_path.iterdir()} == {".git", "test_a.py"}


def test_summary_alone_appends_to_the_page_of_the_job(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "step_summary"
    page.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))

    result = run("a", "--summary")

    assert result.exit_code == 0
    assert page.read_text(encoding="utf-8").startswith("before\n### ❌ Benchmarks failed\n")


def test_summary_twice_appends_twice(run: Any, tmp_path: Path) -> None:
    run("--summary=page.md")
    run("--summary", "page.md")

    assert (tmp_path / "page.md").read_text(encoding="utf-8").count("### ❌") == 2


def test_summary_of_a_full_page_stays_within_githubs_limit(run: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_bytes(b"x" * (1024 * 1024 - 100))

    assert run("--summary=page.md").exit_code == 0
    assert page.stat().st_size <= 1024 * 1024


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--summary",), "GITHUB_STEP_SUMMARY is not set; name a file: --summary=summary.md"),
        (("--summary", "main"), "--summary main: not a file name; write --summary=./main, or put --summary last"),
        (("--summary=no/such/page.md",), "--summary no/such/page.md cannot be written: No such file or directory"),
        (("--comment", "no/such/c.md"), "no/such/c.md cannot be written: No such file or directory"),
        (("--gitlab-metrics", "no/such/m.txt"), "no/such/m.txt cannot be written: No such file or directory"),
    ],
)
def test_options_that_cannot_be_met_say_what_to_do(run: Any, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)

    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)


def test_summary_with_a_path_takes_any_name(run: Any, tmp_path: Path) -> None:
    assert run("--summary", "./main").exit_code == 0
    assert (tmp_path / "main").exists()


def test_comment_and_metrics_are_written_whole(run: Any, tmp_path: Path) -> None:
    run("--comment", "c.md", "--comment-name", "linux", "--gitlab-metrics", "m.txt")

    comment = (tmp_path / "c.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- benchdb:linux -->\n")
    assert "1.100 ms" in comment
    metrics = (tmp_path / "m.txt").read_text(encoding="utf-8")
    assert 'benchdb_wall_time_seconds{benchmark="test_a.py::test_x"} 0.0011\n' in metrics


def test_formats_name_the_line_in_the_checkout(run: Any) -> None:
    assert "::error file=test_a.py,line=3," in run("-f", "github").output
    assert "test_a.py:3\n" in run("-f", "junit").output
    log = json.loads(run("-f", "sarif").output)
    physical = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert physical["region"] == {"startLine": 3}


@pytest.mark.parametrize(("file", "start"), [("r.xml", "<?xml"), ("r.sarif", "{")])
def test_suffix_of_the_output_tells_the_format(run: Any, tmp_path: Path, file: str, start: str) -> None:
    run("-o", file)

    assert (tmp_path / file).read_text(encoding="utf-8").startswith(start)
