"""Hostile files in a store: no command reads or writes what is outside, fails inside, hangs, or loses others."""

import os
import random
import shutil
from pathlib import Path

import pytest
from tests.hostile.counts import counted
from tests.hostile.hostile_files import COMMANDS, SPOILS, TooSlow, good_sessions, limited, new_ground

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import SECTIONS, cli
from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.history.open import open_history

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the files are those of POSIX")

WAYS = [command for commands in COMMANDS.values() for command in commands]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return good_sessions(tmp_path_factory.mktemp("good"))


def test_every_command_is_tried() -> None:
    assert sorted(COMMANDS) == sorted(name for section in SECTIONS.values() for name in section)


@counted(sample=8, long=60, full=1_500)
def test_commands_read_and_write_nothing_outside(
    count: int, sessions: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = []
    spoils = list(SPOILS)
    chance = random.Random(1)  # noqa: S311
    chance.shuffle(spoils)
    for number in range(count):
        what, command = spoils[number % len(spoils)], chance.choice(WAYS)
        ground = new_ground(tmp_path / str(number), sessions)
        bad = SPOILS[what](ground)
        monkeypatch.chdir(ground.work)
        before = ground.tree()
        arguments = [part.replace("{db}", str(ground.store)).replace("{bad}", str(bad)) for part in command]
        case = f"{what}: benchdb {' '.join(command)}"
        try:
            with limited(case), pytest.raises(SystemExit) as ended:
                run(cli, "benchdb", arguments)
        except TooSlow as error:
            faults.append(str(error))
            continue
        out, err = capfd.readouterr()
        if ended.value.code == 70:
            faults.append(f"{case}: {err[-300:]}")
        if ground.secret in out + err:
            faults.append(f"{case}: showed what is outside")
        if "\x1b" in out + err or "\u202e" in out + err:
            faults.append(f"{case}: wrote control characters: {(out + err)[-300:]!r}")
        if ground.tree() != before:
            faults.append(f"{case}: changed {set(ground.tree().items()) ^ set(before.items())}")
        if (ground.work / "owned").exists():
            faults.append(f"{case}: ran a text")
        try:
            with limited(f"{case}, then reading"), open_history([ground.store]) as reader:
                labels = {row.label for row in reader.sessions()}
        except (StoreError, TooSlow) as error:
            faults.append(f"{case}: the folder cannot be read: {error}")
            continue
        if not {"good-0", "good-1", "good-2"} <= labels:
            faults.append(f"{case}: the good sessions are gone: {labels}")
        monkeypatch.chdir(tmp_path)
        shutil.rmtree(tmp_path / str(number))
    assert faults == []
