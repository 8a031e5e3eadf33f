import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.model.answer.bisection import Bisection
from pytest_benchdb.operations.bisect.plan import BisectRequest, passes_for
from pytest_benchdb.operations.bisect.run import bisect
from pytest_benchdb.operations.commits.record import CommitSuite
from pytest_benchdb.operations.exchange.open import Feedback

BENCHMARK = "from shop import work\n\ndef test_work(bench_cpu):\n    bench_cpu.pedantic(work, rounds=3)\n"
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchdb.plugin -p no:cacheprovider"}
PACKAGE, TEST = "src/shop/__init__.py", "tests/test_shop.py"


def needing(kilobytes: int) -> str:
    """Return a module whose work needs so much memory, which repeats exactly."""
    return f"def work():\n    return bytearray({kilobytes} * 1024)\n"


@dataclass
class Shop:
    """A project with a benchmark, whose commits a test makes."""

    checkout: Checkout
    results: Path
    said: list[str] = field(default_factory=list)

    def commit(self, name: str, files: Mapping[str, str]) -> str:
        for path, text in files.items():
            place = self.checkout.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        self.checkout.git("add", "--all")
        self.checkout.commit(name)
        return self.checkout.commits[name]

    def levels(self, *kilobytes: int) -> list[str]:
        """Make a commit for each level of memory: a, b, c, ..."""
        return [
            self.commit(chr(ord("a") + number), {PACKAGE: needing(level) + f"# {number}\n"})
            for number, level in enumerate(kilobytes)
        ]

    def bisect(self, good: str = "a", bad: str = "HEAD", **changes: object) -> Bisection:
        metric = str(changes.pop("metric", "python_peak"))
        suite = CommitSuite(
            program=("pytest",), arguments=passes_for(metric, ("tests",)), database=self.results, **_of_suite(changes)
        )
        request = BisectRequest(good=self.checkout.commits.get(good, good), bad=bad, suite=suite, metric=metric)
        request = replace(request, **changes)  # type: ignore[arg-type]
        return bisect(request, self.checkout.root, self.checkout.environ, Feedback(warn=self.said.append))

    def worktrees(self) -> int:
        return len(self.checkout.git("worktree", "list").splitlines())


def _of_suite(changes: dict[str, object]) -> dict[str, Any]:
    return {name: changes.pop(name) for name in ("setup", "build", "files") if name in changes}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    checkout = new_checkout(tmp_path)
    checkout.environ.update(QUICK)
    made = Shop(checkout, tmp_path / "results")
    for path, text in {TEST: BENCHMARK, "pytest.ini": "[pytest]\n"}.items():
        place = checkout.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return made
