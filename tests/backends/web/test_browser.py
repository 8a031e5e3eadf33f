"""Starting and ending a real Chromium."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pytest_benchdb.backends.web.backend import SharedBrowser, WasmBackend, WebGpuBackend
from pytest_benchdb.backends.web.browser import Browser, Host, PageGoneError, PageTimeoutError
from pytest_benchdb.errors import BackendUnavailableError

END_LIMIT_S = 30

# Opens a page, prints the browser's process id, and then acts on its argument.
PARENT = """
import os, sys
from pytest_benchdb.backends.web.backend import WasmBackend
from pytest_benchdb.backends.web.backend import SHARED
backend = WasmBackend()
opened = backend.open(backend.devices()[0])
print(SHARED.get().facts.pid, flush=True)
if sys.argv[1] == "return":
    sys.exit(3)
if sys.argv[1] == "raise":
    raise ZeroDivisionError
if sys.argv[1] == "hang":
    opened.page.call("() => { for (;;); }")
sys.stdin.read()
"""


@pytest.fixture
def own(chromium: Host) -> Iterator[SharedBrowser]:
    """Return a browser that a test may kill."""
    browser = SharedBrowser(host=chromium)
    yield browser
    browser.close()


def has_ended(pid: int) -> bool:
    """Return whether a process ends in time; a zombie has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        try:
            process.wait(END_LIMIT_S)
        except psutil.TimeoutExpired:
            return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True


def pid_of(browser: Browser) -> int:
    assert browser.facts.pid is not None
    return browser.facts.pid


def parent(what: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PARENT, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_browser_reports_its_versions_and_its_process(own: SharedBrowser) -> None:
    facts = own.get().facts

    assert int(facts.version.partition(".")[0]) > 100
    assert facts.v8 is not None
    assert facts.pid is not None
    assert "chrom" in psutil.Process(facts.pid).name().lower()


def test_browser_after_close_is_gone_and_refuses_work(own: SharedBrowser) -> None:
    browser = own.get()
    pid = pid_of(browser)

    own.close()

    assert has_ended(pid)
    assert not browser.running
    with pytest.raises(PageGoneError, match="has ended"):
        browser.run(lambda inner: inner.version, limit_s=10)


def test_browser_that_was_killed_is_noticed_and_replaced(own: SharedBrowser) -> None:
    backend = WasmBackend(own)
    opened = backend.open(backend.devices()[0])
    first = own.get()

    os.kill(pid_of(first), signal.SIGKILL)
    with pytest.raises(PageGoneError):
        opened.page.call("() => 1")

    assert opened.page.call("() => 1") == 1
    assert own.get() is not first


def test_browser_of_a_page_that_hangs_is_killed_and_replaced(own: SharedBrowser) -> None:
    backend = WasmBackend(own)
    opened = backend.open(backend.devices()[0])
    pid = pid_of(own.get())

    with pytest.raises(PageTimeoutError, match=r"did not answer within 0\.5 s"):
        opened.page.call("() => { for (;;); }", limit_s=0.5)

    assert has_ended(pid)
    assert opened.page.call("() => 1") == 1


def test_browser_is_shared_by_backends(own: SharedBrowser) -> None:
    wasm, webgpu = WasmBackend(own), WebGpuBackend(own)
    first, second = wasm.open(wasm.devices()[0]), webgpu.open(webgpu.devices()[0])

    processes = {page.page.with_page(lambda inner: id(inner.context.browser)) for page in (first, second)}

    assert len(processes) == 1
    assert first.page.evaluate("'device' in benchdb") is False
    assert second.page.evaluate("'device' in benchdb") is True


@pytest.mark.parametrize(("what", "status"), [("return", 3), ("raise", 1)])
def test_browser_ends_with_its_process(chromium: Host, what: str, status: int) -> None:
    with parent(what) as process:
        output, errors = process.communicate(timeout=60)

    assert process.returncode == status
    assert errors == "" or "ZeroDivisionError" in errors.splitlines()[-1]
    assert has_ended(int(output))


@pytest.mark.parametrize("what", ["wait", "hang"])
def test_browser_ends_when_its_process_is_killed(chromium: Host, what: str) -> None:
    with parent(what) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert psutil.pid_exists(pid)
        process.kill()

    assert has_ended(pid)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # ours has threads, which the child does not use
def test_shared_browser_in_a_forked_child_is_not_the_parents(own: SharedBrowser) -> None:
    own.get()

    child = os.fork()
    if child == 0:
        own.close()  # must not close the parent's browser
        os._exit(0)
    os.waitpid(child, 0)

    assert own.get().answers()


def test_program_that_is_not_a_browser_is_unavailable_with_its_message(tmp_path: Path, chromium: Host) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'I am no browser' >&2\nexit 7\n")
    program.chmod(0o755)

    with pytest.raises(BackendUnavailableError, match=r"(?s)chromium does not start: .*I am no browser"):
        Browser(program)


def test_program_that_hangs_is_killed(tmp_path: Path, chromium: Host) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)

    with pytest.raises(BackendUnavailableError, match="does not start"):
        Browser(program, start_limit_s=2)


def test_module_import_loads_no_playwright() -> None:
    code = (
        "import sys, pytest_benchdb.backends.web.backend; print('playwright' in sys.modules, 'asyncio' in sys.modules)"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["False", "False"]
