"""Run pytest once for a side of a duet, and make sure that it measured what it should."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.duet.checkouts import OpenSide
from pytest_benchdb.operations.duet.import_probe import (
    PLUGIN,
    Imported,
    listed,
    packages_of,
    sort_modules,
    take_modules,
    write_probe,
)
from pytest_benchdb.operations.duet.plan import DUET_TAG, SIDE_TAG, Duet
from pytest_benchdb.operations.pytest_run import run_to_end

TESTS_FAILED = 1
_USABLE = frozenset({0, TESTS_FAILED, 5})
"""Exit statuses of pytest after which sessions may have been recorded; 5 means that no test was collected."""
_TAIL_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The end of one pytest process.

    Attributes:
        status: exit status of pytest.
        imported: where its modules came from; None if it did not report that.
    """

    status: int
    imported: Imported | None


class TurnRunner:
    """Runs the turns of a duet."""

    def __init__(
        self, duet: Duet, duet_id: str, temporary: Path, environ: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Prepare.

        Args:
            duet: what to run.
            duet_id: tag of the sessions.
            temporary: folder for the output and the report of pytest.
            environ: environment variables of the processes.
            say: called with the last lines of pytest's output when it failed.
        """
        self._duet = duet
        self._duet_id = duet_id
        self._temporary = temporary
        self._report = write_probe(temporary)
        self._environ = environ
        self._say = say

    def run(self, side: OpenSide) -> Turn:
        """Run pytest on a side.

        Raises:
            ConfigError: it could not be run, or imported another checkout's code.
        """
        log = self._temporary / "pytest.log"
        status = _wait(self._command(side), side, self._variables(side), log)
        text = log.read_text(encoding="utf-8", errors="replace")
        if status not in _USABLE or (status == TESTS_FAILED and "No module named pytest" in text):
            self.show(text)
            raise ConfigError(f"{side.name}: pytest ended with exit status {status} in {side.folder}; {_advice(text)}")
        modules = take_modules(self._report)
        imported = None
        if modules:
            imported = self._sorted(side, modules)
            self._check(side, modules, imported)
        return Turn(status=status, imported=imported)

    def show(self, text: str | None = None) -> None:
        """Show the last lines that pytest printed."""
        if text is None:
            text = (self._temporary / "pytest.log").read_text(encoding="utf-8", errors="replace")
        for line in [line for line in text.splitlines() if line.strip()][-_TAIL_LINES:]:
            self._say(f"  {line}")

    def _command(self, side: OpenSide) -> list[str]:
        tags = [f"--benchdb-tag={DUET_TAG}={self._duet_id}", f"--benchdb-tag={SIDE_TAG}={side.place}"]
        label = f"--benchdb-label=duet-{self._duet_id}-{side.place}"
        database = f"--benchdb={self._duet.database.absolute()}"
        return [*side.program, *self._duet.arguments, database, label, *tags]

    def _variables(self, side: OpenSide) -> dict[str, str]:
        own = [os.fspath(side.folder / entry) for entry in self._duet.pythonpath]
        path = os.pathsep.join([*own, os.fspath(self._temporary), *self._inherited("PYTHONPATH")])
        # By a variable, so that the command that is recorded, and shown to be run again, is the user's own.
        plugins = ",".join([*self._inherited("PYTEST_PLUGINS"), PLUGIN])
        return {**self._environ, "PYTHONPATH": path, "PYTEST_PLUGINS": plugins}

    def _inherited(self, name: str) -> list[str]:
        value = self._environ.get(name)
        return [value] if value else []

    def _sorted(self, side: OpenSide, modules: Mapping[str, str]) -> Imported:
        inner = [os.path.relpath(side.folder / entry, side.root) for entry in self._duet.pythonpath]
        return sort_modules(
            modules,
            side=side.root,
            checkout=side.checkout or side.root,
            packages=packages_of(side.root, inner),
        )

    def _check(self, side: OpenSide, modules: Mapping[str, str], imported: Imported) -> None:
        advice = "put its folder first with --pythonpath (src, or . without such a folder)"
        if imported.foreign:
            raise ConfigError(f"{side.name}: imported {listed(imported.foreign)} from your checkout; {advice}")
        module = self._duet.module
        if module is None:
            return
        if module not in modules:
            raise ConfigError(f"{side.name}: --module {module}: no test imported it; name one that they import")
        if side.checkout is not None and not _is_within(modules[module], side.root):
            raise ConfigError(f"{side.name}: {module} came from {modules[module]}, not from {side.root}; {advice}")


def _is_within(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder.resolve())


def _advice(text: str) -> str:
    if "No module named pytest" in text:
        return "install pytest and pytest-benchdb in that environment"
    if "unrecognized arguments" in text and "--benchdb" in text:
        return "install pytest-benchdb in that environment"
    if PLUGIN in text and "No module named" in text:
        return "PYTHONPATH does not reach it: name a program that hands the environment on"
    return "the end of its output is above; a side must run by itself first"


def _wait(command: Sequence[str], side: OpenSide, environ: Mapping[str, str], log: Path) -> int:
    try:
        return run_to_end(command, folder=side.folder, environ=environ, log=log)
    except OSError as error:
        raise ConfigError(
            f"{side.name}: cannot start {command[0]}: {error.strerror}; name a program that exists"
        ) from error
