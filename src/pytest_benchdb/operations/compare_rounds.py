"""The raw rounds of the pairs that have too few sessions to be judged by them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_benchdb.analysis.few_sessions import SESSIONS_A_SIDE
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare_sides import Pair
from pytest_benchdb.store.reader import Reader

TOGETHER = 1_000_000
"""Rounds that are read in one query; with more they are read run by run, to bound the memory."""

_Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Rounds by run, metric and phase, in the metric's unit per iteration."""

    samples: Mapping[_Key, Sequence[float]] = field(default_factory=dict)

    def of(self, pair: Pair) -> tuple[list[float], list[float]] | None:
        """Return the rounds of both sides of a pair; None if one has none, or as many sessions as the rule needs."""
        baseline, candidate = self._side(pair.baseline), self._side(pair.candidate)
        return (baseline, candidate) if len(baseline) > 1 and len(candidate) > 1 else None

    def _side(self, values: Iterable[SessionValue]) -> list[float]:
        return [sample for value in values for sample in self.samples.get(_key(value), ())]


def read_rounds(reader: Reader, pairs: Iterable[Pair]) -> Rounds:
    """Read the rounds of the pairs of which a side has too few sessions; only summaries are left of some runs.

    Raises:
        StoreError: the history cannot be read.
    """
    wanted = {
        _key(value): value
        for pair in pairs
        if pair.baseline and pair.candidate and min(len(pair.baseline), len(pair.candidate)) < SESSIONS_A_SIDE
        for value in (*pair.baseline, *pair.candidate)
        if (value.n or 0) > 1
    }
    if not wanted:
        return Rounds()
    session_ids = sorted({value.session_id for value in wanted.values()})
    metrics = {metric for _, metric, _ in wanted}
    if sum(value.n or 0 for value in wanted.values()) <= TOGETHER:
        rows = [row for metric in metrics for row in reader.samples(session_ids, metric=metric)]
    else:
        rows = [
            row
            for run_id, metric in dict.fromkeys((run_id, metric) for run_id, metric, _ in wanted)
            for row in reader.samples(session_ids, run_id=run_id, metric=metric)
        ]
    return Rounds(samples={key: row["samples"] for row in _first_passes(rows) if (key := _row_key(row)) in wanted})


def _first_passes(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    # Of a metric that several passes read, the timing pass comes last into the mapping: reports show that one.
    return sorted(rows, key=lambda row: row["pass"] == "time")


def _key(value: SessionValue) -> _Key:
    return value.run_id, value.key.metric, value.key.phase


def _row_key(row: Mapping[str, Any]) -> _Key:
    return row["run_id"], row["metric"], row["phase"]
