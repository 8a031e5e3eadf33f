from pathlib import Path

import pytest
from tests.checkout import Checkout, new_checkout

BENCHMARK = """
from shop import total

def test_total(bench_cpu):
    bench_cpu.pedantic(total, args=(10,), rounds=5)
"""
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchdb.plugin -p no:cacheprovider"}


def write(checkout: Checkout, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = checkout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(checkout: Checkout, name: str, files: dict[str, str]) -> str:
    """Write files, commit everything, and return the commit."""
    write(checkout, files)
    checkout.git("add", "--all")
    checkout.commit(name)
    return checkout.commits[name]


@pytest.fixture
def shop(tmp_path: Path) -> Checkout:
    """A package under src with a benchmark, in three commits: `bare` (no benchmark), `old` and `new`."""
    checkout = new_checkout(tmp_path)
    checkout.environ.update(QUICK)
    package = "src/shop/__init__.py"
    commit(checkout, "bare", {package: "def total(n):\n    return n\n", "pytest.ini": "[pytest]\n"})
    commit(checkout, "old", {"tests/test_shop.py": BENCHMARK})
    commit(checkout, "new", {package: "def total(n):\n    return sum(range(n))\n"})
    return checkout
