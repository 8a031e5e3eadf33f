"""What recording does beside running tests: the programs it starts, and that it opens no connection."""

import json
import os
import subprocess
import sys
from pathlib import Path

CONFTEST = """
import json
import os
import sys

FILE = os.open(os.environ["HOSTILE_EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.system", "os.exec",
           "os.posix_spawn", "webbrowser.open", "urllib.Request")

def note(event, arguments):
    if event in WATCHED:
        os.write(FILE, json.dumps([event, *map(str, arguments[:2])]).encode() + b"\\n")

sys.addaudithook(note)
"""
SUITE = """
def test_timed(bench_cpu):
    bench_cpu.pedantic(sum, args=([1, 2],), rounds=3)
"""


def test_recording_starts_git_and_python_and_opens_no_connection(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_a.py").write_text(SUITE, encoding="utf-8")
    events = tmp_path / "events"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-p", "pytest_benchdb.plugin", "--benchdb=results"]

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HOSTILE_EVENTS": str(events)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "1 passed -> results" in done.stdout
    seen = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    started = {Path(event[1]).stem for event in seen if event[0] in {"subprocess.Popen", "os.exec", "os.posix_spawn"}}
    assert started <= {"git", Path(sys.executable).stem}
    assert Path(sys.executable).stem in started
    assert [event for event in seen if event[0].partition(".")[0] in {"socket", "urllib", "webbrowser"}] == []
    assert [event for event in seen if event[0] == "os.system"] == []
