import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.measure.counting.client_requests import unsupported
from pytest_benchdb.operations.count import wrap
from pytest_benchdb.operations.count.wrap import VARIABLE, Wrapped, choose_method, wrap_counting

pytestmark = [
    pytest.mark.skipif(unsupported() is not None, reason=unsupported() or ""),
    pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts"),
]

PROGRAM = (sys.executable, "-m", "pytest")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What is on the path is looked up again, here and after."""
    caches = (wrap.callgrind_problem, wrap._without_randomization)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def wrapped(tmp_path: Path, **options: bool) -> Wrapped:
    return wrap_counting(PROGRAM, {"HOME": "/here"}, dumps=tmp_path, method="callgrind", **options)


def test_the_command_runs_under_callgrind(tmp_path: Path, path: Path) -> None:
    put(path, "valgrind", "echo valgrind-3.19.0")
    put(path, "setarch", "exit 0")

    found = wrapped(tmp_path)

    assert found.method == "callgrind"
    assert found.command[:3] == (f"{path}/setarch", "-R", f"{path}/valgrind")
    assert {"--tool=callgrind", "--instr-atstart=no", "--trace-children=no"} < set(found.command)
    assert found.command[-3:] == PROGRAM
    assert not any(word.startswith("--cache-sim") for word in found.command)
    assert (found.environ["HOME"], found.environ["PYTHONHASHSEED"]) == ("/here", "0")
    assert json.loads(found.environ[VARIABLE]) == {
        "method": "callgrind",
        "out": f"{tmp_path}/callgrind.%p",
        "functions": False,
    }


def test_where_addresses_stay_random_the_command_runs_too(tmp_path: Path, path: Path) -> None:
    put(path, "valgrind", "echo valgrind-3.19.0")
    put(path, "setarch", "exit 1")

    assert wrapped(tmp_path).command[0] == f"{path}/valgrind"


def test_caches_are_the_same_on_every_machine(tmp_path: Path, path: Path) -> None:
    put(path, "valgrind", "echo valgrind-3.22.0")

    found = wrapped(tmp_path, cache=True)

    assert {"--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=8388608,16,64"} < set(found.command)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "valgrind counts the instructions and is not there: install it (apt install valgrind"),
        ("echo valgrind-3.15.0", "valgrind-3.15 is too old to tell computing from waiting; 3.16 or newer is needed"),
        ("echo no libc6-dbg >&2; exit 1", "valgrind does not run: no libc6-dbg"),
    ],
    ids=["missing", "old", "broken"],
)
def test_a_valgrind_that_cannot_count_is_refused(path: Path, script: str | None, said: str) -> None:
    if script is not None:
        put(path, "valgrind", script)

    with pytest.raises(BackendUnavailableError) as refused:
        choose_method("callgrind")

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_hardware_cannot_simulate_caches() -> None:
    with pytest.raises(BackendUnavailableError, match="--cache: only callgrind simulates caches"):
        choose_method("hardware", cache=True)
