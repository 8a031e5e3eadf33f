"""Checks that say whether something works: models on hardware, test files, and what a matrix rates as compatible."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_benchdb.errors import NotResultsError
from pytest_benchdb.importers.legacy.entry import Part, are_simulated, run_of, stamp_us
from pytest_benchdb.importers.reading.values import items, mapping, text


def functionality(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the checks of models on hardware; one without a detailed result was not made."""
    runs = []
    for entry in map(mapping, items(document.get("detailed_results"))):
        hardware = text(entry.get("hardware"))
        params = {"model": entry.get("model")}
        simulated = are_simulated(document, hardware)
        runs.append(run_of("functionality", entry, params, hardware=hardware, simulated=simulated))
    stats = mapping(document.get("stats"))
    if runs:
        yield Part(runs=tuple(runs), started_us=stamp_us(stats.get("timestamp")), key="functionality")


def compatibility(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield which model families work on which hardware, where there is a benchmark to show it; no other was tested.

    Its latencies are means over batch sizes of the benchmarks beside it: they are not taken again.

    Raises:
        NotResultsError: nothing was tested.
    """
    runs = []
    for family, ratings in mapping(document.get("model_families")).items():
        for hardware, rating in mapping(mapping(ratings).get("hardware_compatibility")).items():
            shown = items(mapping(rating).get("benchmark_results"))
            if shown or mapping(rating).get("error"):
                entry = {"success": mapping(rating).get("compatible"), "error": mapping(rating).get("error")}
                simulated = are_simulated(document, hardware)
                runs.append(run_of("compatibility", entry, {"family": family}, hardware=hardware, simulated=simulated))
    if not runs:
        raise NotResultsError("nothing in it was tested: it rates hardware without a single benchmark")
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")) or _newest(document))


def _newest(document: Mapping[str, Any]) -> int | None:
    times = [
        moment
        for ratings in mapping(document.get("model_families")).values()
        for rating in mapping(mapping(ratings).get("hardware_compatibility")).values()
        for shown in items(mapping(rating).get("benchmark_results"))
        if (moment := stamp_us(mapping(shown).get("timestamp")))
    ]
    return max(times, default=None)


def model_tests(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``{model_results: {MODEL: {status, elapsed_time}}}`` or ``{tests: ...}``, a list or by platform."""
    results = document.get("model_results")
    pairs: list[tuple[object, object]] = list(mapping(results).items())
    pairs += [(mapping(entry).get("model"), entry) for entry in items(document.get("tests"))]
    runs = [run_of("model test", mapping(entry), {"model": name}) for name, entry in pairs]
    for platform, entry in mapping(document.get("tests")).items():
        runs.append(run_of("model test", mapping(entry), {"model": document.get("model")}, hardware=platform))
    started = stamp_us(document.get("test_timestamp") or document.get("timestamp"))
    times = [run.started_unix_us for run in runs if run.started_unix_us]
    yield Part(runs=tuple(runs), started_us=started or min(times, default=None))


def validations(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``[{model, platform, success, returncode}]``."""
    entries = list(map(mapping, items(document.get("results"))))
    runs = tuple(
        run_of("validation", entry, {"model": entry.get("model")}, hardware=entry.get("platform")) for entry in entries
    )
    times = [run.started_unix_us for run in runs if run.started_unix_us]
    yield Part(runs=runs, started_us=min(times, default=None))


def progress(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield which benchmarks were completed, failed or skipped; it has no figures.

    Raises:
        NotResultsError: no benchmark had ended.
    """
    runs = []
    for key, status in (("completed", "completed"), ("failed", "failed"), ("skipped", "skipped")):
        for entry in map(mapping, items(document.get(f"{key}_benchmarks"))):
            params = {"model": entry.get("model_type") or entry.get("model")}
            hardware = entry.get("hardware_type") or entry.get("hardware")
            runs.append(run_of("progress", {"status": status, **entry}, params, hardware=hardware))
    if not runs:
        raise NotResultsError("no benchmark had ended when it was written")
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def generation(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the generation and the execution of test files.

    Raises:
        NotResultsError: nothing was generated.
    """
    runs = [
        run_of(kind, mapping(entry), {"model": mapping(entry).get("model_type")})
        for kind in ("generation", "execution")
        for entry in items(document.get(f"{kind}_results"))
    ]
    if not runs:
        raise NotResultsError("nothing was generated or executed")
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def one_attempt(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield one attempt to run something: ``{status or success, error, timestamp}``."""
    params = {"model": document.get("model")}
    run = run_of("attempt", document, params, hardware=document.get("platform"))
    yield Part(runs=(run,), started_us=stamp_us(document.get("timestamp")))


def named_tests(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``{tests: {NAME: {exit_code, status}}}``.

    Raises:
        NotResultsError: no test had ended.
    """
    runs = tuple(
        run_of("test", mapping(entry), {"test": name}) for name, entry in mapping(document.get("tests")).items()
    )
    if not runs:
        raise NotResultsError("no test had ended when it was written")
    yield Part(runs=runs, started_us=stamp_us(document.get("timestamp")))
