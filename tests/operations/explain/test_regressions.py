from dataclasses import replace
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Side
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.operations.duet.plan import Duet
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.explain.regressions import explain_comparison, regressions_of


def comparison(**verdicts: str) -> Comparison:
    rows = tuple(
        ComparisonRow(
            key=SeriesKey(fullname=name, metric="wall_time"),
            unit="s",
            better="lower",
            group=None,
            judgement=Judgement(verdict=verdict),  # type: ignore[arg-type]
            labels={},
        )
        for name, verdict in verdicts.items()
    )
    return Comparison(baseline=Side(name="a", sessions=()), candidate=Side(name="b", sessions=()), rows=rows)


def refuse() -> Duet:
    raise ConfigError("there is no commit")


def test_only_regressions_are_explained() -> None:
    found = comparison(test_a="regressed", test_b="inconclusive", test_c="improved")

    assert regressions_of(found) == {"instructions": ("test_a",)}


def test_memory_is_explained_by_what_python_or_native_code_holds() -> None:
    time = comparison(test_a="regressed", test_b="regressed")
    metrics = ("wall_time", "rss_growth", "python_peak", "native_peak")
    rows = tuple(replace(row, key=replace(row.key, metric=metric)) for row in time.rows for metric in metrics)

    both = ("test_a", "test_b")
    assert regressions_of(replace(time, rows=rows)) == {
        "instructions": both,
        "python_peak": both,
        "native_peak": both,
    }


def test_comparison_without_regressions_runs_nothing() -> None:
    assert explain_comparison(comparison(test_a="unchanged"), refuse, Path(), {}) is None


def test_sides_that_cannot_be_run_leave_the_verdict_and_say_why() -> None:
    said: list[str] = []

    found = explain_comparison(comparison(test_a="regressed"), refuse, Path(), {}, Feedback(warn=said.append))

    assert found is None
    assert said == ["not explained: there is no commit"]
