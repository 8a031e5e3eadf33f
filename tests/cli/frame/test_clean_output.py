"""No command sends control sequences from a database to a terminal, on no stream and in no format."""

import os
import pty
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import CiJob, Commit, Load
from pytest_benchdb.model.run import Measurement, Run

EVIL = "\x1b[31;7mred\x1b]8;;http://evil\x07link\x1b]8;;\x07\x1bc\r\x08\x9b2J\x9d0;title\x9c\u202ertl\u2066iso\u200f\x7f\nline"
"""SGR, OSC 8, BEL, a reset, carriage return, backspace, CSI and OSC as C1, bidirectional marks, DEL and a new line."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]|\r(?!\n)")
_COLOR = re.compile(r"\x1b\[(?!31;7m)[0-9;]*m")

Session = Callable[..., object]


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory, new_session: Session, new_run: Callable[..., Run]) -> Path:
    """Return a folder of sessions whose every text is hostile, with damaged files and a journal beside them."""
    folder = tmp_path_factory.mktemp("evil") / "results"
    for at in range(7):
        runs = [
            new_run(
                f"tests/test_{EVIL}.py::test_{EVIL}[{number}-{EVIL}]",
                [1e-3 * (1 + (at == 6)), 1.01e-3, 1.02e-3],
                group=EVIL,
                params={EVIL: EVIL, "n": number},
                labels=Labels(model=EVIL, version=EVIL, framework=EVIL, use_case=EVIL, implementation=EVIL),
                extra_info={EVIL: EVIL},
                outcome="passed" if number or at < 6 else "failed",
                reason=None if number or at < 6 else EVIL,
                timer=EVIL,
            )
            for number in range(3)
        ]
        extra = replace(
            Measurement.of("peak_rss", value=1.0 + at, method=EVIL, reason=EVIL, valid=False), metric=EVIL, unit=EVIL
        )
        runs[0] = new_run(
            f"tests/test_{EVIL}.py::test_extra", [1e-3], measurements=(*runs[0].timing.measurements, extra)
        )
        new_session(
            folder,
            runs,
            at=at,
            label=EVIL,
            note=EVIL,
            tags={EVIL: EVIL},
            command=f"pytest {EVIL}",
            project=EVIL,
            packages={EVIL: f"{at}{EVIL}"},
            cpu=EVIL,
            tool=EVIL,
            tool_version=EVIL,
            commit=Commit(sha="0123456789abcdef", branch=EVIL, dirty=False, remote_url=EVIL),
            ci=CiJob(provider=EVIL, url=EVIL, pull_request=EVIL),
            load=Load(load1=0.1, steal_s=0.0),
            unmeasured={EVIL: EVIL},
            finished=at != 5,
        )
    (folder / f"20260101T000000Z-{EVIL.replace('/', '')}.duckdb").write_bytes(b"not a database")
    (folder / "01a22440-ac35-7eac-a60e-b6e9923f2301.journal.jsonl").write_text(f'{{"k": "{EVIL}"\n')
    return folder


@contextmanager
def streams(*, terminal: bool) -> Iterator[Callable[[], tuple[str, str]]]:
    """Replace stdout and stderr by terminals or pipes; yield a function that ends and returns what came through."""
    ends = [pty.openpty() if terminal else os.pipe() for _ in range(2)]
    texts = [bytearray(), bytearray()]
    threads = [threading.Thread(target=read_all, args=(end[0], text)) for end, text in zip(ends, texts, strict=True)]
    for thread in threads:
        thread.start()
    before = sys.stdout, sys.stderr
    files = [os.fdopen(end[1], "w", encoding="utf-8") for end in ends]
    sys.stdout, sys.stderr = files

    def close() -> tuple[str, str]:
        sys.stdout, sys.stderr = before
        for file in files:
            file.close()
        for thread, end in zip(threads, ends, strict=True):
            thread.join()
            os.close(end[0])
        out, err = (bytes(text).decode("utf-8", "replace") for text in texts)
        return out, err

    try:
        yield close
    finally:
        sys.stdout, sys.stderr = before


def read_all(descriptor: int, text: bytearray) -> None:
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # the other end of a terminal is closed
            return
        if not piece:
            return
        text += piece


def output_of(arguments: list[str], *, terminal: bool) -> tuple[int, str, str]:
    with streams(terminal=terminal) as close:
        with pytest.raises(SystemExit) as ended:
            run(cli, "benchdb", arguments)
        out, err = close()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


COMMANDS = [
    "report",
    "report --group-by group",
    "report -v",
    "report -f md",
    "report -f json",
    "report -f csv",
    "report -f html",
    "report EVIL",
    "report nothing-of-the-kind",
    "report label:EVIL",
    "report -k EVIL",
    "report -w model=EVIL",
    "report --columns EVIL",
    "report --db EVIL",
    "sessions",
    "sessions -v",
    "sessions -f csv",
    "sessions -f md",
    "sessions -f json",
    "show latest",
    "show latest -v",
    "show EVIL",
    "show test_extra",
    "env",
    "env latest latest~1",
    "env -f json",
    "query SELECT*FROM/**/report",
    "query SELECT*FROM/**/session -f csv",
    "query SELECT*FROM/**/run -f json",
    "query SELECT*FROM/**/benchmark -f md",
    "query SELECT/**/error(fullname)FROM/**/report",
    "query SELECT/**/fullname::INT/**/FROM/**/report",
    "compare latest~1 latest",
    "compare latest~1 latest -v",
    "compare latest~1 latest -f md",
    "compare latest~1 latest -f json",
    "compare latest~1 latest -f csv",
    "compare latest~1 latest -f junit",
    "compare latest~1 latest -f sarif",
    "compare latest~1 latest -f github",
    "compare --axis model",
    "compare EVIL latest",
    "regress --confirm 0",
    "regress --confirm 0 -v",
    "regress --confirm 0 -f github",
    "regress --confirm 0 -f md",
    "regress --confirm 0 -f json",
    "trend",
    "trend -v",
    "trend -f csv",
    "noise",
    "noise -f md",
    "correlate",
    "predict",
    "baseline",
    "accept test_extra --reason EVIL",
    "note latest EVIL",
    "merge results -o merged.duckdb",
    "recover",
    "doctor",
    "doctor -v",
    "import csv EVIL",
    "schema",
]


def words_of(command: str) -> list[str]:
    return [word.replace("/**/", " ").replace("EVIL", EVIL) for word in command.split(" ")]


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("command", COMMANDS)
def test_command_sends_no_control_sequence(
    evil: Path, command: str, *, terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(evil.parent)
    monkeypatch.setenv("BENCHDB_DB", "results")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("NO_COLOR", raising=False)

    status, out, err = output_of(words_of(command), terminal=terminal)

    assert status != 70, err
    assert out or err
    assert _CONTROL.findall(_COLOR.sub("", err)) == []
    if terminal or "-f csv" not in command:  # a pipe or a file of values gets them as they are
        assert _CONTROL.findall(_COLOR.sub("", out)) == []


def test_values_in_a_file_are_faithful(evil: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(evil.parent)

    _, out, _ = output_of(
        ["query", "--db", "results", "SELECT DISTINCT label FROM session", "-f", "csv"], terminal=False
    )

    assert EVIL in out.replace('""', '"')
