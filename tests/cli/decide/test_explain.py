import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

TEST = """
from shop import total

def test_total(bench_cpu):
    bench_cpu.pedantic(total, args=(10,), rounds=2)

def test_same(bench_cpu):
    bench_cpu.pedantic(sorted, args=([3, 1, 2],), rounds=2)
"""
BASE = "def price(n):\n    return n\n\n\ndef total(n):\n    return price(n)\n"
HEAD = "def price(n):\n    return sum([1 for _ in range(n)])\n\n\ndef total(n):\n    return price(n)\n"
LARGE_TEST = """
import itertools

import pytest
import shop

@pytest.mark.parametrize("name", ["kept", "copied", "buffered", "same"])
def test_memory(bench_cpu, name):
    bench_cpu.pedantic(getattr(shop, name), args=(1000,), rounds=2)

calls = itertools.count()

def test_varying(bench_cpu):
    bench_cpu.pedantic(lambda: [bytes(1000) for _ in range(next(calls) % 7 * 1000)], rounds=2)
"""
SMALL = """
def row(number):
    return [number] * 100


def kept(count):
    rows = 0
    for number in range(count):
        rows += len(row(number))
    return rows


def copied(count):
    data = list(range(count))
    return len(data)


def buffered(count):
    buffer = bytearray(1 << 16)
    return len(buffer)


def same(count):
    return len(list(range(count)))
"""
LARGE = (
    SMALL.replace("    rows = 0", "    # every row is needed\n    rows = []")
    .replace("rows += len(row(number))", "rows.append(row(number))")
    .replace("    return len(data)", "    twin = data + [0]\n    return len(twin)")
    .replace("1 << 16", "1 << 20")
)
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchdb.plugin -p no:cacheprovider"}
WORDS = ("--pythonpath", "src", "--db", "results", "--", "pytest", "tests")

Benchdb = Callable[..., Any]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path / "home"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **QUICK,
    }


@pytest.fixture
def repository(tmp_path: Path, environ: dict[str, str]) -> Path:
    """A repository of two commits, `v1` and `v2`, of which the second is slower."""
    return _repository(tmp_path / "repository", environ, TEST, BASE, HEAD)


def _repository(folder: Path, environ: dict[str, str], test: str, base: str, head: str) -> Path:
    for inner in ("src", "tests"):
        (folder / inner).mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "tests" / "test_shop.py").write_text(test, encoding="utf-8")
    _git(folder, environ, "init", "-q", "-b", "main")
    for tag, source in (("v1", base), ("v2", head)):
        (folder / "src" / "shop.py").write_text(source, encoding="utf-8")
        _git(folder, environ, "add", ".")
        _git(folder, environ, "commit", "-q", "-m", tag)
        _git(folder, environ, "tag", tag)
    return folder


def _git(folder: Path, environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **environ}, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_explain_names_the_function_and_writes_files(
    repository: Path, environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    ended = benchdb_process("explain", "v1", "v2", "-f", "json", "--files", "why", *WORDS, cwd=repository, **environ)

    assert ended.status == 0, ended.err
    found = {one["benchmark"]: one for one in json.loads(ended.out)["benchmarks"]}
    assert found["tests/test_shop.py::test_total"]["python"]["culprit"]["name"] == "price"
    assert found["tests/test_shop.py::test_same"]["python"]["culprit"] is None
    assert len(list((repository / "why").iterdir())) == 14
    assert len(_git(repository, environ, "worktree", "list").splitlines()) == 1

    # Both sessions have profiles, so that nothing is run for them again.
    again = benchdb_process(
        "explain", *_labels(repository, benchdb_process), "-k", "total", "--db", "results", cwd=repository, **environ
    )
    assert again.status == 0, again.err
    assert "because of price (src/shop.py:1)" in again.out
    assert "run 1" not in again.err

    # Its counts are metrics like any other.
    labels = _labels(repository, benchdb_process)
    compared = benchdb_process(
        "compare", *labels, "--metric", "bytecodes", "--db", "results", cwd=repository, **environ
    )
    assert compared.status == 0, compared.err
    assert "test_total" in compared.out


def _labels(repository: Path, benchdb_process: Benchdb) -> list[str]:
    ended = benchdb_process("sessions", "--db", "results", "-f", "json", cwd=repository)
    rows = sorted(json.loads(ended.out)["rows"], key=lambda row: row["started_at"])
    return [f"label:{row['label']}" for row in rows]


@pytest.fixture
def large(tmp_path: Path, environ: dict[str, str]) -> Path:
    """A repository of two commits, `v1` and `v2`, of which the second holds more memory."""
    return _repository(tmp_path / "large", environ, LARGE_TEST, SMALL, LARGE)


def test_explain_names_the_line_that_holds_more_memory(
    large: Path, environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    ended = benchdb_process("explain", "v1", "v2", "--metric", "memory", "-f", "json", *WORDS, cwd=large, **environ)

    assert ended.status == 0, ended.err
    found = {one["benchmark"].partition("::")[2]: one for one in json.loads(ended.out)["benchmarks"]}
    culprits = {name: one["memory"]["culprit"] for name, one in found.items() if one["memory"] is not None}
    assert {name: culprit and culprit["text"] for name, culprit in culprits.items()} == {
        "test_memory[kept]": "return [number] * 100",
        "test_memory[copied]": "twin = data + [0]",
        "test_memory[buffered]": "buffer = bytearray(1 << 20)",
        "test_memory[same]": None,
    }
    assert culprits["test_memory[kept]"]["keeper"]["text"] == "rows.append(row(number))"
    assert "its memory differs from call to call" in found["test_varying"]["reason"]

    # Both sessions have allocations, so that nothing is run for them again.
    again = benchdb_process(
        *("explain", *_labels(large, benchdb_process), "--metric", "python_peak", "-k", "kept", "--db", "results"),
        cwd=large,
        **environ,
    )
    assert again.status == 0, again.err
    assert "because of row (src/shop.py:3)" in again.out
    assert "called by kept (src/shop.py:10), for which nothing was held before: rows.append(row(number))" in again.out
    assert "run 1" not in again.err


@pytest.mark.skipif(importlib.util.find_spec("memray") is None, reason="memray is not installed")
def test_explain_by_memray_names_the_line(large: Path, environ: dict[str, str], benchdb_process: Benchdb) -> None:
    words = ("--metric", "native_peak", "-k", "buffered or same")
    ended = benchdb_process("explain", "v1", "v2", *words, *WORDS, cwd=large, **environ)

    assert ended.status == 0, ended.err
    assert "because of buffered (src/shop.py:21), which has 100 % of the growth" in ended.out
    assert "2 benchmarks, 1 without a line that holds more" in ended.out


def test_duet_explains_memory_in_its_json(large: Path, environ: dict[str, str], benchdb_process: Benchdb) -> None:
    words = [*WORDS, "--benchdb-passes=memory", "-k", "copied"]
    ended = benchdb_process(
        *("duet", "v1", "v2", "--pairs", "2", "--metric", "python_peak", "--explain", "-f", "json", *words),
        cwd=large,
        **environ,
    )

    assert ended.status == 0, ended.err
    [one] = json.loads(ended.out)["explanations"]
    assert (one["metric"], one["memory"]["culprit"]["text"]) == ("python_peak", "twin = data + [0]")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name the base"),
        (("v1", "v2", "-k", "(", *WORDS), "-k"),
        (
            ("v1", "v2", "--metric", "energy", *WORDS),
            "--metric energy: it cannot be explained; these can: instructions",
        ),
        (("v1", "v2", "--metric", "memory", "--native", *WORDS), "--native explains instructions"),
        (("nowhere", "v2", *WORDS), "'nowhere' is not a commit"),
    ],
    ids=["no base", "no expression", "no metric", "another metric", "no commit"],
)
def test_explain_that_cannot_begin_says_so_in_one_line(
    repository: Path, environ: dict[str, str], benchdb_process: Benchdb, words: tuple[str, ...], message: str
) -> None:
    ended = benchdb_process("explain", *words, cwd=repository, **environ)

    assert ended.status == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.long
def test_explain_of_a_benchmark_that_one_side_lacks_says_so(
    repository: Path, environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    test = repository / "tests" / "test_shop.py"
    test.write_text(TEST.replace("test_same", "test_renamed"), encoding="utf-8")

    ended = benchdb_process("explain", "v1", *WORDS, cwd=repository, **environ)

    assert ended.status == 0, ended.err
    assert ended.out.count("has no such benchmark: it is new, gone or renamed") == 2
