"""SARIF 2.1.0: the properties that the OASIS schema and GitHub's code scanning require."""

import json
from typing import Any
from urllib.parse import unquote

from tests.present.verdicts.results import HOSTILE, comparison, gate, hostile, many, row

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.model.verdict import VERDICTS
from pytest_benchdb.present.verdicts.sarif import SCHEMA, sarif

RESULT = {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "suppressions"}


def log_of(result: Gate | Comparison, locations: dict[str, Location] | None = None) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(sarif(result, locations, version="1.2.3"))
    assert set(log) == {"$schema", "version", "runs"}
    assert (log["$schema"], log["version"]) == (SCHEMA, "2.1.0")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert {rule["defaultConfiguration"]["level"] for rule in rules} <= {"none", "note", "warning", "error"}
    for found in run["results"]:
        assert set(found) <= RESULT
        assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
        assert found["level"] in {"note", "warning", "error"}
        assert found["message"]["text"]
        (location,) = found["locations"]
        place = location["physicalLocation"]
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert place.get("region", {}).get("startLine", 1) >= 1
    return log


def results_of(result: Gate | Comparison, locations: dict[str, Location] | None = None) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = log_of(result, locations)["runs"][0]["results"]
    return results


def test_sarif_of_all_verdicts_has_only_rows_that_need_review() -> None:
    found = results_of(comparison([row(verdict, f"t.py::{verdict}") for verdict in VERDICTS]))

    assert {one["ruleId"]: one["level"] for one in found} == {
        "benchdb/exceeded": "error",
        "benchdb/regressed": "error",
        "benchdb/error": "error",
        "benchdb/missing": "warning",
        "benchdb/inconclusive": "note",
        "benchdb/incomparable": "note",
    }


def test_sarif_of_an_unstable_regression_is_a_warning_of_its_own_rule() -> None:
    (found,) = results_of(gate([row("regressed", state="unstable")]))

    assert (found["ruleId"], found["level"]) == ("benchdb/unstable", "warning")


def test_sarif_of_an_accepted_regression_is_suppressed_with_the_reason() -> None:
    (found,) = results_of(gate([row("regressed", state="accepted", reason="larger model")]))

    assert found["level"] == "note"
    assert found["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "larger model"}]


def test_sarif_location_is_the_line_in_the_checkout() -> None:
    place = Location(file="sub dir/t#1.py", line=7)

    (found,) = results_of(comparison([row("regressed", "t.py::a")]), {"t.py::a": place})

    physical = found["locations"][0]["physicalLocation"]
    assert unquote(physical["artifactLocation"]["uri"]) == place.file
    assert "#" not in physical["artifactLocation"]["uri"]
    assert physical["region"] == {"startLine": 7}


def test_sarif_without_a_location_names_the_file_and_no_line() -> None:
    (found,) = results_of(comparison([row("regressed", "t.py::a")]))

    physical = found["locations"][0]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": "t.py", "uriBaseId": "%SRCROOT%"}}


def test_sarif_fingerprint_is_the_series_and_not_its_figures() -> None:
    def fingerprint(**values: Any) -> str:
        (found,) = results_of(comparison([row("regressed", **values)]))
        return str(found["partialFingerprints"]["benchdbSeries/v1"])

    assert fingerprint(change=0.1) == fingerprint(change=0.9)
    assert len({fingerprint(), fingerprint(metric="energy"), fingerprint(phase="a"), fingerprint(device="a")}) == 4


def test_sarif_of_hostile_names_is_valid_and_whole() -> None:
    found = results_of(hostile(), {HOSTILE + "regressed": Location(file="/../a\\b\x00.py", line=0)})

    assert {one["ruleId"] for one in found} >= {"benchdb/regressed", "benchdb/missing"}


def test_sarif_of_ten_thousand_rows_stays_within_githubs_limit_of_results() -> None:
    assert 5_000 < len(results_of(many(10_000))) < 25_000


def test_sarif_of_an_improvement_is_a_result_only_where_it_failed_the_gate() -> None:
    better = row("improved", change=-0.5)

    assert results_of(gate([better])) == []
    (found,) = results_of(gate([better], failures=(better,)))
    assert (found["ruleId"], found["level"]) == ("benchdb/improved", "error")
