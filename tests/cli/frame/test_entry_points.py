"""The programs as a user starts them: real processes."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from pytest_benchdb import __version__
from pytest_benchdb.cli.main import SECTIONS, cli

Call = Callable[..., Any]
REPORT = ("-c", "from pytest_benchdb.cli.main import report; report()")
COMMANDS = sorted(cli.commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_whole_sentences_and_an_example(benchdb: Call, command: str) -> None:
    ended = benchdb(command, "--help")

    text = " ".join(ended.out.split())
    assert ended.status == 0
    assert f"Example: benchdb {command} " in text
    for param in cli.commands[command].params:
        if isinstance(param, click.Option):
            assert re.match(r"[A-Z].*\.$", " ".join((param.help or "").split())), param.name


def test_help_lists_the_commands_by_what_they_are_for(benchdb: Call) -> None:
    out = benchdb("--help").out

    for title, entries in SECTIONS.items():
        lines = out.partition(f"\n{title}:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in lines] == list(entries)
        assert [line.split(maxsplit=1)[1] for line in lines] == [entry.help for entry in entries.values()]
    assert [name for entries in SECTIONS.values() for name in entries] == list(cli.commands)


def test_version_is_printed(benchdb: Call) -> None:
    assert benchdb("--version").out == f"pytest-benchdb {__version__}\n"


def test_report_script_is_the_command(benchdb_process: Call, results: Path) -> None:
    script = benchdb_process("--help", cwd=results.parent, program=REPORT)
    command = benchdb_process("report", "--help", cwd=results.parent)

    assert script.out == command.out.replace("benchdb report [", "benchdb-report [", 1).replace(
        command.out.splitlines()[0], script.out.splitlines()[0]
    )
    assert script.out.splitlines()[1:] == command.out.splitlines()[1:]


def test_installed_scripts_run(results: Path) -> None:
    folder = Path(sys.executable).parent
    for name, arguments in (("benchdb", ["report", "results"]), ("benchdb-report", ["results"])):
        done = subprocess.run([folder / name, *arguments], cwd=results.parent, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_report_loads_neither_rich_nor_its_neighbours_into_a_pipe(benchdb_process: Call, results: Path) -> None:
    code = (
        "import sys\nsys.argv = ['benchdb-report', 'results']\n"
        "from pytest_benchdb.cli.main import report\n"
        "try:\n    report()\n"
        "finally:\n    print(sorted(n for n in sys.modules if n.split('.')[0] in ('rich', 'pytest', 'pyarrow', 'numpy')"
        " or n in ('pytest_benchdb.cli.read.query', 'pytest_benchdb.cli.upkeep.doctor')), file=sys.stderr)"
    )

    ended = benchdb_process(cwd=results.parent, program=("-c", code))

    assert (ended.status, ended.err) == (0, "[]\n")


def test_query_into_a_pipe_that_closes_is_silent(results: Path) -> None:
    query = ["query", "--db", "results", "SELECT * FROM range(500000)", "-f", "csv"]
    command = [sys.executable, "-m", "pytest_benchdb", *query]

    with subprocess.Popen(command, cwd=results.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (141, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_report_on_a_terminal_without_unicode_is_ascii(benchdb_process: Call, results: Path, encoding: str) -> None:
    ended = benchdb_process("report", "results", cwd=results.parent, PYTHONIOENCODING=encoding)

    assert ended.status == 0
    assert ended.out.isascii()
    assert " us " in ended.out


def test_report_as_markdown_without_unicode_is_still_written(benchdb_process: Call, results: Path) -> None:
    ended = benchdb_process("report", "results", "-f", "md", cwd=results.parent, PYTHONIOENCODING="ascii")

    assert ended.status == 0
    assert "median (\\xb5s)" in ended.out


def test_report_on_a_terminal_is_coloured_and_fits(results: Path) -> None:
    master, slave = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    environ |= {"TERM": "xterm-256color"}
    code = "import os, sys; os.system('stty cols 60 rows 40'); from pytest_benchdb.cli.main import report; report()"

    process = subprocess.Popen(
        [sys.executable, "-c", code, "results"],
        cwd=results.parent,
        env=environ,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    data = b""
    try:
        while chunk := os.read(master, 65536):
            data += chunk
    except OSError:
        pass  # Linux tells the end of a terminal so
    finally:
        os.close(master)
    text = data.decode()

    assert process.wait() == 0
    assert "\x1b[1m" in text
    plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text)
    assert max(len(line) for line in plain.splitlines()) <= 60


@pytest.mark.parametrize(
    ("variable", "pyproject", "found"),
    [
        ("results", None, True),
        (None, '[tool.benchdb]\ndb = "results"\n', True),
        (None, "[tool.other]\n", False),
        ("nowhere", '[tool.benchdb]\ndb = "results"\n', False),
    ],
    ids=["variable", "pyproject", "default", "variable first"],
)
def test_database_is_found_by_configuration(
    benchdb_process: Call, new_session: Call, tmp_path: Path, variable: str | None, pyproject: str | None, found: bool
) -> None:
    new_session(tmp_path / "results")
    if pyproject is not None:
        (tmp_path / "pyproject.toml").write_text(pyproject)
    below = tmp_path / "src"
    below.mkdir()
    variables = {} if variable is None else {"BENCHDB_DB": f"../{variable}"}

    ended = benchdb_process("report", cwd=below, **variables)

    assert ended.status == (0 if found else 5), ended.err
    assert ("test_dumps" in ended.out) is found


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["report"], ["query", "SELECT range FROM range(100000)"], ["--help"]])
def test_full_disk_behind_standard_output_is_one_line(results: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pytest_benchdb", *arguments],
            env={**os.environ, "BENCHDB_DB": str(results)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "benchdb: the output cannot be written: No space left on device; free space and run it again"
    ]
