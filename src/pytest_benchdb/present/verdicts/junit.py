"""JUnit XML: a test case for each benchmark and metric, in a suite for each file.

It follows the schema that Jenkins, GitLab and pytest share (``junit-10.xsd`` of Jenkins' xUnit plugin): suites have the
file, and the text of a failure has the line.
"""

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate
from pytest_benchdb.present.verdicts.findings import Finding, weigh
from pytest_benchdb.present.verdicts.words import row_sentence, series_name
from pytest_benchdb.present.writing.text import sanitize


def junit(result: Gate | Comparison, locations: Mapping[str, Location] | None = None) -> str:
    """Return a gate or a comparison as JUnit XML.

    A row that failed the gate is a ``failure``, or an ``error`` if a side did not pass; a row that was not judged or
    was let through is ``skipped``. Without a gate, every sure regression is a failure.

    Args:
        result: a gate or a comparison.
        locations: source locations of the benchmarks, by full name.
    """
    findings = weigh(result, locations)
    root = Element("testsuites", name="benchdb")
    suites: dict[str, list[Element]] = {}
    for finding in findings.rows:
        suites.setdefault(_file(finding), []).append(_case(finding))
    for file, cases in sorted(suites.items()):
        suite = SubElement(root, "testsuite", {"name": file, "file": file, **_counts(cases)})
        candidate = findings.comparison.candidate.sessions
        if candidate:
            suite.set("timestamp", sanitize(candidate[-1].started_at))
        suite.extend(cases)
    totals = _counts([case for cases in suites.values() for case in cases])
    for name in ("tests", "failures", "errors"):
        root.set(name, totals[name])
    indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _case(finding: Finding) -> Element:
    row = finding.row
    names = row.key.fullname.partition("::")[2]
    head, bracket, params = names.partition("[")
    classes, _, function = head.rpartition("::")
    module = _file(finding).removesuffix(".py").replace("/", ".")
    case = Element(
        "testcase",
        classname=sanitize(".".join([module, *filter(None, classes.split("::"))])),
        name=sanitize(f"{function}{bracket}{params} {series_name(row)}".strip()),
    )
    seconds = _seconds(row)
    if seconds is not None:
        case.set("time", seconds)
    _outcome(case, finding)
    return case


def _outcome(case: Element, finding: Finding) -> None:
    verdict = finding.row.judgement.verdict
    message = sanitize(row_sentence(finding.row))
    if finding.level == "error":
        failure = SubElement(case, "error" if verdict == "error" else "failure", message=message, type=verdict)
        lines = [_place(finding), message]
        if finding.row.command:
            lines.append(sanitize(finding.row.command))
        failure.text = "\n".join(lines)
    elif finding.level != "fine":
        SubElement(case, "skipped", message=message, type=verdict)


def _place(finding: Finding) -> str:
    if finding.location is None:
        return sanitize(finding.row.key.fullname)
    return f"{sanitize(finding.location.file)}:{finding.location.line}"


def _file(finding: Finding) -> str:
    if finding.location is not None:
        return sanitize(finding.location.file)
    return sanitize(finding.row.key.fullname.partition("::")[0]) or "benchmarks"


def _seconds(row: ComparisonRow) -> str | None:
    """Return the candidate's time in seconds; None for other metrics, and for a time that would round to 0."""
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
