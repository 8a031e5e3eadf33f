"""Sessions under the limits of `ulimit`: the tests end as they do without us."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_benchdb.store.history.open import open_history

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits differ between systems")
SUITE = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_x(number, benchmark):
    open(__file__).close()
    benchmark.pedantic(len, args=("x",), rounds=1000)
"""


def run_limited(folder: Path, limit: str, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_x.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "test_x.py", *options]
    return subprocess.run(
        ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh", *command],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
@pytest.mark.parametrize("descriptors", [16, 20])
def test_few_file_descriptors_change_no_exit_status_and_lose_no_test(tmp_path: Path, descriptors: int) -> None:
    bare = run_limited(tmp_path, f"-n {descriptors}", "-p", "no:benchdb")
    done = run_limited(tmp_path, f"-n {descriptors}", "--benchdb=results")

    assert done.returncode == bare.returncode, done.stdout + done.stderr
    if done.returncode == 0:
        with open_history([tmp_path / "results"]) as reader:
            assert reader.query("SELECT count(*) FROM run WHERE outcome = 'passed'").rows == ((4,),)


def test_file_size_limit_changes_no_exit_status_and_says_what_is_lost(tmp_path: Path) -> None:
    blocks = 32 if "dash" in os.path.realpath("/bin/sh") else 16  # of 512 bytes, or of 1024 in bash
    done = run_limited(tmp_path, f"-f {blocks}", "--benchdb=results")

    assert done.returncode == 0, done.stdout + done.stderr
    assert " of 4 finished tests could not be stored and are lost: File too large" in done.stdout
    assert "nothing is lost" not in done.stdout
    with open_history([tmp_path / "results"]) as reader:
        (stored,) = reader.query("SELECT count(*) FROM run WHERE outcome = 'passed'").rows[0]
        assert reader.query("SELECT count(*) FROM run WHERE outcome = 'crashed'").rows == ((0,),)
        assert reader.query("SELECT text FROM note").rows == (
            (f"{4 - stored} finished tests are missing: they could not be written",),
        )
