"""What fails the gate: defaults, thresholds, overrides of the project and of markers, each over the one before."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.run import GATE_RULE_KEY
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Policy
from pytest_benchdb.operations.compare.rows import find_mains
from pytest_benchdb.operations.gate.policy import (
    MarkerRule,
    Rules,
    parse_overrides,
    policy_of,
    read_marker_rules,
)
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds

NAME = "tests/test_a.py::test_x"


def _policy(value: SessionValue, sessions: int = 20, **rules: Any) -> Policy:
    return policy_of(value, Rules(**rules), sessions=sessions, mains={"wall_time"})


def test_policy_without_rules_gates_wall_time_only(value: Callable[..., SessionValue]) -> None:
    wall = _policy(value())
    rss = _policy(value(metric="peak_rss", unit="B"))

    assert (wall.relative, wall.absolute, wall.gated) == (0.03, 50e-9, True)
    assert not rss.gated


@pytest.mark.parametrize(
    ("texts", "relative", "absolute"),
    [
        (["time:8%"], 0.08, 50e-9),
        (["time:8%", "time:9%"], 0.09, 50e-9),
        (["wall_time:200us"], 0.0, 200e-6),
        (["time:8%", "time:200us"], 0.08, 200e-6),
        (["time:8%", "time[backend=cuda]:20%"], 0.08, 50e-9),
        (["time:8%", "time[backend=cpu]:20%"], 0.20, 50e-9),
    ],
    ids=["share", "the last", "quantity", "both", "filter of others", "filter"],
)
def test_policy_of_thresholds_takes_the_last_share_and_the_last_quantity(
    value: Callable[..., SessionValue], texts: list[str], relative: float, absolute: float
) -> None:
    policy = _policy(value(), thresholds=parse_thresholds(texts))

    assert policy.absolute == pytest.approx(absolute)
    assert (policy.relative, policy.gated) == (relative, True)


def test_policy_of_a_metric_that_no_threshold_names_is_not_gated(value: Callable[..., SessionValue]) -> None:
    rules = Rules(thresholds=parse_thresholds(["memory:10%"]))

    assert not policy_of(value(), rules, sessions=20, mains={"wall_time"}).gated
    assert not policy_of(value(metric="peak_rss", unit="B"), rules, sessions=20, mains={"rss_growth"}).gated
    assert policy_of(value(metric="rss_growth", unit="B"), rules, sessions=20, mains={"rss_growth"}).gated


def test_policy_of_a_metric_without_direction_is_never_gated(value: Callable[..., SessionValue]) -> None:
    loss = value(metric="loss", unit="1", better="none")

    assert not _policy(loss, thresholds=parse_thresholds(["loss:1%"])).gated


def test_policy_of_a_rate_follows_its_direction(value: Callable[..., SessionValue]) -> None:
    rate = value(metric="throughput", unit="1/s", better="higher")

    policy = _policy(rate, thresholds=parse_thresholds(["throughput:5.5%"]))

    assert (policy.better, policy.relative, policy.gated) == ("higher", 0.055, True)


@pytest.mark.parametrize(
    ("table", "relative", "gated"),
    [
        ({"tests/test_a.py::*": "time:20%"}, 0.20, True),
        ({"tests/test_b.py::*": "time:20%"}, 0.05, True),
        ({"*": "time:20%", "*::test_x": ["time:30%", "memory:1MiB"]}, 0.30, True),
        ({"*::test_x": "off"}, 0.05, False),
        ({"*": "off", "*::test_x": "time:7%"}, 0.07, True),
    ],
    ids=["match", "other file", "the last", "off", "on again"],
)
def test_policy_of_a_glob_overrides_the_thresholds(
    value: Callable[..., SessionValue], table: dict[str, object], relative: float, gated: bool
) -> None:
    overrides = parse_overrides(table, "pyproject.toml")

    policy = _policy(value(), thresholds=parse_thresholds(["time:5%"]), overrides=overrides)

    assert (policy.relative, policy.gated) == (relative, gated)


@pytest.mark.parametrize(
    ("marker", "relative", "gated"),
    [
        (MarkerRule(max_regression=0.10), 0.10, True),
        (MarkerRule(gate=False), 0.20, False),
        (MarkerRule(gate=True), 0.20, True),
    ],
    ids=["max_regression", "gate off", "gate on"],
)
def test_policy_of_a_marker_overrides_everything(
    value: Callable[..., SessionValue], marker: MarkerRule, relative: float, gated: bool
) -> None:
    overrides = parse_overrides({"*": "time:20%"}, "pyproject.toml")

    policy = _policy(value(), overrides=overrides, markers={NAME: marker})

    assert (policy.relative, policy.gated) == (relative, gated)


@pytest.mark.parametrize("given", ["", 5, [], ["time:5%", 5], {"time": "5%"}, "time:five", True], ids=repr)
def test_overrides_that_cannot_be_read_name_the_place_and_the_glob(given: object) -> None:
    with pytest.raises(ConfigError, match=r"pyproject\.toml: '\*::test_x'") as refused:
        parse_overrides({"*::test_x": given}, "pyproject.toml")

    assert "time:" in str(refused.value)


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (None, {}),
        ({"mine": 1}, {}),
        ({GATE_RULE_KEY: {"max_regression": 0.1, "gate": False}}, {NAME: MarkerRule(max_regression=0.1, gate=False)}),
        ({GATE_RULE_KEY: {"max_regression": True, "gate": 0}}, {NAME: MarkerRule()}),
        ({GATE_RULE_KEY: "time:5%"}, {}),
    ],
    ids=["nothing", "the suite's own", "both", "wrong types", "text"],
)
def test_marker_rules_are_read_from_the_runs(info: dict[str, object] | None, expected: dict[str, MarkerRule]) -> None:
    assert read_marker_rules([(NAME, info)]) == expected


def test_main_time_is_the_first_that_is_valid(value: Callable[..., SessionValue]) -> None:
    values = [
        value(metric="cpu_time"),
        value(metric="step_time"),
        value(value=None, metric="wall_time"),
        value(metric="peak_rss"),
        value(fullname="b", metric="wall_time"),
    ]

    assert sorted(find_mains(values).values()) == ["step_time", "wall_time"]
