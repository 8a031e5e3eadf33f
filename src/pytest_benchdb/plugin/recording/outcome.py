"""Determines the outcome of a test and its reason from the reports of its phases.

PYTEST_DONT_REWRITE
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pytest_benchdb.model.identity import without_addresses
from pytest_benchdb.model.run import Outcome

_REASON_LENGTH = 2000
_TIMEOUT = re.compile(r"Timeout \(?>")  # how pytest-timeout begins its messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase of a test, setup, call or teardown, reduced from its report.

    Attributes:
        outcome: passed, failed or skipped.
        xfail: reason of an expected failure; None if none was expected.
        error: class and first line of the exception; None without one.
        oom: whether memory ran out.
    """

    outcome: str
    xfail: str | None = None
    error: str | None = None
    oom: bool = False


def phase_of(report: Any, excinfo: Any) -> Phase:
    """Reduce a `pytest.TestReport` and its `pytest.ExceptionInfo`, or None, to what decides the outcome."""
    xfail = getattr(report, "wasxfail", None)
    if excinfo is None:
        error = str(report.longrepr) if report.outcome == "failed" and report.longrepr else None
        return Phase(outcome=report.outcome, xfail=xfail, error=error)
    error = first_line(excinfo.value)
    if report.outcome == "skipped" and xfail is None:
        error = getattr(excinfo.value, "msg", None) or error
    return Phase(outcome=report.outcome, xfail=xfail, error=error, oom=_is_out_of_memory(excinfo.value))


def phase_of_error(error: BaseException | None) -> Phase:
    """Return the phase of code that raised `error`, or ended without one, outside a test's own report."""
    if error is None:
        return Phase(outcome="passed")
    if isinstance(error, pytest.xfail.Exception):
        return Phase(outcome="skipped", xfail=str(error), error=first_line(error))
    if isinstance(error, pytest.skip.Exception):
        return Phase(outcome="skipped", error=str(error))
    return Phase(outcome="failed", error=first_line(error), oom=_is_out_of_memory(error))


def _is_out_of_memory(error: BaseException) -> bool:
    return any(kind.__name__ in {"MemoryError", "OutOfMemoryError"} for kind in type(error).__mro__)


def is_interruption(error: BaseException) -> bool:
    """Return whether the error ends the whole run, as Ctrl-C and `pytest.exit` do."""
    if isinstance(error, Exception):
        return isinstance(error, pytest.exit.Exception)
    return not isinstance(error, (pytest.skip.Exception, pytest.fail.Exception))


def is_timeout(error: BaseException) -> bool:
    """Return whether pytest-timeout raised the error."""
    return _TIMEOUT.search(first_line(error)) is not None


def with_expected_failure(point: Phase, item: pytest.Item) -> Phase:
    """Return the phase of a point of a sweep; one that failed is ``xfailed`` if its test is marked so.

    Conditions that are text are pytest's to evaluate, after the test; then the point has failed.
    """
    marker = item.get_closest_marker("xfail")
    if point.outcome != "failed" or marker is None:
        return point
    conditions = (*marker.args, *([marker.kwargs["condition"]] if "condition" in marker.kwargs else []))
    holds = not conditions or any(condition is True for condition in conditions)
    return replace(point, outcome="skipped", xfail=str(marker.kwargs.get("reason") or "")) if holds else point


def with_subtests(call: Phase, failed: int) -> Phase:
    """Return the call phase of a test with `failed` failed subtests: pytest fails the test only in its summary."""
    if not failed or call.outcome != "passed" or call.xfail is not None:
        return call
    return Phase(outcome="failed", error=f"contains {failed} failed subtest{'s' if failed > 1 else ''}")


def classify(setup: Phase | None, call: Phase | None, teardown: Phase | None) -> tuple[Outcome, str | None]:
    """Return the outcome of a test and why it is not `passed`.

    A phase that is None never ended: the test was interrupted.

    >>> classify(Phase(outcome="passed"), Phase(outcome="passed"), Phase(outcome="passed"))
    ('passed', None)
    """
    outcome, reason = _of_setup_and_call(setup, call)
    if teardown is None and outcome != "error":
        return "error", "interrupted before it ended"
    if teardown is not None and teardown.outcome == "failed" and outcome not in {"failed", "error", "timeout", "oom"}:
        kind = _kind(teardown, "error")
        return kind, _clip(f"in teardown: {teardown.error}")
    return outcome, _clip(reason)


def _of_setup_and_call(setup: Phase | None, call: Phase | None) -> tuple[Outcome, str | None]:
    if setup is None:
        return "error", "interrupted in setup"
    if setup.outcome == "failed":
        return _kind(setup, "error"), f"in setup: {setup.error}"
    phase = setup if setup.outcome == "skipped" else call
    if phase is None:
        return "error", "interrupted"
    if phase.outcome == "skipped":
        return ("skipped", phase.error) if phase.xfail is None else ("xfailed", phase.xfail or phase.error)
    if phase.outcome == "failed":
        return _kind(phase, "failed"), phase.error
    return ("passed", None) if phase.xfail is None else ("xpassed", phase.xfail or None)


def _kind(phase: Phase, otherwise: Outcome) -> Outcome:
    if phase.oom:
        return "oom"
    if phase.error is not None and _TIMEOUT.search(phase.error):
        return "timeout"
    return otherwise


def first_line(error: BaseException) -> str:
    """Return the class of an error and the first line of its text."""
    if type(error).__name__ == "FixtureLookupError":  # pytest's private class, without a useful text
        return f"fixture {getattr(error, 'argname', None)!r} not found"
    try:
        text = str(error).strip()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a broken __str__ must not lose the run
        text = ""
    name = type(error).__name__
    return f"{name}: {text.splitlines()[0]}" if text else name


def _clip(text: str | None) -> str | None:
    if text is None:
        return None
    text = without_addresses(text.replace("\x00", "\ufffd"))
    return text if len(text) <= _REASON_LENGTH else text[: _REASON_LENGTH - 1] + "…"
