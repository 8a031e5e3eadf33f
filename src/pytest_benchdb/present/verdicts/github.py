"""Writes GitHub's workflow commands: annotations beside the lines of the benchmarks.

Escaping as in ``actions/toolkit``, ``packages/core/src/command.ts``. GitHub shows 10 annotations of a kind for a step
and drops the others silently, so the others are counted in a notice.
"""

from collections.abc import Mapping, Sequence

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.present.verdicts.findings import Decided, FigureWriter, decide, plain_figure, plain_line, sentence

MOST = 10
_LONGEST = 2_000
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def github_annotations(
    result: Gate | Comparison,
    locations: Mapping[str, Location] | None = None,
    *,
    figure: FigureWriter = plain_figure,
) -> str:
    """Write one command a line: what fails as errors, what is unstable or missing as warnings, the worst first.

    Args:
        result: what was decided.
        locations: where benchmarks stand, by their full name.
        figure: how to write a figure for people.
    """
    decision = decide(result, locations)
    errors, warnings = decision.of_level("error"), decision.of_level("warning")
    lines = [_command("error", decided, figure) for decided in errors[:MOST]]
    lines += [_command("warning", decided, figure) for decided in warnings[:MOST]]
    rest = _rest(errors, "failed") + _rest(warnings, "want eyes")
    if rest:
        lines.append(f"::notice title=benchdb::{escape_data('; '.join(rest))}")
    # A log line: `##[` anywhere in it would be read as a command of the older kind.
    lines.append(f"benchdb: {plain_line(decision.sentence, _LONGEST)}".replace("##[", "## ["))
    return "\n".join(lines) + "\n"


def escape_data(text: str) -> str:
    r"""Escape the message of a command.

    >>> escape_data("50 %\nslower: a, b")
    '50 %25%0Aslower: a, b'
    """
    return "".join(_DATA.get(char, char) for char in text)


def escape_property(text: str) -> str:
    """Escape the value of a property of a command.

    >>> escape_property("a::b[1,2]")
    'a%3A%3Ab[1%2C2]'
    """
    return "".join(_PROPERTY.get(char, char) for char in text)


def _command(kind: str, decided: Decided, figure: FigureWriter) -> str:
    row = decided.row
    name = plain_line(row.key.fullname, _LONGEST)
    message = f"{name}: {plain_line(sentence(row, figure), _LONGEST)}"
    if row.command and kind == "error":
        message += f"\n{plain_line(row.command, _LONGEST)}"
    properties = {"title": f"benchdb: {row.key.metric} {row.judgement.verdict}"}
    if decided.location is not None:
        properties = {"file": decided.location.file, "line": str(decided.location.line), **properties}
    written = ",".join(f"{key}={escape_property(plain_line(value, 300))}" for key, value in properties.items())
    return f"::{kind} {written}::{escape_data(message)}"


def _rest(decided: Sequence[Decided], what: str) -> list[str]:
    left = len(decided) - MOST
    return [f"{left} more that {what} are not shown here"] if left > 0 else []
