import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.checkout import Checkout, new_checkout
from tests.past import BENCHMARK, commit, write

from pytest_benchdb.operations.commits.checkout import find_benchmark_files, find_origin
from pytest_benchdb.operations.commits.record import CommitSuite, Recorded, open_recorder
from pytest_benchdb.operations.exchange.open import open_source

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell"),
]

Record = Callable[..., list[Recorded]]


@pytest.fixture
def record(shop: Checkout, tmp_path: Path) -> Record:
    """Record commits by name; what the recorder says goes into `said`."""

    def run(
        *names: str,
        arguments: tuple[str, ...] = ("tests",),
        said: list[str] | None = None,
        benchmarks_from: str | None = None,
        **fields: object,
    ) -> list[Recorded]:
        origin = find_origin(shop.root, shop.environ)
        files = None if benchmarks_from is None else find_benchmark_files(origin, benchmarks_from, arguments)
        suite = CommitSuite(
            program=("pytest",),
            arguments=arguments,
            database=tmp_path / "results",
            files=files,
            **fields,  # type: ignore[arg-type]
        )
        with open_recorder(origin, suite, (said if said is not None else []).append) as recorder:
            return [recorder.record_commit(shop.commits[name], {"backfill": "1"}) for name in names]

    return run


def worktrees(shop: Checkout) -> int:
    return len(shop.git("worktree", "list").splitlines())


def test_recorded_sessions_have_the_commit_its_subject_and_its_date(shop: Checkout, record: Record) -> None:
    before = shop.git("status", "--porcelain")

    new, old = record("new", "old")

    assert (new.failure, old.failure, new.notes) == (None, None, ())
    (session,) = old.sessions
    assert (session.commit_sha, session.commit_subject) == (shop.commits["old"], "old")
    assert session.commit_at is not None
    assert (session.dirty, session.runs, session.tags["backfill"]) == (False, 1, "1")
    assert session.started_at > new.sessions[0].started_at
    assert shop.git("status", "--porcelain") == before
    assert worktrees(shop) == 1


def test_each_commit_measures_its_own_code_although_the_checkout_is_on_the_path(shop: Checkout, record: Record) -> None:
    shop.environ["PYTHONPATH"] = str(shop.root / "src")

    (recorded,) = record("old")

    assert recorded.failure is None


def test_a_commit_that_imports_the_checkout_fails_and_its_session_is_excluded(
    shop: Checkout, record: Record, tmp_path: Path
) -> None:
    shop.environ["PYTHONPATH"] = str(shop.root / "src")

    (recorded,) = record("old", pythonpath=("tests",))

    assert recorded.failure is not None
    assert recorded.failure.kind == "imports"
    assert "--pythonpath" in recorded.failure.text
    with open_source([tmp_path / "results"]) as reader:
        (session,) = reader.sessions()
    assert session.excluded is not None
    assert "measured other code" in session.excluded


def test_a_commit_without_the_benchmark_says_so(record: Record) -> None:
    (recorded,) = record("bare")

    assert recorded.failure is not None
    assert recorded.failure.kind == "no-benchmark"
    assert "tests" in recorded.failure.text


def test_benchmarks_of_another_commit_run_on_old_code_and_leave_it_clean(shop: Checkout, record: Record) -> None:
    commit(
        shop,
        "more",
        {
            "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef size():\n    return 10\n",
            "tests/test_shop.py": BENCHMARK.replace("(bench_cpu)", "(bench_cpu, size)"),
            "tests/test_more.py": BENCHMARK,
            "src/shop/__init__.py": "raise SystemExit\n",
        },
    )

    bare, old = record("bare", "old", benchmarks_from="HEAD")

    assert (bare.failure, old.failure) == (None, None)
    assert [(session.runs, session.not_passed, session.dirty) for one in (bare, old) for session in one.sessions] == [
        (2, 0, False),
        (2, 0, False),
    ]
    assert old.sessions[0].commit_sha == shop.commits["old"]


def test_setup_runs_once_for_commits_with_the_same_dependencies(shop: Checkout, record: Record, tmp_path: Path) -> None:
    commit(shop, "pinned", {"requirements.txt": "click==8\n"})
    made, python = tmp_path / "made", tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    shop.environ["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    setup = (
        f'echo "$BENCHDB_COMMIT" >> {made}; test -f "$BENCHDB_CHECKOUT/pytest.ini" && mkdir "$BENCHDB_ENV/bin" && '
        f'ln -s {python} "$BENCHDB_ENV/bin/python"'
    )

    first = record("old", "new", setup=setup)
    second = record("pinned", "new", setup=setup)

    assert [one.failure for one in (*first, *second)] == [None] * 4
    assert made.read_text(encoding="utf-8").split() == [shop.commits["old"], shop.commits["pinned"]]


@pytest.mark.parametrize(
    "command",
    ["echo cannot compile; exit 3", "echo 'write error: No space left on device'; exit 1"],
    ids=["fails", "disk-full"],
)
@pytest.mark.parametrize("step", ["setup", "build"])
def test_a_step_that_fails_is_the_reason_and_leaves_nothing(
    shop: Checkout, record: Record, tmp_path: Path, step: str, command: str
) -> None:
    shop.environ["XDG_CACHE_HOME"] = str(tmp_path / "cache")

    (recorded,) = record("old", **{step: command})

    assert recorded.failure is not None
    assert recorded.failure.kind == step
    assert command.partition(";")[0].removeprefix("echo ").strip("'") in recorded.failure.text
    assert not list((tmp_path / "cache").glob("**/env"))
    assert worktrees(shop) == 1


def test_benchmarks_that_all_fail_are_recorded_with_a_failure(shop: Checkout, record: Record) -> None:
    commit(shop, "broken", {"src/shop/__init__.py": "def total(n):\n    raise ValueError('out of order')\n"})

    (recorded,) = record("broken")

    assert recorded.failure is not None
    assert recorded.failure.kind == "tests"
    assert [session.not_passed for session in recorded.sessions] == [1]


def test_submodules_that_the_checkout_has_are_there_and_others_are_named(
    shop: Checkout, record: Record, tmp_path: Path
) -> None:
    lent = new_checkout(tmp_path / "lent")
    commit(lent, "data", {"numbers.txt": "1 2 3\n"})
    for path in ("data", "gone"):
        shop.git("submodule", "add", "-q", f"file://{lent.root}", path)
    reads = 'from pathlib import Path\n\nDATA = Path("data/numbers.txt").read_text()\n'
    commit(shop, "submodules", {"tests/test_shop.py": reads + BENCHMARK})
    shop.git("submodule", "deinit", "-q", "-f", "gone")
    write(shop, {"data/numbers.txt": "changed by hand\n"})
    config = (shop.root / ".git" / "config").read_text(encoding="utf-8")
    shutil.rmtree(shop.root / ".git" / "modules" / "gone")
    said: list[str] = []

    (recorded,) = record("submodules", said=said)

    assert recorded.failure is None
    assert [session.dirty for session in recorded.sessions] == [False]
    assert len(said) == 1
    assert "submodule gone" in said[0]
    assert "git submodule update --init" in said[0]
    assert (shop.root / "data" / "numbers.txt").read_text(encoding="utf-8") == "changed by hand\n"
    assert (shop.root / ".git" / "config").read_text(encoding="utf-8") == config
