"""Writes JUnit XML: a test case for each benchmark and metric, in a suite for each file.

It keeps to the schema that Jenkins, GitLab and pytest share (``junit-10.xsd`` of Jenkins' xUnit plugin): suites carry
the file, and the line stands in the text of what failed.
"""

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate
from pytest_benchdb.present.verdicts.findings import (
    Decided,
    FigureWriter,
    decide,
    plain_figure,
    plain_line,
    sentence,
    series_name,
)

_PASSED = frozenset({"unchanged", "improved", "new"})


def junit(
    result: Gate | Comparison,
    locations: Mapping[str, Location] | None = None,
    *,
    figure: FigureWriter = plain_figure,
) -> str:
    """Write a gate or a comparison.

    What failed the gate is a ``failure``, or an ``error`` if a side did not pass; what could not be judged or was let
    through is ``skipped``. Without a gate, every sure regression is a failure.

    Args:
        result: what was decided.
        locations: where benchmarks stand, by their full name.
        figure: how to write a figure for people.
    """
    decision = decide(result, locations)
    root = Element("testsuites", name="benchdb")
    suites: dict[str, list[Element]] = {}
    for decided in decision.rows:
        suites.setdefault(_file(decided), []).append(_case(decided, figure))
    for file, cases in sorted(suites.items()):
        suite = SubElement(root, "testsuite", {"name": file, "file": file, **_counts(cases)})
        candidate = decision.comparison.candidate.sessions
        if candidate:
            suite.set("timestamp", plain_line(candidate[-1].started_at))
        suite.extend(cases)
    totals = _counts([case for cases in suites.values() for case in cases])
    for name in ("tests", "failures", "errors"):
        root.set(name, totals[name])
    indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _case(decided: Decided, figure: FigureWriter) -> Element:
    row = decided.row
    names = row.key.fullname.partition("::")[2]
    head, bracket, params = names.partition("[")
    classes, _, function = head.rpartition("::")
    module = _file(decided).removesuffix(".py").replace("/", ".")
    case = Element(
        "testcase",
        classname=plain_line(".".join([module, *filter(None, classes.split("::"))])),
        name=plain_line(f"{function}{bracket}{params} {series_name(row)}".strip()),
    )
    seconds = _seconds(row)
    if seconds is not None:
        case.set("time", seconds)
    _outcome(case, decided, figure)
    return case


def _outcome(case: Element, decided: Decided, figure: FigureWriter) -> None:
    verdict = decided.row.judgement.verdict
    message = plain_line(sentence(decided.row, figure))
    if decided.level == "error":
        told = SubElement(case, "error" if verdict == "error" else "failure", message=message, type=verdict)
        lines = [_place(decided), message]
        if decided.row.command:
            lines.append(plain_line(decided.row.command))
        told.text = "\n".join(lines)
    elif verdict not in _PASSED or decided.level != "fine":
        SubElement(case, "skipped", message=message, type=verdict)


def _place(decided: Decided) -> str:
    if decided.location is None:
        return plain_line(decided.row.key.fullname)
    return f"{plain_line(decided.location.file)}:{decided.location.line}"


def _file(decided: Decided) -> str:
    if decided.location is not None:
        return plain_line(decided.location.file)
    return plain_line(decided.row.key.fullname.partition("::")[0]) or "benchmarks"


def _seconds(row: ComparisonRow) -> str | None:
    """Return the candidate's time; None for what is no time, and for what would be written as 0."""
    value = row.judgement.candidate
    if row.unit != "s" or value is None or not 0 < value < float("inf"):
        return None
    text = f"{value:.12f}".rstrip("0")
    return None if float(text) == 0 else text + ("0" if text.endswith(".") else "")


def _counts(cases: list[Element]) -> dict[str, str]:
    outcomes = [child.tag for case in cases for child in case]
    return {
        "tests": str(len(cases)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
    }
