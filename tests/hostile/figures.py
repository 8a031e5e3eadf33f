"""Which stored figures cannot have been measured: written here again, so that the product does not judge itself."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.model.imported import ImportedSession, SourceFile
from pytest_benchdb.operations.exchange.as_journal import journal_lines, session_id_of

_ORDERED = ("min", "q1", "median", "q3", "p90", "p95", "p99", "max")
_NEVER_NEGATIVE = frozenset({"wall_time", "cpu_time", "device_time", "first_call_time", "peak_rss", "energy"})
_MEASUREMENTS = """
SELECT b.fullname, r.outcome, m.metric, m.valid, m.value, m.n, m.min, m.q1, m.median, m.q3, m.p90, m.p95,
  m.p99, m.max, m.mean, m.stddev,
  (SELECT list(DISTINCT isfinite(v)) FROM (SELECT unnest(c.value) AS v FROM round_chunk c
    WHERE c.measurement_id = m.measurement_id)) AS finite
FROM measurement m JOIN run r USING (run_id) JOIN benchmark b ON b.benchmark_id = r.benchmark_id
"""


def impossible(path: Path) -> Iterator[str]:
    """Yield one line for each figure in a session file that is stored as valid and cannot have been measured."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        cursor = connection.execute(_MEASUREMENTS)
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        if row["valid"]:
            yield from (f"{row['fullname']!r}: {row['metric']}: {what}" for what in _objections(row))


def _objections(row: Mapping[str, Any]) -> Iterator[str]:
    figures = [row[name] for name in (*_ORDERED, "mean", "stddev", "value") if row[name] is not None]
    if not all(math.isfinite(figure) for figure in figures) or row["finite"] not in (None, [True]):
        yield f"not finite: {figures}"
    if row["metric"] in _NEVER_NEGATIVE and any(figure < 0 for figure in figures):
        yield f"below zero: {figures}"
    if row["stddev"] is not None and row["stddev"] < 0:
        yield f"a deviation of {row['stddev']}"
    if row["n"] is not None and row["n"] < 1:
        yield f"{row['n']} rounds"
    ordered = [row[name] for name in _ORDERED if row[name] is not None]
    if any(first > second for first, second in itertools.pairwise(ordered)):
        yield f"not in order: {ordered}"
    mean, low, high = row["mean"], row["min"], row["max"]
    slack = 1e-9 * abs(mean or 0)
    if mean is not None and ((low is not None and mean < low - slack) or (high is not None and mean > high + slack)):
        yield f"a mean of {mean} between {low} and {high}"


def read_runs(session: ImportedSession) -> list[dict[str, Any]]:
    """Return the runs of a session as they are handed to the store, each measurement with its rounds."""
    source = SourceFile(path="x", checksum="0" * 64, importer="x", rows=1)
    rounds: dict[str, list[float]] = {}
    runs = []
    for line in b"".join(journal_lines(session, session_id_of(session), source, {})).splitlines():
        entry = json.loads(line)
        if entry["k"] == "chunk":
            rounds.setdefault(entry["id"], []).extend(entry["v"])
        elif entry["k"] == "run":
            runs.append(entry)
    return [
        {
            "name": run["benchmark"]["fullname"],
            "measurements": [{**row, "id": None, "samples": rounds.get(row["id"])} for row in run["measurements"]],
        }
        for run in runs
    ]
