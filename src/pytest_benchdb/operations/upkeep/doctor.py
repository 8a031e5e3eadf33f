"""Look at the installation, the machine and the database, and say what to do about what is not right.

One thing that `benchdb doctor` looked at.

What `benchdb doctor` says about a database.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb import __version__
from pytest_benchdb.environment.files import read_int, read_text
from pytest_benchdb.errors import StoreError
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.present.writing.text import counted
from pytest_benchdb.present.writing.units import choose_unit, write_figure
from pytest_benchdb.store.check import validate
from pytest_benchdb.store.history.session_folder import journals
from pytest_benchdb.store.history.single_file import waiting
from pytest_benchdb.store.target import HISTORY_NAME, INBOX_SUFFIX

Severity = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: `error` keeps something from working, `warning` makes results worse, `note` is good to know.
        subject: what was looked at.
        message: what was found.
        advice: what to do; None if there is nothing to do.
    """

    severity: Severity
    subject: str
    message: str
    advice: str | None = None


def check_database(path: Path, *, full: bool = False, feedback: Feedback = SILENT) -> Iterator[Finding]:
    """Yield what there is to say about a database that exists; journals of dead sessions are folded on the way.

    Args:
        path: folder or file.
        full: read and check every value, which takes about as long as copying the files.
        feedback: told about progress.
    """
    warnings: list[str] = []
    try:
        with open_source([path], Feedback(progress=feedback.progress, warn=warnings.append)) as reader:
            sessions = reader.sessions()
    except StoreError as error:
        yield Finding(severity="error", subject=str(path), message=str(error))
        return
    incomplete = sum(not session.complete for session in sessions)
    told = f", {incomplete} of them incomplete" if incomplete else ""
    yield Finding(severity="ok", subject=str(path), message=f"{counted(len(sessions), 'session')}{told}")
    for warning in warnings:
        yield Finding(
            severity="warning",
            subject=str(path),
            message=warning,
            advice="move the file away, or bring back a good copy of it",
        )
    yield from _check_spool(path)
    if path.is_dir():
        yield _check_cache(path / HISTORY_NAME)
    if full:
        yield from _check_content(path, feedback)


def _check_spool(path: Path) -> Iterator[Finding]:
    spool = path if path.is_dir() else Path(os.fspath(path) + INBOX_SUFFIX)
    for journal in journals(spool):
        yield Finding(
            severity="note",
            subject=str(journal),
            message="a journal: its session still runs, or could not be folded",
            advice=f"once no pytest runs there: benchdb recover {path}",
        )
    left = [] if path.is_dir() else waiting(os.fspath(path))
    if left:
        yield Finding(
            severity="warning",
            subject=str(spool),
            message=f"{counted(len(left), 'session')} to go into {path.name}",
            advice=f"benchdb recover {path}",
        )


def _check_cache(cache: Path) -> Finding:
    if not cache.exists():
        message = "kept in the user's cache folder, because this folder cannot be written"
    else:
        size = float(cache.stat().st_size)
        unit = choose_unit("memory", [size])
        message = f"up to date, {write_figure(size, unit)} {unit.symbol}; it can be deleted and is made again"
    return Finding(severity="ok", subject=f"cache {HISTORY_NAME}", message=message)


def _check_content(path: Path, feedback: Feedback) -> Iterator[Finding]:
    checked = validate(path, progress=feedback.progress)
    for problem in checked.problems:
        yield Finding(
            severity="error",
            subject=str(problem.path),
            message=f"{problem.check}: {problem.message}",
            advice="bring back a good copy, or move the file away",
        )
    if not checked.problems:
        yield Finding(
            severity="ok", subject="content", message=f"every value of {counted(checked.files, 'file')} is in order"
        )


Version = tuple[int, ...]

OLDEST_PYTHON = (3, 10)
DUCKDB_FROM = (1, 4)
DUCKDB_BELOW = (3,)
PERF_FOR_USERS = 2
"""Largest `perf_event_paranoid` at which a user may count the events of own processes."""

_PARTNERS = ("pytest-benchmark", "pytest-codspeed", "pytest-xdist", "pytest-timeout", "pytest-rerunfailures", "pyarrow")


def check_installation(version_of: Callable[[str], str | None], python: Version) -> Iterator[Finding]:
    """Yield what can be said of Python and the packages.

    Args:
        version_of: gives the installed version of a package; None if it is not there.
        python: version of the interpreter.
    """
    yield Finding(severity="ok", subject="pytest-benchdb", message=__version__)
    shown = ".".join(map(str, python[:3]))
    if python[:2] < OLDEST_PYTHON:
        yield Finding(
            severity="error", subject="Python", message=f"{shown} is too old", advice="use Python 3.10 or newer"
        )
    else:
        yield Finding(severity="ok", subject="Python", message=shown)
    yield _check_duckdb(version_of("duckdb"))
    for name in _PARTNERS:
        found = version_of(name)
        if found is not None:
            yield Finding(severity="ok", subject=name, message=found)
        elif name == "pyarrow":
            yield Finding(
                severity="note",
                subject=name,
                message="not installed: the Python API gives no tables",
                advice="pip install 'pytest-benchdb[arrow]'",
            )


def _check_duckdb(found: str | None) -> Finding:
    advice = "pip install 'duckdb>=1.4,<3'"
    if found is None:
        return Finding(severity="error", subject="duckdb", message="not installed", advice=advice)
    version = parse_version(found)
    if version < DUCKDB_FROM or version >= DUCKDB_BELOW:
        return Finding(severity="error", subject="duckdb", message=f"{found} is not supported", advice=advice)
    return Finding(severity="ok", subject="duckdb", message=found)


def parse_version(text: str) -> Version:
    """Return the leading numbers of a version.

    >>> parse_version("1.4.0rc1")
    (1, 4, 0)
    """
    numbers = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def check_plugin(is_registered: bool, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether pytest finds the plugin.

    Args:
        is_registered: whether the entry point ``pytest11`` is installed.
        environ: environment variables.
    """
    if not is_registered:
        yield Finding(
            severity="error",
            subject="pytest plugin",
            message="pytest does not find it",
            advice="install the package with pip instead of only putting it on PYTHONPATH",
        )
    elif environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        yield Finding(
            severity="warning",
            subject="pytest plugin",
            message="PYTEST_DISABLE_PLUGIN_AUTOLOAD keeps pytest from loading it",
            advice="unset the variable, or run: pytest -p pytest_benchdb.plugin --benchdb",
        )
    else:
        yield Finding(severity="ok", subject="pytest plugin", message="pytest loads it by itself")


def check_machine(root: Path, unmeasured: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what the machine cannot measure, and what makes its timings vary.

    Args:
        root: folder that stands for ``/``.
        unmeasured: why a metric cannot be measured, by metric; from the probe that measures.
    """
    for metric in ("peak_rss", "rss_start", "steal_time"):
        if metric in unmeasured:
            yield Finding(severity="warning", subject=metric, message=f"not measured: {unmeasured[metric]}")
        else:
            yield Finding(severity="ok", subject=metric, message="measured")
    paranoid = read_int(root / "proc/sys/kernel/perf_event_paranoid")
    if paranoid is not None and paranoid > PERF_FOR_USERS:
        yield Finding(
            severity="note",
            subject="perf counters",
            message=f"kernel.perf_event_paranoid is {paranoid}: users cannot read hardware counters",
            advice="for instruction counts: sudo sysctl kernel.perf_event_paranoid=2",
        )
    governor = read_text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor is not None and governor != "performance":
        yield Finding(
            severity="note",
            subject="CPU governor",
            message=f"{governor}: the clock follows the load, timings vary more",
            advice="sudo cpupower frequency-set -g performance",
        )


def check_place(path: Path, is_writable: Callable[[Path], bool]) -> Iterator[Finding]:
    """Yield whether there is a database at `path` and whether it can be written.

    Args:
        path: folder or file.
        is_writable: tells whether this user may write to a path.
    """
    if not path.exists():
        yield Finding(
            severity="note",
            subject=str(path),
            message="there is no database yet",
            advice=f"record one with: pytest --benchdb={path}",
        )
        return
    if is_writable(path):
        yield Finding(severity="ok", subject=str(path), message="can be written")
    else:
        yield Finding(
            severity="warning",
            subject=str(path),
            message="cannot be written: sessions would stay in journals elsewhere",
            advice=f"give this user the right to write {path}, or name another path",
        )


def diagnose(path: Path, *, full: bool = False, feedback: Feedback = SILENT) -> list[Finding]:
    """Look at everything.

    Args:
        path: the database, which need not exist.
        full: read and check every value of it.
        feedback: told about progress.
    """
    findings = [
        *check_installation(_installed_version, tuple(sys.version_info[:3])),
        *check_plugin(_plugin_is_registered(), os.environ),
        *check_machine(Path("/"), _unmeasured()),
        *check_place(path, lambda place: os.access(place, os.W_OK)),
    ]
    if path.exists() and not _is_broken(findings, "duckdb"):
        # Late: what it imports needs a working DuckDB, which is one of the things to look at.

        findings += check_database(path, full=full, feedback=feedback)
    return findings


def _is_broken(findings: list[Finding], subject: str) -> bool:
    return any(finding.subject == subject and finding.severity == "error" for finding in findings)


def _installed_version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _plugin_is_registered() -> bool:
    from importlib import metadata

    return any(point.name == "benchdb" for point in metadata.entry_points(group="pytest11"))


def _unmeasured() -> Mapping[str, str]:
    from pytest_benchdb.measure.process.block_usage import BlockProbe

    return BlockProbe().unmeasured()
