"""Databases for the tests of the commands: made by the store from journals, without running pytest."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.backends.web.browser import Host, find_chromium, probe
from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.environment import CiJob, Commit, Device, Environment, Load, SessionEnd, SessionStart
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.model.run import BlockUsage, Measurement, Run, Timing
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.journal.lines import end_line, run_lines, session_line
from pytest_benchdb.store.target import JOURNAL_SUFFIX

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request

STARTED_US = 1_790_000_000_000_000
CPU = Device(device_id=content_id("device", "cpu"), backend="cpu", name="Test CPU")
GPU = Device(device_id=content_id("device", "cuda"), backend="cuda", name="NVIDIA H200")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A session that was written.

    Attributes:
        path: the session file, or the journal of a session that was left to recover.
    """

    session_id: str
    path: Path


def make_run(fullname: str, samples_s: Sequence[float] | None = (1e-3, 1.1e-3, 1.2e-3), **changes: Any) -> Run:
    """Return a run; None for the samples gives one without figures."""
    file, _, name = fullname.partition("::")
    timing: dict[str, Any] = {"warmup_rounds": 0, "timer": "perf_counter", "measurements": (), "invalid": "not timed"}
    if samples_s is not None:
        measurement = Measurement.of("wall_time", round_ns=[round(seconds * 1e9) for seconds in samples_s])
        timing |= {"iterations": 1, "rounds": len(samples_s), "measurements": (measurement,), "invalid": None}
    for field in fields(Timing):
        if field.name in changes:
            timing[field.name] = changes.pop(field.name)
    values: dict[str, Any] = {
        "run_id": uuid7(),
        "benchmark": Benchmark(
            benchmark_id=content_id("demo", fullname),
            project="demo",
            fullname=fullname,
            file=file,
            class_name=None,
            function=name.partition("[")[0],
            name=name,
            group_name=changes.pop("group", None),
            params=changes.pop("params", None),
            param_id=None,
            code_hash=changes.pop("code_hash", "c0de"),
        ),
        "labels": changes.pop("labels", Labels()),
        "device_id": CPU.device_id,
        "outcome": "passed",
        "reason": None,
        "started_unix_us": STARTED_US + 1_000_000,
        "duration_s": 0.5,
        "timing": Timing(**timing),
        "extra_info": changes.pop("extra_info", None),
        "usage": None
        if samples_s is None
        else BlockUsage(
            wall_s=0.01,
            cpu_s=0.0098,
            thread_s=0.0098,
            peak_rss_bytes=64 * 2**20,
            rss_start_bytes=60 * 2**20,
            minor_faults=10,
            major_faults=0,
            voluntary_switches=1,
            involuntary_switches=0,
            steal_s=0.0,
        ),
        **changes,
    }
    return Run(**values)


def default_runs() -> list[Run]:
    """Return runs of several outcomes."""
    runs = [
        make_run("tests/test_sort.py::test_sort[100]", [2e-6, 2.1e-6, 2.2e-6, 2.3e-6], group="sort"),
        make_run("tests/test_sort.py::test_sort[1000]", [2e-5, 2.1e-5, 2.2e-5], group="sort"),
        make_run("tests/test_json.py::test_dumps", [5e-4, 5.1e-4, 5.2e-4], group="json"),
        make_run(
            "tests/test_json.py::test_broken",
            None,
            group="json",
            outcome="failed",
            reason="AssertionError: assert 1 == 2",
        ),
        make_run("tests/test_json.py::test_gpu", None, group="json", outcome="skipped", reason="needs CUDA"),
    ]
    return [replace(run, started_unix_us=STARTED_US + number) for number, run in enumerate(runs)]


def make_session(folder: Path, runs: Sequence[Run] | None = None, *, at: int = 0, **changes: Any) -> Made:
    """Write a session `at` hours after the first into a folder; ``finished=False`` leaves a journal to recover."""
    finished = changes.pop("finished", True)
    complete = changes.pop("complete", True)
    packages = changes.pop("packages", {"numpy": "2.0.0"})
    cpu = changes.pop("cpu", CPU.name)
    contended = changes.pop("contended", False)
    started_us = STARTED_US + at * 3_600_000_000
    session_id = uuid7(started_us // 1000)
    environment = Environment(
        environment_id=content_id("environment", json.dumps(packages), cpu),
        fingerprint=content_id("fingerprint", cpu),
        hostname_hash="h",
        os="Debian GNU/Linux 12",
        kernel="6.1",
        cpu_model=cpu,
        cores=4,
        threads=8,
        ram_bytes=32 * 2**30,
        virtualization=None,
        python="CPython 3.11.7",
        packages=packages,
        details={"cpu": {"governor": "performance"}},
    )
    start = SessionStart(
        session_id=session_id,
        started_unix_us=started_us,
        environment=environment,
        **{
            "project": "demo",
            "kind": "pytest",
            "label": None,
            "tags": {},
            "note": None,
            "command": "pytest --benchdb",
            "tool": "pytest-benchdb",
            "tool_version": "0.1.0",
            "devices": (CPU, GPU),
            "commit": Commit(sha="0123456789abcdef0123456789abcdef01234567", branch="main", dirty=False),
            "ci": CiJob(),
            "load": Load(load1=0.1, steal_s=0.0),
            "unmeasured": {},
            **changes,
        },
    )
    end = SessionEnd(
        finished_unix_us=started_us + 60_000_000,
        outcome="passed",
        exit_status=0,
        complete=complete,
        load1=0.2,
        steal_s=0.0,
        contended=contended,
    )
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / f"{session_id}{JOURNAL_SUFFIX}"
    lines = [session_line(start), *map(run_lines, default_runs() if runs is None else runs)]
    journal.write_bytes(b"".join([*lines, end_line(end)] if finished else lines))
    if not finished:
        return Made(session_id=session_id, path=journal)
    path = fold(os.fspath(journal), cache=template_folder()).path
    assert path is not None
    return Made(session_id=session_id, path=Path(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command did."""

    status: int
    out: str
    err: str


def run_command(
    *arguments: str,
    cwd: Path,
    program: Sequence[str] = ("-m", "pytest_benchdb"),
    stdin: str = "",
    **variables: str,
) -> Ended:
    """Run a command in a process of its own, outside a terminal and with nothing of this process's configuration."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BENCHDB_", "PYTEST_", "COV_")) and name not in {"COLUMNS", "NO_COLOR", "FORCE_COLOR"}
    }
    done = subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=cwd,
        env={**kept, "PYTHONIOENCODING": "utf-8", **variables},
        input=stdin.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ended(status=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())


@pytest.fixture(scope="session")
def new_run() -> Callable[..., Run]:
    return make_run


@pytest.fixture(scope="session")
def new_session() -> Callable[..., Made]:
    return make_session


@pytest.fixture
def benchdb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], results: Path) -> Callable[..., Ended]:
    """Return a function that runs `benchdb` in this process, beside the folder ``results``."""
    monkeypatch.chdir(results.parent)
    for name in ("BENCHDB_DB", "BENCHDB_DEBUG", "COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            run(cli, "benchdb", list(arguments))
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(status=ended.value.code, out=captured.out, err=captured.err)

    return call


@pytest.fixture(scope="session")
def benchdb_process() -> Callable[..., Ended]:
    return run_command


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three sessions, read-only by agreement; the newest is the default of every command."""
    folder = tmp_path_factory.mktemp("project") / "results"
    make_session(folder, at=0, label="nightly")
    make_session(folder, at=1, packages={"numpy": "2.1.0", "scipy": "1.0"})
    make_session(folder, at=2, complete=False)
    return folder


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    """Return a running Chromium for pages that we wrote; without one the test is skipped.

    Not for the whole session: while it runs, its event loop is that of the process, and `asyncio.run` is refused.
    """
    state = probe(Host.this())
    if not state.available:
        pytest.skip(str(state.reason))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, Chromium starts only without its sandbox; the pages are ours.
        running = playwright.chromium.launch(
            executable_path=find_chromium(Host.this()), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield running
        running.close()


@pytest.fixture
def open_file(chromium: "Browser") -> "Iterator[Callable[..., Page]]":
    """Return a function that opens a file; afterwards, nothing may have complained or left the machine.

    It takes the path, the end of the address (``#key``), and options of the browser's context.
    """
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def refuse(dialog: "Dialog") -> None:
        complaints.append(dialog.message)
        dialog.dismiss()

    def watch(request: "Request") -> None:
        if not request.url.startswith(("file:", "blob:", "data:")):
            complaints.append(request.url)

    def open_it(path: Path, link: str = "", **options: Any) -> "Page":
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", refuse)
        page.on("request", watch)
        page.goto(path.as_uri() + link)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def violations() -> "Callable[[Page], list[tuple[str, str]]]":
    """Return a function that names what axe-core finds wrong with a page, by WCAG 2.2 AA and its best practices."""
    axe = pytest.importorskip("axe_playwright_python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    def check(page: "Page") -> list[tuple[str, str]]:
        page.evaluate(script)
        # Preloading would fetch style sheets, which a page from a file may not do.
        options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
        found = page.evaluate("options => axe.run(options)", options)
        return [(rule["id"], node["html"]) for rule in found["violations"] for node in rule["nodes"]]

    return check
