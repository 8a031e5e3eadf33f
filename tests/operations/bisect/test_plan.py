from dataclasses import replace
from pathlib import Path

import pytest

from pytest_benchdb.environment.git.commit_range import RangeCommit
from pytest_benchdb.operations.bisect.plan import UNLIKELY, Span, passes_for, search_id, weights_of
from pytest_benchdb.operations.commits.record import CommitSuite

SUITE = CommitSuite(program=("pytest",), arguments=("tests",), database=Path("results"))


def changing(*files: str, sha: str = "1" * 40) -> RangeCommit:
    return RangeCommit(sha=sha, parents=(), author="A", authored_at="2026-11-01", subject="s", files=files)


@pytest.mark.parametrize(
    ("files", "likely"),
    [
        (("src/shop.py",), True),
        (("src/other.py",), False),
        (("docs/a.md", "README.rst", "LICENSE", ".github/workflows/ci.yml"), False),
        (("docs/conf.py",), False),
        (("README.md", "src/shop.py"), True),
        (("src/_fast.c",), True),
        (("pyproject.toml",), True),
        (("requirements.txt",), True),
        (("docs/requirements.txt",), False),
        (("setup.py",), True),
        (("data/words.bin",), True),
        (("tests/test_shop.py",), False),
        ((), True),
    ],
    ids=str,
)
def test_weights_of_a_commit_depend_on_what_the_benchmark_imports(files: tuple[str, ...], *, likely: bool) -> None:
    imported = {"src/shop.py", "tests/test_shop.py", "tests/conftest.py"}

    weights = weights_of([changing(*files)], imported, replaced=("tests/test_shop.py",))

    assert weights == (1.0 if likely else UNLIKELY,)


def test_weights_without_known_imports_take_every_python_file_for_likely() -> None:
    assert weights_of([changing("src/other.py"), changing("README.md")], None) == (1.0, UNLIKELY)


def test_search_id_is_the_same_for_the_same_ends_and_command_only() -> None:
    span = Span(good="0" * 40, commits=(changing("a"),))
    further = Span(good="0" * 40, commits=(changing("a"), changing("b", sha="2" * 40)))

    ids = [
        search_id(span, SUITE),
        search_id(span, replace(SUITE, database=Path("elsewhere"))),
        search_id(span, replace(SUITE, arguments=("tests", "-k", "x"))),
        search_id(span, replace(SUITE, setup="make env")),
        search_id(further, SUITE),
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("metric", "arguments", "expected"),
    [
        ("python_peak", ("tests",), ("tests", "--benchdb-passes=memory")),
        ("python_peak", ("--benchdb-passes=memory,series",), ("--benchdb-passes=memory,series",)),
        ("wall_time", ("tests",), ("tests",)),
    ],
)
def test_passes_for_a_metric_add_the_pass_that_measures_it(
    metric: str, arguments: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert passes_for(metric, arguments) == expected
