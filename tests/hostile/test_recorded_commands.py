"""Commands that a session file names are never run: no suspect of the gate is run again by them."""

import os
from pathlib import Path

import duckdb
import pytest
from tests.cli.conftest import make_run, make_session
from tests.hostile.hostile_files import limited, new_ground

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli

COMMANDS = [
    "pytest -q {store}/attachments",
    "pytest {store}/attachments/test_evil.py",
    "python -m pytest {store}/attachments",
    "pytest -o pythonpath={store}/attachments -p evil",
    "pytest -p evil",
    "pytest -c {store}/attachments/evil.ini",
    "pytest --rootdir={store}/attachments --confcutdir={store}",
    "pytest --pyargs evil",
    "pytest --debug={outside}/key.bin",
    "pytest --junitxml={outside}/package.json",
    "pytest --log-file={outside}/package.json",
    "pytest --basetemp={outside}",
    "pytest --benchdb={outside}/new",
    "pytest --benchdb-report={outside}/package.json",
    "pytest @{store}/attachments/arguments",
    "{store}/attachments/pytest",
    "sh -c 'touch {work}/owned'",
    "pytest; touch {work}/owned",
    "pytest $(touch {work}/owned)",
    "pytest `touch {work}/owned`",
    'pytest -k \'__import__("os").system("touch {work}/owned")\'',
    "pytest\ntouch {work}/owned",
    "tox",
    "",
    "\x00",
    "pytest '",
]
WAYS = [
    ("regress", "--confirm", "1"),
    ("regress", "--confirm", "2", "-f", "github"),
    ("compare", "latest~1", "latest", "-v"),
    ("compare", "latest~1", "latest", "-v", "-f", "md"),
    ("show", "latest"),
    ("doctor",),
]
EVIL = "import pathlib\npathlib.Path({owned!r}).touch()\n"


@pytest.mark.skipif(os.name == "nt", reason="the commands are those of POSIX")
@pytest.mark.parametrize(
    "command", [COMMANDS[0], *(pytest.param(command, marks=pytest.mark.long) for command in COMMANDS[1:])]
)
def test_recorded_commands_are_never_run(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = new_ground(tmp_path, tmp_path)
    for hour in range(8):
        slower = 1 if hour < 7 else 3
        made = make_session(
            ground.store, [make_run("t.py::test_a", [1e-3 * slower + 1e-6 * n for n in range(20)])], at=hour
        )
        text = command.format(store=ground.store, outside=ground.outside, work=ground.work).replace("'", "''")
        with duckdb.connect(str(made.path)) as connection:
            connection.execute(f"UPDATE session SET command = '{text}', contended = false")
    attachments = ground.store / "attachments"
    attachments.mkdir()
    for name in ("conftest.py", "test_evil.py", "evil.py"):
        (attachments / name).write_text(EVIL.format(owned=str(ground.work / "owned")), encoding="utf-8")
    (attachments / "pytest").write_text(f"#!/bin/sh\ntouch {ground.work}/owned\n", encoding="utf-8")
    (attachments / "pytest").chmod(0o755)
    before = ground.tree()
    monkeypatch.chdir(ground.work)
    printed = ""
    for way in WAYS:
        with limited(" ".join(way)), pytest.raises(SystemExit) as ended:
            run(cli, "benchdb", [*way, *(() if way[0] == "doctor" else ("--db", str(ground.store)))])
        out, err = capfd.readouterr()
        printed += out + err
        assert ended.value.code != 70, err
        assert not (ground.work / "owned").exists(), way
        assert ground.tree() == before, way
    assert "you did not record the session on this machine" in printed
    assert "-- pytest ARGS" in printed
