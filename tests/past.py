"""A small project with a past, for tests that record past commits."""

from pathlib import Path

from tests.checkout import Checkout, new_checkout

BENCHMARK = """
from shop import total

def test_total(bench_cpu):
    bench_cpu.pedantic(total, args=(10,), rounds=5)
"""
PACKAGE = "src/shop/__init__.py"
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchdb.plugin -p no:cacheprovider"}


def write(checkout: Checkout, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = checkout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(checkout: Checkout, name: str, files: dict[str, str] | None = None, *, day: int | None = None) -> str:
    """Write files, commit everything, on a day of January 2026 if one is given, and return the commit."""
    write(checkout, files or {})
    if day is not None:
        moment = f"2026-01-{day:02d}T12:00:00+00:00"
        checkout.environ |= {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    checkout.git("add", "--all")
    checkout.commit(name)
    return checkout.commits[name]


def new_shop(folder: Path) -> Checkout:
    """Make a package under src with a benchmark, in three commits: `bare` (no benchmark), `old` and `new`."""
    checkout = new_checkout(folder)
    checkout.environ.update(QUICK)
    bare = {PACKAGE: "def total(n):\n    return n\n", "pytest.ini": "[pytest]\n", ".gitignore": ".benchdb*\n"}
    commit(checkout, "bare", bare, day=1)
    commit(checkout, "old", {"tests/test_shop.py": BENCHMARK}, day=2)
    commit(checkout, "new", {PACKAGE: "def total(n):\n    return sum(range(n))\n"}, day=9)
    return checkout
