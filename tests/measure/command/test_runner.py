"""Commands run by real processes; how long anything takes is not asserted."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.command.runner import CommandCall, Runner

MIB = 1 << 20


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as started:
        yield started


def shell(text: str, **options: Any) -> CommandCall:
    return CommandCall(argv=(str(shutil.which("sh")), "-c", text), **options)


def python(code: str) -> CommandCall:
    return CommandCall(argv=(sys.executable, "-I", "-S", "-c", code))


def test_command_that_exits_gives_its_code_and_times(runner: Runner) -> None:
    measured = runner.run(shell("exit 3"))

    assert (measured.exit_code, measured.signal, measured.failure) == (3, None, "exit code 3")
    assert measured.wall_ns > 0
    assert measured.cpu_s == measured.user_s + measured.system_s


def test_command_that_is_killed_names_the_signal(runner: Runner) -> None:
    measured = runner.run(shell("kill -TERM $$"))

    assert (measured.exit_code, measured.signal) == (None, signal.SIGTERM)
    assert measured.failure == "killed by signal SIGTERM"


def test_command_that_takes_too_long_is_ended(runner: Runner) -> None:
    measured = runner.run(shell("sleep 60", timeout_s=0.05))

    assert measured.timed_out
    assert measured.failure == "timed out"
    assert measured.wall_ns < 50e9


def test_command_that_ignores_its_end_is_killed(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_benchdb.measure.command.runner.GRACE_S", 0.05)

    measured = runner.run(shell("trap '' TERM; while :; do sleep 0.01; done", timeout_s=0.05))

    assert (measured.timed_out, measured.signal) == (True, signal.SIGKILL)


def test_cpu_time_is_also_of_children_that_were_waited_for(runner: Runner) -> None:
    code = "import time\nwhile time.process_time() < 0.2: pass"

    measured = runner.run(shell(f"{sys.executable} -I -S -c '{code}'; exit 0"))

    assert 0.2 <= measured.cpu_s < 2.0


def test_peak_memory_is_that_of_the_largest_process(runner: Runner) -> None:
    measured = runner.run(shell(f"{sys.executable} -I -S -c 'bytearray(100 << 20)'; exit 0"))

    assert measured.peak_bytes is not None
    assert 100 * MIB < measured.peak_bytes < 150 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the starter's memory")
def test_peak_memory_below_that_of_the_starter_is_not_known(runner: Runner) -> None:
    measured = runner.run(shell("exit 0"))

    assert measured.peak_bytes is None
    assert measured.floor_bytes is not None
    assert 2 * MIB < measured.floor_bytes < 30 * MIB  # this process has far more


def test_input_and_output_are_files(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("text\n")

    for _ in range(2):
        runner.run(shell("cat; echo end", input=str(tmp_path / "in"), output=str(tmp_path / "out")))

    assert (tmp_path / "out").read_text() == "text\nend\n"


def test_without_input_there_is_nothing_to_read(runner: Runner) -> None:
    assert runner.run(shell("read line")).exit_code == 1


def test_command_gets_the_usual_signals(runner: Runner) -> None:
    measured = runner.run(python("import signal; raise SystemExit(signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN)"))

    assert measured.exit_code == 1  # Python ignores it by itself: what it inherits does not show
    assert runner.run(shell("kill -PIPE $$")).signal == signal.SIGPIPE


def test_command_that_cannot_be_started_is_one_line(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"nothing: cannot be started: No such file or directory"):
        runner.run(CommandCall(argv=(str(tmp_path / "nothing"),)))

    assert runner.run(shell("exit 0")).exit_code == 0  # and the next one runs


def test_end_of_the_runner_ends_the_command(tmp_path: Path) -> None:
    """If benchdb is killed, the pipe to the starter closes, and no command goes on alone."""
    runner = Runner()
    with runner:
        runner._send({"argv": ["/bin/sh", "/bin/sh", "-c", f"echo $$ >{tmp_path}/pid; exec sleep 60"], **NULL})
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            pass
    pid = int((tmp_path / "pid").read_text())

    while _is_running(pid):  # it is dying
        time.sleep(0.01)


NULL = {"input": os.devnull, "output": os.devnull}


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}
