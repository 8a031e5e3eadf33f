"""The vocabulary: verdicts, outcomes, metric words and exit statuses."""

from typing import get_args

import pytest

from pytest_benchdb.model import exit_status
from pytest_benchdb.model.metric import MAIN_MEMORY, MAIN_TIMES, METRIC_WORDS, METRICS, metrics_of
from pytest_benchdb.model.run import NOT_RUN, PASSED, Outcome
from pytest_benchdb.model.verdict import COMPARED, FAILING, LEVELS, VERDICT_STYLES, VERDICTS, Judgement


def test_every_verdict_has_a_level_and_a_style_in_the_one_order() -> None:
    assert tuple(LEVELS) == tuple(VERDICT_STYLES) == VERDICTS


def test_verdicts_are_ordered_by_their_level() -> None:
    levels = ("error", "warning", "note", "fine")

    assert [levels.index(LEVELS[verdict]) for verdict in VERDICTS] == sorted(
        levels.index(level) for level in LEVELS.values()
    )
    assert {"exceeded", "regressed", "error"} == FAILING
    assert {"regressed", "improved", "unchanged", "inconclusive"} == COMPARED


def test_judgement_names_what_limits_its_verdict() -> None:
    assert Judgement(verdict="regressed", state="suspect").text == "regressed (suspect)"
    assert Judgement(verdict="unchanged").text == "unchanged"


def test_outcomes_are_passed_or_not_run_or_failed() -> None:
    assert set(get_args(Outcome)) - PASSED - NOT_RUN == {"failed", "error", "timeout", "oom", "crashed"}


def test_memory_means_what_the_benchmark_itself_needed() -> None:
    assert metrics_of("memory") == metrics_of("MEMORY") == MAIN_MEMORY
    assert "peak_rss" not in MAIN_MEMORY, "it includes what the process had before"
    assert {METRICS[name].kind for name in MAIN_MEMORY} == {"memory"}
    assert {METRICS[name].better for name in MAIN_MEMORY} == {"lower"}


@pytest.mark.parametrize("word", METRIC_WORDS)
def test_word_for_metrics_is_not_the_name_of_one(word: str) -> None:
    assert word not in METRICS
    assert set(metrics_of(word)) <= set(METRICS)


def test_time_prefers_wall_time() -> None:
    assert metrics_of("time") == MAIN_TIMES
    assert MAIN_TIMES[0] == "wall_time"


def test_exit_statuses_all_have_a_meaning() -> None:
    statuses = {value for value in vars(exit_status).values() if isinstance(value, int)}

    assert statuses == set(exit_status.MEANINGS)
    assert list(exit_status.MEANINGS) == sorted(statuses)
