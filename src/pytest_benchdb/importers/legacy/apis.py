"""Results of services of language models: lists of requests, each with its time; and statuses of their clients."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_benchdb.errors import NotResultsError
from pytest_benchdb.importers.legacy.entry import (
    Part,
    is_simulated,
    outcome_of_entry,
    outcome_of_text,
    run_of,
    stamp_us,
)
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.values import items, mapping, number, text
from pytest_benchdb.model.imported import ImportedRun
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement, Outcome


def requests(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the lists of requests, one run for each: its rounds are the requests that were answered.

    Raises:
        NotResultsError: there are no requests.
    """
    lists = {**mapping(document.get("results")), **document, **mapping(document.get("tests"))}
    runs = []
    for name, entries in lists.items():
        listed = items(entries) or items(mapping(entries).get("requests"))
        if listed and all(isinstance(entry, Mapping) for entry in listed):
            runs.append(_run(name, listed, document))
        elif name in mapping(document.get("tests")):
            entry = mapping(entries)
            runs.append(run_of("api requests", {"status": entry.get("status")}, {"test": name}))
    if not runs:
        raise NotResultsError("it has no requests")
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def _run(name: str, entries: Any, document: Mapping[str, Any]) -> ImportedRun:
    outcomes = [outcome_of_entry(entry) for entry in entries]
    failed = [reason for outcome, reason in outcomes if outcome != "passed"]
    outcome: tuple[Outcome, str | None] = ("passed", None)
    if failed:
        outcome = (
            "failed",
            f"{len(failed)} of {len(entries)} requests failed: {failed[0] or 'without a reason'}"[:300],
        )
    simulated = any(is_simulated(entry) for entry in entries)
    params = {"api": document.get("api"), "model": document.get("model"), "test": name}
    run = run_of("api requests", {}, params, simulated=simulated, outcome=outcome)
    measurements = tuple(_figures(entries, [state == "passed" for state, _ in outcomes], simulated=simulated))
    return replace_measurements(run, measurements)


def replace_measurements(run: ImportedRun, measurements: tuple[Measurement, ...]) -> ImportedRun:
    """Return a run with other measurements, if there are any."""
    from dataclasses import replace

    return replace(run, measurements=measurements) if measurements else run


def _figures(entries: Any, passed: list[bool], *, simulated: bool) -> Iterator[Measurement]:
    """Yield the times of the requests that were answered, and how many were not."""
    provenance: Provenance = "simulated" if simulated else "imported"
    times = [
        taken
        for entry, is_passed in zip(entries, passed, strict=True)
        if is_passed and (taken := number(entry.get("time_taken") or entry.get("response_time"))) is not None
    ]
    if times:
        yield figure("e2e_latency", "s", times, source_name="time_taken", provenance=provenance)
    yield figure("failed_requests", "1", float(passed.count(False)), provenance=provenance)


def models(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``{models: [{model, response_time, queue_time, tokens_per_second, success}]}``."""
    runs = tuple(
        run_of("api request", entry, {"model": entry.get("model")})
        for entry in map(mapping, items(document.get("models")))
    )
    yield Part(runs=runs, started_us=stamp_us(document.get("timestamp")))


def status_map(document: Mapping[str, Any], name: str) -> Iterator[Part]:
    """Yield each check of an API's client: ``{chat_method: "Success", streaming: "Failed ..."}``."""
    runs = tuple(
        run_of(
            "api check",
            {},
            {"api": name, "check": key},
            simulated="mock" in value.lower(),
            outcome=outcome_of_text(value),
        )
        for key, value in document.items()
        if isinstance(value, str)
    )
    if runs:
        yield Part(runs=runs, started_us=stamp_us(document.get("timestamp")))


def implementations(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield whether the client of each API could be used: ``{apis: {NAME: {status or error}}}``.

    Raises:
        NotResultsError: nothing is said about any API.
    """
    runs = []
    for name, entry in mapping(document.get("apis")).items():
        client = mapping(entry)
        error, status = text(client.get("error")), text(client.get("status")) or text(client.get("implementation"))
        if error or status:
            outcome = outcome_of_text(status or "error", error)
            mocked = any("mock" in str(value).lower() for value in client.values())
            runs.append(run_of("api client", {}, {"api": name}, simulated=mocked, outcome=outcome))
    if not runs:
        raise NotResultsError("it does not report whether any API can be used")
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))
