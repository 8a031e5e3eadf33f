"""Results of models in browsers; those of pages that no browser ever opened are simulated."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_benchdb.importers.legacy.entry import Part, are_simulated, run_of, stamp_us
from pytest_benchdb.importers.reading.values import items, mapping, text


def page(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the result of one model on one web platform."""
    hardware = text(document.get("platform"))
    run = run_of(
        "web page",
        document,
        {"model": document.get("model_name") or document.get("model_key"), "browser": document.get("browser")},
        hardware=hardware,
        simulated=are_simulated(document, hardware) or document.get("browser_opened") is not True,
    )
    yield Part(runs=(run,), started_us=stamp_us(document.get("timestamp")))


def pages(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the same for each model of a run; a page's own file has the same result."""
    for entry in map(mapping, items(document.get("results"))):
        yield from page({**{key: document[key] for key in ("simulated_hardware",) if key in document}, **entry})


def comparison(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``{results_by_modality: {text: [{model, webnn: {time_ms}, webgpu: {...}}]}}``."""
    runs = [
        run_of("web page", entry[platform], {"model": entry.get("model")}, hardware=platform)
        for entries in mapping(document.get("results_by_modality")).values()
        for entry in map(mapping, items(entries))
        for platform in ("webnn", "webgpu")
        if isinstance(entry.get(platform), Mapping)
    ]
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def prediction(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``{browser, precision, standard_text: {generation_time_sec, tokens_per_second}}``."""
    runs = [
        run_of(
            "token prediction",
            entry,
            {"case": name, "precision": document.get("precision"), "browser": document.get("browser")},
            simulated=True,  # a program in place of the browser
        )
        for name, entry in document.items()
        if isinstance(entry, Mapping)
    ]
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def parallel_loading(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``{KIND: {model_name, with_parallel: {first_inference_time_ms}, without_parallel: {...}}}``."""
    runs = [
        run_of(
            "loading",
            mapping(entry[way]),
            {"model": entry.get("model_name"), "way": way},
            hardware="webgpu",
            simulated=True,  # a program in place of the browser
        )
        for entry in map(mapping, document.values())
        for way in ("with_parallel", "without_parallel")
        if isinstance(entry.get(way), Mapping)
    ]
    yield Part(runs=tuple(runs), started_us=None)
