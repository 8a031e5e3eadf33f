"""Import ``data.js`` of github-action-benchmark, which holds the whole history of a repository."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.files import utc_text
from pytest_benchdb.importers.reading.json_text import decoded, head_of_json, parsed, text_of
from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.importers.reading.values import (
    BadPart,
    items,
    json_object,
    mapping,
    moment_us,
    parts,
    required_name,
    required_number,
    text,
)
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

_TOOL = "github-action-benchmark"
_START = re.compile(r"\s*window\.BENCHMARK_DATA\s*=\s*")
_BIGGER = frozenset({"customBiggerIsBetter", "benchmarkjs", "benchmarkluau"})
_PER_OPERATION = re.compile(r"(?P<unit>[^/]+)/(iter|op|ops|round|call)\.?", re.IGNORECASE)
_MOST_SUBJECT = 200


class GithubActionBenchmark:
    """The importer of github-action-benchmark's ``data.js``, or of the JSON in it."""

    name = "github-action-benchmark"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the script, or the JSON, begins as the action writes it."""
        return _START.match(decoded(head, errors="replace")) is not None or head_of_json(head).has(
            "lastUpdate", "entries"
        )

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read a session for each entry: one suite at one commit.

        Raises:
            ImportFormatError: it is not a file of github-action-benchmark.
        """
        content = _START.sub("", text_of(path), count=1).rstrip().removesuffix(";")
        document = mapping(parsed(content, _TOOL))
        entries = document.get("entries")
        if not isinstance(entries, Mapping) or not entries:
            raise ImportFormatError('it has no "entries"')
        project = (text(document.get("repoUrl")) or "").rstrip("/").rpartition("/")[2] or None
        for suite, of_suite in entries.items():
            for index, entry in enumerate(items(of_suite)):
                yield from _session(suite, f"entries[{suite[:60]!r}][{index}]", mapping(entry), project)


def _session(
    suite: str, place: str, entry: Mapping[str, Any], project: str | None
) -> Iterator[ImportedSession | ImportProblem]:
    bigger = text(entry.get("tool")) in _BIGGER
    read = list(parts(items(entry.get("benches")), f"{place}.benches", lambda bench: _run(bench, suite, bigger=bigger)))
    yield from (problem for _, problem in read if problem is not None)
    runs = tuple(run for run, _ in read if run is not None)
    if not runs:
        if not read:
            yield ImportProblem(place=place, text="it has no benches")
        return
    started_us = moment_us(entry.get("date"))
    yield ImportedSession(
        started_unix_us=started_us,
        finished_unix_us=started_us,
        tool=_TOOL,
        source_key=suite,
        label=suite[:200] or None,
        project=project,
        commit=_commit(mapping(entry.get("commit"))),
        runs=runs,
        rows=len(runs),
    )


def _run(bench: Mapping[str, Any], suite: str, *, bigger: bool) -> ImportedRun:
    name = required_name(bench.get("name"), "name")
    return ImportedRun(
        fullname=name,
        group=suite[:1000] or None,
        measurements=(_measurement(bench, bigger=bigger),),
        extra_info=json_object({key: bench[key] for key in ("range", "extra") if bench.get(key)}),
    )


def _measurement(bench: Mapping[str, Any], *, bigger: bool) -> Measurement:
    """Return the value: a time or operations per second as metrics of ours, anything else as one of its own."""
    value = required_number(bench.get("value"), "value")
    written = (text(bench.get("unit")) or "").strip()
    match = _PER_OPERATION.fullmatch(written)
    unit = match["unit"].strip() if match else written
    known = UNITS.get(unit)
    if known is not None and known.si == "s" and not bigger:
        return figure("wall_time", unit, value, source_name=written if match else None)
    if unit in {"ops/sec", "ops/s", "iter/sec"}:
        return figure("throughput", unit, value)
    if not written and "value" not in bench:
        raise BadPart("it has no value")
    metric = "value" if not written else f"value in {written}"[:64]
    return figure(metric, written or "1", value, better="higher" if bigger else "lower")


def _commit(commit: Mapping[str, Any]) -> Commit:
    message, written = text(commit.get("message"), 100_000), text(commit.get("timestamp"))
    try:
        committed_at = utc_text(written) if written else None
    except (ValueError, OverflowError):
        committed_at = None
    return Commit(
        sha=text(commit.get("id"), 100),
        committed_at=committed_at,
        subject=message.splitlines()[0][:_MOST_SUBJECT] if message else None,
    )
