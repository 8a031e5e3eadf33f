"""Modules that docstrings, comments and pages name in backticks exist, and so do the names in them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pytest_benchdb"
TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.py", "src/**/*.sql", "benchmarks/**/*.py")
    for path in ROOT.glob(pattern)
    if "_build" not in path.parts
)
PACKAGES = sorted(path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py")
REFERENCE = re.compile(rf"`(?:pytest_benchdb\.)?((?:{'|'.join(PACKAGES)})(?:\.\w+)+)`")
COLUMNS = {"environment.details"}  # of the table of that name


def dangling(text: str) -> Iterator[str]:
    """Yield the references in a text that lead to no module, or to no name in a module."""
    for reference in REFERENCE.findall(text):
        parts = reference.split(".")
        for length in range(len(parts), 0, -1):
            place = SOURCE.joinpath(*parts[:length])
            module = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
            if module.exists():
                names = parts[length : length + 1]
                if all(re.search(rf"\b{name}\b", module.read_text(encoding="utf-8")) for name in names):
                    break
        else:
            yield reference


def test_references_to_nothing_are_found() -> None:
    text = "`errors.BenchdbError`, `pytest_benchdb.model`; `errors.Missing`, `pytest_benchdb.model.gone`"

    assert list(dangling(text)) == ["errors.Missing", "model.gone"]


def test_references_lead_to_modules_and_names() -> None:
    offenders = {
        path.relative_to(ROOT).as_posix(): references
        for path in TEXTS
        if (references := [name for name in dangling(path.read_text(encoding="utf-8")) if name not in COLUMNS])
    }

    assert offenders == {}
