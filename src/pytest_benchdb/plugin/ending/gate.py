"""The gate at the end of a run, ``--benchdb-fail-on``: runs `benchdb regress`, and writes the lines that it returns.

It uses a separate process, because it reads the database, and pytest's process never loads DuckDB.

PYTEST_DONT_REWRITE
"""

import json
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.plugin.ending.own_command import database_with, database_words, last_line, run_benchdb
from pytest_benchdb.plugin.settings import Settings
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.store.fold_process import FoldResult
from pytest_benchdb.store.target import Target

_JUDGED = frozenset({exit_status.FINE, exit_status.GATE_FAILED, exit_status.UNDECIDED, exit_status.INTERRUPTED})
"""Exit statuses of `benchdb regress` after which its output has the result."""
_MOST_FAILURES = 30


class GateReport(NamedTuple):
    """The outcome of the gate.

    Attributes:
        failures: one line for each result that failed, and one if most of the suite became slower alike.
        notes: warnings, and the outcome in one line.
        trouble: why it could not judge; None if it did.
        next_command: the command that shows more.
    """

    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str | None = None
    next_command: str = ""

    @property
    def failed(self) -> bool:
        """Whether something became worse, or all of the suite, which leaves it undecided."""
        return bool(self.failures)


def judge_run(
    config: pytest.Config, settings: Settings, target: Target, session_id: str, result: FoldResult | None
) -> GateReport | None:
    """Judge the session that was just stored; None without `--benchdb-fail-on`.

    Problems with processes, files and databases are never raised; they are the report's `trouble`.

    Args:
        config: of this run.
        settings: of this run.
        target: where its results are stored.
        session_id: the session to judge.
        result: the result of its fold; None if nothing was recorded.
    """
    if not settings.fail_on:
        return None
    if result is None:
        return GateReport(notes=("nothing was recorded, so nothing was judged",))
    if result.status == "failed":
        return GateReport(trouble="not judged, because the session is not in the database yet")
    words = _words(config, settings, database_with(result, target), session_id)
    try:
        done = run_benchdb(words, config.invocation_params.dir)
    except KeyboardInterrupt:
        return GateReport(trouble="not judged: interrupted")
    except OSError as error:
        return GateReport(trouble=f"not judged: {sys.executable!r} cannot be started: {error.strerror}")
    limits = [word for limit in settings.fail_on for word in ("--threshold", limit)]
    baseline = [] if settings.baseline == "auto" else ["--baseline", settings.baseline]
    again = ["benchdb", "regress", *database_words(target.path, config), *baseline, *limits, "-v"]
    return _report(done.returncode, done.stdout, done.stderr)._replace(next_command=shlex.join(again))


def announce(config: pytest.Config, settings: Settings) -> None:
    """Announce on a terminal that suspects may be run again, which takes noticeable time."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if settings.confirm == 0 or reporter is None or not reporter.isatty or config.get_verbosity() < 0:
        return
    reporter.ensure_newline()
    reporter.write_line("benchdb: judging this session; what looks worse is run again ...")


def write(reporter: "pytest.TerminalReporter", config: pytest.Config, report: GateReport) -> None:
    """Write the section; ``-q`` omits the title, and ``-qq`` shows only what is wrong."""
    verbosity = config.get_verbosity()
    if verbosity >= 0:
        reporter.section("benchdb gate", sep="-")
    for line in report.failures[:_MOST_FAILURES]:
        reporter.write_line(sanitize(line), red=True)
    if len(report.failures) > _MOST_FAILURES:
        reporter.write_line(f"and {len(report.failures) - _MOST_FAILURES} more: benchdb regress", red=True)
    if verbosity >= -1 or report.failed:
        for line in report.notes:
            reporter.write_line(sanitize(line))
    if report.failed and verbosity >= 0:
        reporter.write_line(f"next: {sanitize(report.next_command)}")
    if report.trouble is not None:
        reporter.write_line(f"benchdb gate: {sanitize(report.trouble)}", yellow=True, bold=True)


def _words(config: pytest.Config, settings: Settings, db: Path, session_id: str) -> list[str]:
    limits = [word for limit in settings.fail_on for word in ("--threshold", limit)]
    parameters = config.invocation_params
    # As this run was started: `python -m pytest` has the working directory in ``sys.path``, the script does not.
    as_module = not {"", str(parameters.dir)}.isdisjoint(sys.path)
    words = [sys.executable, "-m", "pytest"] if as_module else ["pytest"]
    return [
        "regress",
        f"session:{session_id}",
        f"--db={db}",
        f"--baseline={settings.baseline}",
        *(["--strict"] if settings.strict else []),
        *(["--alert-improvement"] if settings.alert_improvement else []),
        *([] if settings.confirm is None else [f"--confirm={settings.confirm}"]),
        *limits,
        "--format=json",
        "--quiet",
        "--",
        *words,
        *map(str, parameters.args),
    ]


def _report(status: int, output: bytes, errors: bytes) -> GateReport:
    if status in _JUDGED:
        try:
            text = json.loads(output)["text"]
            failures, notes = tuple(text["failures"]), tuple(text["notes"])
            if status == exit_status.UNDECIDED:
                # The last note is the outcome: a suite that became slower as a whole must not pass.
                failures, notes = (*failures, *notes[-1:]), notes[:-1]
            trouble = "not judged to the end: interrupted" if status == exit_status.INTERRUPTED else None
            return GateReport(failures, notes, trouble)
        except (ValueError, KeyError, TypeError):
            pass  # something else wrote to its output
    why = last_line(errors) or f"its process ended with exit status {status}"
    if status == exit_status.USAGE and why.startswith("threshold "):
        return GateReport(failures=(f"nothing was judged: {why}",))  # what cannot be judged did not pass
    return GateReport(trouble=f"not judged: {why}")


def refuse_unknown_metrics(settings: Settings, target: Target, folder: Path) -> None:
    """Refuse a limit of a metric that is neither known nor in the database, before the first test.

    A name that is like no other may be of a metric that tests are about to record for the first time. The database is
    read only for a name that looks misspelt, in a process of its own.

    Raises:
        ConfigError: a limit names such a metric.
    """
    if not settings.fail_on:
        return
    from pytest_benchdb.operations.select.filters.threshold import parse_thresholds, unknown_metric

    for threshold in parse_thresholds(settings.fail_on):
        reason = unknown_metric(threshold)
        if reason is not None and "did you mean" in reason and not _was_measured(threshold.metrics[0], target, folder):
            raise ConfigError(f"--benchdb-fail-on: {reason}")


def _was_measured(metric: str, target: Target, folder: Path) -> bool:
    sql = f"SELECT count(*) FROM measurement WHERE metric = '{metric}'"  # noqa: S608 - a threshold's metric has no quote
    done = run_benchdb(["query", f"--db={target.path}", "--format=csv", "--quiet", sql], folder)
    return done.returncode == exit_status.FINE and done.stdout.split()[-1:] != [b"0"]
