import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_benchdb.operations.commits.import_probe import (
    PLUGIN,
    Imported,
    classify_modules,
    find_packages,
    modules_text,
    read_modules,
    write_probe,
)


def sort(tmp_path: Path, **files: str) -> Imported:
    modules = {name: str((tmp_path / file).resolve()) for name, file in files.items()}
    return classify_modules(modules, side=tmp_path / "side", checkout=tmp_path / "checkout", packages={"shop"})


def test_classify_modules_from_the_side_are_its_own(tmp_path: Path) -> None:
    files = {"shop": "side/src/shop/__init__.py", "shop.sale": "side/src/shop/sale.py", "test_a": "side/test_a.py"}

    assert sort(tmp_path, **files) == Imported(own=("shop",), foreign={}, installed={})


def test_classify_modules_from_the_checkout_are_foreign(tmp_path: Path) -> None:
    found = sort(tmp_path, shop="checkout/src/shop/__init__.py")

    assert found.foreign == {"shop": str((tmp_path / "checkout/src/shop/__init__.py").resolve())}


def test_classify_modules_from_an_environment_within_the_checkout_are_not_foreign(tmp_path: Path) -> None:
    found = sort(tmp_path, numpy="checkout/.venv/lib/python3.11/site-packages/numpy/__init__.py")

    assert found == Imported(own=(), foreign={}, installed={})


def test_classify_modules_reports_a_package_of_the_side_from_the_environment(tmp_path: Path) -> None:
    found = sort(tmp_path, shop="env/site-packages/shop/__init__.py")

    assert list(found.installed) == ["shop"]


def test_classify_modules_where_the_side_is_the_checkout_none_is_foreign(tmp_path: Path) -> None:
    file = tmp_path.resolve() / "src" / "shop" / "__init__.py"

    found = classify_modules({"shop": str(file)}, side=tmp_path, checkout=tmp_path, packages={"shop"})

    assert found == Imported(own=("shop",), foreign={}, installed={})


@pytest.mark.parametrize("place", [".", "src", "lib/python"])
def test_find_packages_looks_at_the_top_in_src_and_in_the_path(place: str, tmp_path: Path) -> None:
    (tmp_path / place / "shop").mkdir(parents=True)
    (tmp_path / place / "shop" / "__init__.py").touch()

    assert find_packages(tmp_path, ["lib/python"]) == {"shop"}


def test_find_packages_includes_modules_in_src(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").touch()
    (tmp_path / "setup.py").touch()

    assert find_packages(tmp_path, []) == {"shop"}


def test_find_packages_leaves_tests_out(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()

    assert find_packages(tmp_path, []) == set()


def test_modules_text_names_three_and_counts_the_rest() -> None:
    files = {name: f"/{name}.py" for name in "dbca"}

    assert modules_text(files) == "a (/a.py), b (/b.py), c (/c.py) and 1 more"


def test_write_probe_reports_what_a_pytest_process_imported_once(tmp_path: Path) -> None:
    probe = write_probe(tmp_path)
    (tmp_path / "shop.py").touch()
    (tmp_path / "test_shop.py").write_text("import json, shop\ndef test_it(): pass\n", encoding="utf-8")
    options = ["-q", "-p", PLUGIN, "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "test_shop.py"]

    subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=True,
        capture_output=True,
    )
    modules = read_modules(probe)

    assert modules["shop"] == str(tmp_path.resolve() / "shop.py")
    assert "json" not in modules
    assert read_modules(probe) == {}
