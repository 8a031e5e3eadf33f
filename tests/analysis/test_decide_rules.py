"""Parsing the rules of decisions."""

import pytest

from pytest_benchdb.analysis.decide import parse_range, parse_rules
from pytest_benchdb.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("2x..5x", (2.0, 3.0, 5.0), (1.999, 5.001)),
        ("2..5", (2.0, 5.0), (1.0,)),
        (" 2x .. 5x ", (2.0, 5.0), (6.0,)),
        ("<2x", (0.1, 1.999), (2.0, 3.0)),
        ("<=2x", (0.1, 2.0), (2.001,)),
        (">5x", (5.001, 1e9), (5.0, 1.0)),
        (">=1.5x", (1.5, 2.0), (1.499,)),
        ("2x..", (2.0, 1e9), (1.9,)),
        ("..0.5x", (0.5, 0.1), (0.51,)),
        ("2\u00d7..5\u00d7", (2.0,), (5.1,)),
    ],
)
def test_parse_range_holds_its_ends_as_written(
    text: str, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    found = parse_range(text, "here")

    assert [value for value in inside if not found.contains(value)] == []
    assert [value for value in outside if found.contains(value)] == []


def test_range_end_that_rounding_missed_still_belongs_to_it() -> None:
    assert parse_range("2x..5x", "here").contains(2.0 * (1 - 1e-15))
    assert not parse_range(">5x", "here").contains(5.0 * (1 + 1e-15))


@pytest.mark.parametrize("text", ["", "fast", "5x..2x", "..", "-1x", "2x-5x", "1e3x", "0..0", "<0x", 3, None, True])
def test_parse_range_without_bounds_is_refused(text: object) -> None:
    with pytest.raises(ConfigError, match=r"^\[targets\] insert = "):
        parse_range(text, "[targets] insert")


@pytest.mark.parametrize(
    ("speedup", "verdict"),
    [(0.01, "keep"), (1.99, "keep"), (2.0, "hybrid"), (5.0, "hybrid"), (5.01, "rewrite"), (1e6, "rewrite")],
)
def test_rules_without_verdicts_have_the_usual_ones(speedup: float, verdict: str) -> None:
    assert parse_rules({}, "rules.toml").verdict_of(speedup)[0] == verdict


def test_rules_of_every_kind_are_read() -> None:
    rules = parse_rules(
        {
            "metrics": ["wall_time"],
            "verdict": {"no": "<=1x", "yes": ">1x"},
            "targets": {"insert": "2x..5x", "memory": {"metric": "peak_rss", "match": "insert", "range": ">=1x"}},
        },
        "rules.toml",
    )

    assert rules.metrics == ("wall_time",)
    assert [name for name, _ in rules.verdicts] == ["no", "yes"]
    assert [(one.name, one.match, one.metric, one.range.text) for one in rules.targets] == [
        ("insert", None, None, "2x..5x"),
        ("memory", "insert", "peak_rss", ">=1x"),
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"verdict": {"a": "<2x", "b": ">2x"}}, "no verdict between a = '<2x' and b = '>2x'"),
        ({"verdict": {"a": "<2x", "b": ">=3x"}}, "no verdict between"),
        ({"verdict": {"a": "<=2x", "b": ">=2x"}}, "a = '<=2x' and b = '>=2x' both contain 2x"),
        ({"verdict": {"a": "..3x", "b": ">2x"}}, "both contain 3x"),
        ({"verdict": {"a": "<2x"}}, "no verdict above 2x"),
        ({"verdict": {"a": ">2x"}}, "no verdict below 2x"),
        ({"verdict": {}}, "no verdict at all"),
        ({"verdict": "<2x"}, "make it a table"),
        ({"thresholds": {}}, "unknown key 'thresholds' in rules"),
        ({"targets": {"insert": {"match": "insert"}}}, "has no range"),
        ({"targets": {"insert": {"range": "2x..", "speed": 1}}}, "unknown key 'speed' in a target"),
        ({"targets": {"insert": {"range": "2x..", "match": 1}}}, "match is 1; give a text"),
        ({"targets": []}, "make it a table"),
        ({"metrics": "wall_time"}, "give a list of names"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_with_the_file_and_the_place(
    table: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_rules(table, "rules.toml")

    assert str(refused.value).startswith("rules.toml")
    assert message in str(refused.value)
