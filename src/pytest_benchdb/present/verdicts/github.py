"""GitHub's workflow commands: annotations on the lines of the benchmarks.

Escaping follows ``packages/core/src/command.ts`` of ``actions/toolkit``. GitHub shows 10 annotations of each kind per
step and silently drops the others, so a notice has their number.
"""

from collections.abc import Mapping, Sequence

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.present.verdicts.findings import Finding, weigh
from pytest_benchdb.present.verdicts.words import row_sentence
from pytest_benchdb.present.writing.text import sanitize

MOST = 10
_LONGEST = 2_000
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def github_annotations(result: Gate | Comparison, locations: Mapping[str, Location] | None = None) -> str:
    """Return one command per line: failures as errors, unstable and missing benchmarks as warnings, the worst first.

    Args:
        result: a gate or a comparison.
        locations: source locations of the benchmarks, by full name.
    """
    findings = weigh(result, locations)
    errors, warnings = findings.of_level("error"), findings.of_level("warning")
    lines = [_command("error", finding) for finding in errors[:MOST]]
    lines += [_command("warning", finding) for finding in warnings[:MOST]]
    rest = _rest(errors, "failed") + _rest(warnings, "need review")
    if rest:
        lines.append(f"::notice title=benchdb::{escape_data('; '.join(rest))}")
    # In a log line, `##[` would be read as an old-style command.
    lines.append(f"benchdb: {sanitize(findings.sentence, limit=_LONGEST)}".replace("##[", "## ["))
    return "\n".join(lines) + "\n"


def escape_data(text: str) -> str:
    r"""Escape the message of a command.

    >>> escape_data("50 %\nslower: a, b")
    '50 %25%0Aslower: a, b'
    """
    return "".join(_DATA.get(char, char) for char in text)


def escape_property(text: str) -> str:
    """Escape a property of a command.

    >>> escape_property("a::b[1,2]")
    'a%3A%3Ab[1%2C2]'
    """
    return "".join(_PROPERTY.get(char, char) for char in text)


def _command(kind: str, finding: Finding) -> str:
    row = finding.row
    name = sanitize(row.key.fullname, limit=_LONGEST)
    message = f"{name}: {sanitize(row_sentence(row), limit=_LONGEST)}"
    if row.command and kind == "error":
        message += f"\n{sanitize(row.command, limit=_LONGEST)}"
    properties = {"title": f"benchdb: {row.key.metric} {row.judgement.verdict}"}
    if finding.location is not None:
        properties = {"file": finding.location.file, "line": str(finding.location.line), **properties}
    written = ",".join(f"{key}={escape_property(sanitize(value, limit=300))}" for key, value in properties.items())
    return f"::{kind} {written}::{escape_data(message)}"


def _rest(findings: Sequence[Finding], what: str) -> list[str]:
    left = len(findings) - MOST
    return [f"{left} more that {what} are not shown here"] if left > 0 else []
