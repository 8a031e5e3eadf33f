"""OpenMetrics text, parsed as OpenMetrics and like GitLab does."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.present.verdicts.results import comparison, gate, hostile, many, row

from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.present.verdicts.gitlab import gitlab_metrics

SAMPLE = re.compile(r'(?P<name>[a-z_][a-z0-9_]*)\{(?P<labels>(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (?P<value>\S+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')


def samples(result: Gate | Comparison) -> dict[str, str]:
    """Return name and value of each sample, parsed like GitLab's ``Metrics::Generic``."""
    text = gitlab_metrics(result)
    assert text.endswith("# EOF\n")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        assert SAMPLE.fullmatch(line), line
        name, value = shlex.split(re.sub(r"#.*$", "", line))
        assert name not in found
        found[name] = value
        float(value)
    return found


def test_metrics_of_rows_are_the_candidates_figures_in_si_units() -> None:
    rows = [
        row(fullname="t.py::a", candidate=0.0011),
        row(fullname="t.py::a", metric="peak_rss", unit="B", candidate=2048.0),
        row(fullname="t.py::b", metric="tokens_per_second", unit="1/s", candidate=7.5, device="cuda:0"),
    ]

    assert gitlab_metrics(gate(rows)).splitlines() == [
        "# TYPE benchdb_peak_rss_bytes gauge",
        "# UNIT benchdb_peak_rss_bytes bytes",
        'benchdb_peak_rss_bytes{benchmark="t.py::a"} 2048.0',
        "# TYPE benchdb_tokens_per_second gauge",
        "# UNIT benchdb_tokens_per_second per_second",
        'benchdb_tokens_per_second{benchmark="t.py::b",device="cuda:0"} 7.5',
        "# TYPE benchdb_wall_time_seconds gauge",
        "# UNIT benchdb_wall_time_seconds seconds",
        'benchdb_wall_time_seconds{benchmark="t.py::a"} 0.0011',
        "# EOF",
    ]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_metrics_without_a_measured_value_have_no_sample(value: float | None) -> None:
    assert gitlab_metrics(comparison([row(candidate=value)])) == "# EOF\n"


@given(st.text(min_size=1))
def test_metrics_of_any_name_are_read_by_gitlab(name: str) -> None:
    assert len(samples(comparison([row(fullname=name, metric=name, unit=name)]))) == 1


def test_metrics_whose_names_meet_are_kept_apart() -> None:
    rows = [row(metric="tokens/s", unit="1"), row(metric="tokens s", unit="1")]

    assert len(samples(comparison(rows))) == 2


def test_metrics_of_hostile_names_keep_all_figures() -> None:
    assert len(samples(hostile())) == 8


def test_metrics_of_ten_thousand_rows_have_one_sample_each() -> None:
    measured = [one for one in many(10_000).comparison.rows if one.judgement.candidate is not None]

    assert len(samples(many(10_000))) == len(measured) > 8_000
