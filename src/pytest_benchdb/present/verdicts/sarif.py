"""SARIF 2.1.0 (OASIS Standard, errata 01), for GitHub's code scanning and others.

Only rows that need review are results, not benchmarks that are unchanged or improved.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.model.verdict import LEVELS, Level, Verdict
from pytest_benchdb.present.verdicts.findings import Finding, weigh
from pytest_benchdb.present.verdicts.words import row_sentence
from pytest_benchdb.present.writing.text import sanitize

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_RULES: Mapping[Verdict | Literal["unstable"], tuple[str, str]] = {
    "exceeded": ("BudgetExceeded", "The candidate is beyond its budget, whatever the baseline."),
    "regressed": ("Regressed", "The candidate is worse than its baseline by more than the limit."),
    "error": ("DidNotPass", "A side of the comparison did not pass, so it has no value."),
    "missing": ("Missing", "The baseline has this benchmark and the candidate does not."),
    "unstable": ("Unstable", "The machine was too disturbed to judge this benchmark."),
    "inconclusive": ("Inconclusive", "There are too few or too scattered sessions to judge this benchmark."),
    "incomparable": ("Incomparable", "The sides did not measure the same thing."),
    "improved": ("Improved", "The candidate is better than its baseline by more than the limit."),
}
_ORDER = tuple(_RULES)


def sarif(
    result: Gate | Comparison,
    locations: Mapping[str, Location] | None = None,
    *,
    version: str = "0",
) -> str:
    """Return a gate or a comparison as one SARIF log in ASCII.

    Args:
        result: a gate or a comparison.
        locations: source locations of the benchmarks, by full name.
        version: version of pytest-benchdb.
    """
    findings = [finding for finding in weigh(result, locations).rows if _rule(finding) is not None]
    driver = {
        "name": "pytest-benchdb",
        "semanticVersion": version,
        "rules": [_rule_object(name) for name in _ORDER],
    }
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the checkout."}}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding) for finding in findings],
            }
        ],
    }
    return json.dumps(log, indent=1, allow_nan=False) + "\n"


def _rule(finding: Finding) -> Verdict | Literal["unstable"] | None:
    judgement = finding.row.judgement
    if finding.level == "fine" or (judgement.verdict == "improved" and finding.level != "error"):
        return None
    if finding.level != "error" and judgement.state == "unstable":
        return "unstable"
    return judgement.verdict if judgement.verdict in _RULES else None


def _rule_object(name: Verdict | Literal["unstable"]) -> dict[str, object]:
    title, text = _RULES[name]
    level: Level = "warning" if name in {"unstable", "improved"} else LEVELS[name]  # type: ignore[index]
    return {
        "id": f"benchdb/{name}",
        "name": title,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["performance"]},
    }


def _result(finding: Finding) -> dict[str, object]:
    name = _rule(finding) or "inconclusive"
    row = finding.row
    fullname = sanitize(row.key.fullname)
    result: dict[str, object] = {
        "ruleId": f"benchdb/{name}",
        "ruleIndex": _ORDER.index(name),
        "level": finding.level,
        "message": {"text": f"{fullname}: {sanitize(row_sentence(row))}"},
        "locations": [_location(finding, fullname)],
        "partialFingerprints": {"benchdbSeries/v1": _fingerprint(finding)},
    }
    if row.judgement.state == "accepted":
        reason = sanitize(row.judgement.reason or "accepted")
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return result


def _location(finding: Finding, fullname: str) -> dict[str, object]:
    place = finding.location
    file = place.file if place is not None else fullname.partition("::")[0]
    path = quote(sanitize(file).replace("\\", "/").lstrip("/"), safe="/")
    physical: dict[str, object] = {"artifactLocation": {"uri": path or "benchmarks", "uriBaseId": "%SRCROOT%"}}
    if place is not None:
        physical["region"] = {"startLine": max(place.line, 1)}
    logical = {"fullyQualifiedName": fullname, "kind": "function"}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _fingerprint(finding: Finding) -> str:
    key = finding.row.key
    parts = (key.fullname, key.metric, key.phase, key.backend, key.device)
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()
