"""Find out which files a pytest process imported, to check that a commit measured its own code.

A package installed in editable mode is always imported from the same checkout, whichever folder pytest runs in. Both
sides would then measure the same code, and no change would show.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PLUGIN = "benchdb_import_probe"
"""Name of the pytest plugin that `write_probe` makes."""

_SOURCE = '''
"""Written by benchdb: records where modules came from."""
import os
import sys


def pytest_unconfigure():
    modules = sorted(item for item in sys.modules.items() if item[0].partition(".")[0] not in sys.stdlib_module_names)
    files = [(name, getattr(module, "__file__", None)) for name, module in modules]
    lines = [f"{{name}}\\t{{os.path.realpath(file)}}\\n" for name, file in files if isinstance(file, str)]
    with open({report!r}, "a", encoding="utf-8", errors="surrogateescape") as report:
        report.writelines(lines)
'''
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_NOT_THE_PROJECT = frozenset({"conftest", "test", "tests", "docs", "examples", "benchmarks", "__main__"})
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The project's modules that a process imported.

    Attributes:
        own: top-level names that came from the side's own folder, without tests.
        foreign: files by name of modules that came from the user's checkout instead.
        installed: files by name of the side's packages that came from elsewhere.
    """

    own: tuple[str, ...]
    foreign: Mapping[str, str]
    installed: Mapping[str, str]


def write_probe(folder: Path) -> Path:
    """Write the plugin into a folder to be put on PYTHONPATH; return the report file that it will write."""
    report = folder / "imported.txt"
    (folder / f"{PLUGIN}.py").write_text(_SOURCE.format(report=os.fspath(report)), encoding="utf-8")
    return report


def read_modules(report: Path) -> dict[str, str]:
    """Return the files of the modules that the last process imported, by name, and delete the report."""
    try:
        text = report.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return {}
    report.unlink()
    pairs = (line.partition("\t") for line in text.splitlines())
    return {name: file for name, _, file in pairs}


def classify_modules(modules: Mapping[str, str], *, side: Path, checkout: Path, packages: Iterable[str]) -> Imported:
    """Separate a side's own modules from those that should have been its own.

    Args:
        modules: file by name.
        side: folder of the side's checkout.
        checkout: folder of the user's checkout; may be the same.
        packages: names of the side's packages.
    """
    side_, checkout_ = Path(os.path.realpath(side)), Path(os.path.realpath(checkout))
    names = set(packages)
    own: set[str] = set()
    foreign: dict[str, str] = {}
    installed: dict[str, str] = {}
    for name, file in modules.items():
        path, top = Path(file), name.partition(".")[0]
        is_installed = not _INSTALLED.isdisjoint(path.parts)
        if path.is_relative_to(side_) and not is_installed:
            own.add(top)
        elif path.is_relative_to(checkout_) and not is_installed:
            foreign[name] = file
        elif name in names:
            installed[name] = file
    return Imported(
        own=tuple(sorted(name for name in own if not _is_test(name))),
        foreign=foreign,
        installed={name: file for name, file in installed.items() if name not in own},
    )


def find_packages(folder: Path, pythonpath: Iterable[str]) -> set[str]:
    """Return the names of a checkout's packages, and of the modules in ``src`` and `pythonpath`, without tests."""
    inner = {folder / "src", *(folder / entry for entry in pythonpath)}
    names = {init.parent.name for root in {folder, *inner} for init in root.glob("*/__init__.py")}
    names |= {file.stem for root in inner for file in root.glob("*.py")}
    return {name for name in names if not _is_test(name)}


def modules_text(files: Mapping[str, str]) -> str:
    """Return a few modules with their files, for a message."""
    shown = [f"{name} ({files[name]})" for name in sorted(files)[:_SHOWN]]
    more = len(files) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _is_test(name: str) -> bool:
    return name in _NOT_THE_PROJECT or name.startswith("test_") or name.endswith("_test")
