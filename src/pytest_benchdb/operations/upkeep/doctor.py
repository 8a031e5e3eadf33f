"""Check the installation, the machine and the database, and give advice on problems."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb import __version__
from pytest_benchdb.environment.files import read_int, read_text
from pytest_benchdb.errors import StoreError, StoreMissingError
from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.present.writing.units import one_quantity
from pytest_benchdb.store.history.session_folder import journals
from pytest_benchdb.store.history.single_file import inbox_files
from pytest_benchdb.store.target import HISTORY_NAME, INBOX_SUFFIX, how_to_record
from pytest_benchdb.store.upkeep.check import validate

Version = tuple[int, ...]
OLDEST_PYTHON = (3, 10)
DUCKDB_FROM = (1, 4)
DUCKDB_BELOW = (3,)
PERF_FOR_USERS = 2
"""Largest `perf_event_paranoid` at which users may count the events of their own processes."""

_PARTNERS = ("pytest-benchmark", "pytest-codspeed", "pytest-xdist", "pytest-timeout", "pytest-rerunfailures", "pyarrow")
Severity = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        severity: `error` keeps something from working, `warning` makes results worse, `note` is good to know.
        subject: the thing that was checked.
        message: the result.
        advice: what to do; None if nothing needs to be done.
    """

    severity: Severity
    subject: str
    message: str
    advice: str | None = None


def diagnose(path: Path, *, full: bool = False, feedback: Feedback = SILENT) -> list[Finding]:
    """Check everything; the database at `path` need not exist, and `full` reads every value of it."""
    findings = [
        *check_installation(_installed_version, tuple(sys.version_info[:3])),
        *check_plugin(_plugin_is_registered(), os.environ),
        *check_machine(Path("/"), BlockProbe().unmeasured()),
        *check_energy(*_energy_meters()),
        *check_place(path, lambda place: os.access(place, os.W_OK)),
    ]
    is_duckdb_broken = any(finding.subject == "duckdb" and finding.severity == "error" for finding in findings)
    if path.exists() and not is_duckdb_broken:
        findings += check_database(path, full=full, feedback=feedback)
    return findings


def check_database(path: Path, *, full: bool = False, feedback: Feedback = SILENT) -> Iterator[Finding]:
    """Yield findings about an existing database; journals of dead sessions are folded on the way.

    `full` reads and checks every value, which takes about as long as copying the files.
    """
    warnings: list[str] = []
    try:
        with open_source([path], Feedback(progress=feedback.progress, warn=warnings.append)) as reader:
            sessions = reader.sessions()
    except StoreMissingError as error:
        message, _, advice = str(error).removeprefix(f"{path} ").partition("; ")
        yield Finding("warning", str(path), message, advice)
        return
    except StoreError as error:
        yield Finding("error", str(path), str(error))
        return
    incomplete = sum(not session.complete for session in sessions)
    of_them = f", {incomplete} of them incomplete" if incomplete else ""
    yield Finding("ok", str(path), f"{counted(len(sessions), 'session')}{of_them}")
    for warning in warnings:
        yield Finding("warning", str(path), warning, "move the file away, or bring back a good copy of it")
    yield from _check_spool(path)
    if path.is_dir():
        yield _check_cache(path / HISTORY_NAME)
    if full:
        yield from _check_content(path, feedback)


def _check_spool(path: Path) -> Iterator[Finding]:
    spool = path if path.is_dir() else Path(os.fspath(path) + INBOX_SUFFIX)
    for journal in journals(spool):
        yield Finding(
            "note",
            str(journal),
            "a journal: its session still runs, or could not be folded",
            f"once no pytest runs there: benchdb recover {path}",
        )
    left = [] if path.is_dir() else inbox_files(os.fspath(path))
    if left:
        yield Finding(
            "warning", str(spool), f"{counted(len(left), 'session')} to go into {path.name}", f"benchdb recover {path}"
        )


def _check_cache(cache: Path) -> Finding:
    if not cache.exists():
        message = "kept in the user's cache folder, because this folder is not yours or cannot be written"
    else:
        message = f"up to date, {one_quantity(float(cache.stat().st_size), 'B')}; it can be deleted and is made again"
    return Finding("ok", f"cache {HISTORY_NAME}", message)


def _check_content(path: Path, feedback: Feedback) -> Iterator[Finding]:
    checked = validate(path, progress=feedback.progress)
    for problem in checked.problems:
        yield Finding(
            "error",
            str(problem.path),
            f"{problem.check}: {problem.message}",
            "bring back a good copy, or move the file away",
        )
    if not checked.problems:
        yield Finding("ok", "content", f"every value of {counted(checked.files, 'file')} is in order")


def check_installation(version_of: Callable[[str], str | None], python: Version) -> Iterator[Finding]:
    """Yield findings about Python and the packages; `version_of` returns None for one that is not installed."""
    yield Finding("ok", "pytest-benchdb", __version__)
    shown = ".".join(map(str, python[:3]))
    if python[:2] < OLDEST_PYTHON:
        yield Finding("error", "Python", f"{shown} is too old", advice="use Python 3.10 or newer")
    else:
        yield Finding("ok", "Python", shown)
    yield _check_duckdb(version_of("duckdb"))
    for name in _PARTNERS:
        version = version_of(name)
        if version is not None:
            yield Finding("ok", name, version)
        elif name == "pyarrow":
            yield Finding("ok", name, "not installed: no Parquet files, and no `to_arrow()` in the Python API")


def _check_duckdb(installed: str | None) -> Finding:
    advice = "pip install 'duckdb>=1.4,<3'"
    if installed is None:
        return Finding("error", "duckdb", "not installed", advice=advice)
    version = parse_version(installed)
    if version < DUCKDB_FROM or version >= DUCKDB_BELOW:
        return Finding("error", "duckdb", f"{installed} is not supported", advice=advice)
    return Finding("ok", "duckdb", installed)


def parse_version(text: str) -> Version:
    """Return the leading numbers of a version.

    >>> parse_version("1.4.0rc1")
    (1, 4, 0)
    """
    leading = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, leading[0].split("."))) if leading else ()


def check_plugin(is_registered: bool, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding on whether pytest loads the plugin; `is_registered` means that its entry point is installed."""
    if not is_registered:
        yield Finding(
            "error",
            "pytest plugin",
            "pytest does not find it",
            "install the package with pip instead of only putting it on PYTHONPATH",
        )
    elif environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        yield Finding(
            "warning",
            "pytest plugin",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD keeps pytest from loading it",
            "unset the variable, or run: pytest -p pytest_benchdb.plugin --benchdb",
        )
    else:
        yield Finding("ok", "pytest plugin", "pytest loads it by itself")


def check_machine(root: Path, unmeasured: Mapping[str, str]) -> Iterator[Finding]:
    """Yield findings about what the machine can measure and what makes its timings vary.

    Args:
        root: folder that stands in for ``/``.
        unmeasured: why a metric cannot be measured, by metric.
    """
    for metric in ("peak_rss", "rss_start", "steal_time"):
        if metric in unmeasured:
            yield Finding("warning", metric, f"not measured: {unmeasured[metric]}")
        else:
            yield Finding("ok", metric, "measured")
    paranoid = read_int(root / "proc/sys/kernel/perf_event_paranoid")
    if paranoid is not None and paranoid > PERF_FOR_USERS:
        yield Finding(
            "note",
            "perf counters",
            f"kernel.perf_event_paranoid is {paranoid}: users cannot read hardware counters",
            "for instruction counts: sudo sysctl kernel.perf_event_paranoid=2",
        )
    governor = read_text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor is not None and governor != "performance":
        yield Finding(
            "note",
            "CPU governor",
            f"{governor}: the clock follows the load, timings vary more",
            "sudo cpupower frequency-set -g performance",
        )


def check_energy(readable: Sequence[str], left_out: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each meter: whether it can be read and, if a command would open it, that command.

    Args:
        readable: names of the meters that can be read.
        left_out: why others cannot, by name.
    """
    for name in readable:
        yield Finding("ok", f"meter {name}", "can be read")
    for name, reason in left_out.items():
        message, run, command = reason.partition(", run: ")
        yield Finding("note" if run else "ok", f"meter {name}", f"not read: {message}", command or None)


def _energy_meters() -> tuple[list[str], Mapping[str, str]]:
    from pytest_benchdb.registry import meters_here

    readable, left_out = meters_here()
    return [meter.name for meter in readable if meter.provenance != "simulated"], left_out


def check_place(path: Path, is_writable: Callable[[Path], bool]) -> Iterator[Finding]:
    """Yield a finding on whether there is a database at `path` and whether this user can write it."""
    if not path.exists():
        yield Finding("note", str(path), "there is no database yet", f"record one with: {how_to_record(path)}")
        return
    if is_writable(path):
        yield Finding("ok", str(path), "can be written")
    else:
        yield Finding(
            "warning",
            str(path),
            "cannot be written: sessions would stay in journals elsewhere",
            f"give this user the right to write {path}, or name another path",
        )


def _installed_version(name: str) -> str | None:
    from importlib import metadata  # imported late: the program's help imports every command

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _plugin_is_registered() -> bool:
    from importlib import metadata

    return any(point.name == "benchdb" for point in metadata.entry_points(group="pytest11"))
