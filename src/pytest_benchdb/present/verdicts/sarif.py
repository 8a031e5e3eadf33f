"""Writes SARIF 2.1.0 (OASIS Standard, errata 01), as GitHub's code scanning and others read it.

Only what wants eyes is a result: a benchmark that stood still or got better is none.
"""

import hashlib
import json
from collections.abc import Mapping
from urllib.parse import quote

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.present.verdicts.findings import (
    Decided,
    FigureWriter,
    Level,
    decide,
    plain_figure,
    plain_line,
    sentence,
)

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_RULES: Mapping[str, tuple[Level, str, str]] = {
    "regressed": ("error", "Regressed", "The candidate is worse than its baseline by more than the limit."),
    "error": ("error", "DidNotPass", "A side of the comparison did not pass, so it has no figure."),
    "missing": ("warning", "Missing", "The baseline has this benchmark and the candidate does not."),
    "unstable": ("warning", "Unstable", "The machine was too disturbed to judge this benchmark."),
    "inconclusive": ("note", "Inconclusive", "There are too few or too scattered sessions to judge this benchmark."),
    "incomparable": ("note", "Incomparable", "The sides did not measure the same thing."),
}
_ORDER = tuple(_RULES)


def sarif(
    result: Gate | Comparison,
    locations: Mapping[str, Location] | None = None,
    *,
    figure: FigureWriter = plain_figure,
    version: str = "0",
) -> str:
    """Write a gate or a comparison as one SARIF log in ASCII.

    Args:
        result: what was decided.
        locations: where benchmarks stand, by their full name.
        figure: how to write a figure for people.
        version: version of pytest-benchdb.
    """
    decision = decide(result, locations)
    told = [decided for decided in decision.rows if _rule(decided) is not None]
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
                "results": [_result(decided, figure) for decided in told],
            }
        ],
    }
    return json.dumps(log, indent=1, allow_nan=False) + "\n"


def _rule(decided: Decided) -> str | None:
    judgement = decided.row.judgement
    if decided.level == "fine":
        return None
    if decided.level != "error" and judgement.state == "unstable":
        return "unstable"
    return judgement.verdict if judgement.verdict in _RULES else None


def _rule_object(name: str) -> dict[str, object]:
    level, title, text = _RULES[name]
    return {
        "id": f"benchdb/{name}",
        "name": title,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["performance"]},
    }


def _result(decided: Decided, figure: FigureWriter) -> dict[str, object]:
    name = _rule(decided) or "inconclusive"
    row = decided.row
    fullname = plain_line(row.key.fullname)
    result: dict[str, object] = {
        "ruleId": f"benchdb/{name}",
        "ruleIndex": _ORDER.index(name),
        "level": decided.level,
        "message": {"text": f"{fullname}: {plain_line(sentence(row, figure))}"},
        "locations": [_location(decided, fullname)],
        "partialFingerprints": {"benchdbSeries/v1": _fingerprint(decided)},
    }
    if row.judgement.state == "accepted":
        reason = plain_line(row.judgement.reason or "accepted")
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return result


def _location(decided: Decided, fullname: str) -> dict[str, object]:
    place = decided.location
    file = place.file if place is not None else fullname.partition("::")[0]
    path = quote(plain_line(file).replace("\\", "/").lstrip("/"), safe="/")
    physical: dict[str, object] = {"artifactLocation": {"uri": path or "benchmarks", "uriBaseId": "%SRCROOT%"}}
    if place is not None:
        physical["region"] = {"startLine": max(place.line, 1)}
    logical = {"fullyQualifiedName": fullname, "kind": "function"}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _fingerprint(decided: Decided) -> str:
    key = decided.row.key
    parts = (key.fullname, key.metric, key.phase, key.backend, key.device)
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()
