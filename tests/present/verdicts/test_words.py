"""The wording of verdicts, shared by every format."""

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from tests.present.verdicts.results import comparison, gate, row

from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.model.verdict import VERDICTS, Interval, Policy
from pytest_benchdb.present.verdicts.gate import gate_lines, summary_lines
from pytest_benchdb.present.verdicts.github import github_annotations
from pytest_benchdb.present.verdicts.json_ import comparisons_json, gate_json
from pytest_benchdb.present.verdicts.junit import junit
from pytest_benchdb.present.verdicts.markdown import comparisons_markdown, gate_markdown
from pytest_benchdb.present.verdicts.page import job_summary, pull_request_comment
from pytest_benchdb.present.verdicts.sarif import sarif
from pytest_benchdb.present.verdicts.table import RenderOptions, comparison_lines
from pytest_benchdb.present.verdicts.words import conclusion, limit_text, row_sentence, series_name
from pytest_benchdb.present.writing.grid import Line

OPTIONS = RenderOptions(total=200)
REGRESSED = row(
    "regressed",
    "t.py::slow",
    change=0.2,
    baseline=1e-3,
    candidate=1.2e-3,
    policy=Policy(better="lower", relative=0.05, absolute=5e-8),
    interval=Interval(low=0.15, high=0.25, level=0.95),
    confirmations=(row("regressed").judgement,),
)
EVERY = comparison(
    [REGRESSED, *(row(verdict, f"t.py::{verdict}", baseline=None, candidate=None, change=None) for verdict in VERDICTS)]
)


def text_of(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


def decoded(log: str) -> str:
    return "\n".join(result["message"]["text"] for result in json.loads(log)["runs"][0]["results"])


def messages(xml: str) -> str:
    return "\n".join(f"{element.get('name')} {element.get('message')}" for element in ET.fromstring(xml).iter())  # noqa: S314 - ours


GATES: dict[str, Callable[[Gate], str]] = {
    "terminal": lambda result: text_of(gate_lines(result, OPTIONS)),
    "markdown": gate_markdown,
    "json": lambda result: "\n".join(json.loads(gate_json(result))["text"]["failures"]),
    "pytest": lambda result: "\n".join(summary_lines(result)[0]),
    "github": lambda result: github_annotations(result).replace("%25", "%"),
    "junit": lambda result: messages(junit(result)),
    "sarif": lambda result: decoded(sarif(result)),
    "comment": pull_request_comment,
    "summary": job_summary,
}
COUNTED: dict[str, Callable[[Comparison], str]] = {
    "terminal": lambda result: text_of(comparison_lines(result, result.rows, OPTIONS)),
    "markdown": lambda result: comparisons_markdown([result], [result.rows]),
    "json": lambda result: json.loads(comparisons_json([result], [result.rows]))["comparisons"][0]["conclusion"],
    "github": github_annotations,
    "comment": pull_request_comment,
    "summary": job_summary,
}


@pytest.mark.parametrize("name", GATES)
def test_every_format_writes_the_change_and_the_interval_alike(name: str) -> None:
    text = GATES[name](gate([REGRESSED]))

    assert "+20.0 %" in text
    assert "+15.0 … +25.0 %" in text
    assert not re.search(r"\d%", text)


def test_json_of_a_gate_and_of_comparisons_holds_what_the_command_adds() -> None:
    more = {"explanations": [{"benchmark": "a"}]}

    for text in (gate_json(gate([REGRESSED]), more), comparisons_json([EVERY], [EVERY.rows], more=more)):
        assert json.loads(text)["explanations"] == more["explanations"]
    assert "explanations" not in json.loads(gate_json(gate([REGRESSED])))


@pytest.mark.parametrize("name", GATES)
def test_every_format_writes_the_limit_alike(name: str) -> None:
    text = GATES[name](gate([REGRESSED]))

    assert re.search(r"\b5 %", text)


@pytest.mark.parametrize("name", ["terminal", "markdown"])
def test_comparisons_say_once_beyond_which_change_a_verdict_begins(name: str) -> None:
    policy = Policy(better="lower", relative=0.05, absolute=50e-9)
    text = COUNTED[name](comparison([row("unchanged", policy=policy), row("regressed", "b", policy=policy)]))

    assert text.replace("\n", " ").count("a change counts beyond 5 % and 50 ns") == 1


@pytest.mark.parametrize("name", COUNTED)
def test_every_format_counts_the_verdicts_in_one_order(name: str) -> None:
    text = COUNTED[name](EVERY)

    assert "2 regressed, 1 error, 1 missing, 1 inconclusive, 1 incomparable, 1 new, 1 improved, 1 unchanged" in text


@pytest.mark.parametrize("name", COUNTED)
def test_every_format_reports_an_empty_comparison_alike(name: str) -> None:
    assert "nothing was compared" in COUNTED[name](comparison([]))


@pytest.mark.parametrize("name", GATES)
def test_every_format_writes_a_hostile_name_on_one_line(name: str) -> None:
    hostile = row("regressed", "t.py::a\nb\x1b[31m\u202e", policy=Policy(better="lower", relative=0.05))

    text = GATES[name](gate([hostile]))

    assert not set(text) & {"\x1b", "\u202e"}
    assert re.search(r"a\\+nb\\+x1b", text)


@pytest.mark.parametrize(
    ("relative", "absolute", "baseline", "limit"),
    [
        (0.055, 5e-8, 1e-3, "5.5 %"),
        (0.05, 5e-8, 1e-7, "50 ns"),
        (0.05, 0.0, 1.0, "5 %"),
        (0.0, 2e-3, 1.0, "2 ms"),
        (0.0, 0.0, 1.0, "any change"),
    ],
)
def test_limit_is_the_larger_of_share_and_quantity(
    relative: float, absolute: float, baseline: float, limit: str
) -> None:
    policy = Policy(better="lower", relative=relative, absolute=absolute)

    assert limit_text(row(baseline=baseline, policy=policy)) == limit


def test_counts_of_no_rows_say_that_nothing_was_compared() -> None:
    assert conclusion(comparison([])) == "nothing was compared"
    assert conclusion(comparison([row("new"), row("regressed"), row("new")])) == "1 regressed, 2 new"


def test_sentence_of_a_regression_holds_figures_interval_limit_reruns_and_reason() -> None:
    judged = row("regressed").judgement
    judged_row = row(
        "regressed",
        phase="decode",
        device="cuda:0",
        policy=Policy(better="lower", relative=0.05, absolute=0.001),
        interval=Interval(low=0.05, high=0.15, level=0.95),
        confirmations=(judged, row("unchanged").judgement),
        reason="slow since Tuesday",
    )

    assert row_sentence(judged_row) == (
        "wall_time of decode on cuda:0: regressed, +10.0 %; baseline 1.000 ms, candidate 1.100 ms; "
        "interval +5.0 … +15.0 % (95 %); limit 1 ms; repeated in 1 of 2 re-runs; slow since Tuesday"
    )


def test_sentence_of_a_missing_row_invents_no_figure() -> None:
    assert row_sentence(row("missing", baseline=None)) == "wall_time: missing"


@pytest.mark.parametrize(
    ("backend", "device", "name"),
    [
        (None, None, "energy"),
        ("cpu", "AMD EPYC", "energy"),
        ("cuda", "NVIDIA H200", "energy on NVIDIA H200"),
        ("cuda", None, "energy on cuda"),
    ],
)
def test_series_name_has_devices_but_not_the_processor(backend: str | None, device: str | None, name: str) -> None:
    assert series_name(row(metric="energy", backend=backend, device=device)) == name
