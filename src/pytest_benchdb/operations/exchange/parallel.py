"""Read many sources in several processes, in their order, a bounded number ahead of what is stored."""

import multiprocessing
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

from pytest_benchdb.interfaces import Importer
from pytest_benchdb.operations.exchange.parsing import Parsed, parse
from pytest_benchdb.operations.exchange.sources import Source
from pytest_benchdb.registry import find_importers

LEAST_BYTES = 4 << 20
"""Bytes of all files below which the processes would take longer to start than to read."""
_AHEAD = 4
"""Sources that each process reads ahead: what they hold must fit into memory."""


def parsed_sources(
    sources: Sequence[Source], importers: Mapping[str, Importer], workers: int
) -> Iterator[tuple[Source, Parsed]]:
    """Yield each source with what its importer read.

    Args:
        sources: those that have an importer.
        importers: by name.
        workers: processes; 1 to read in this one.
    """
    if workers > 1 and len(sources) > 1 and _are_large(sources):
        yield from _in_processes(sources, workers)
        return
    for source in sources:
        name = source.importer or ""
        yield source, parse(source, name, importers[name])


def _are_large(sources: Sequence[Source]) -> bool:
    size = 0
    for source in sources:
        for file in source.files:
            try:
                size += file.stat().st_size
            except OSError:
                continue
            if size >= LEAST_BYTES:
                return True
    return False


def _in_processes(sources: Sequence[Source], workers: int) -> Iterator[tuple[Source, Parsed]]:
    waiting = deque(sources)
    running: deque[tuple[Source, Future[Parsed]]] = deque()
    pool = _pool(workers)
    try:
        while waiting or running:
            while waiting and len(running) < workers * _AHEAD:
                source = waiting.popleft()
                running.append((source, pool.submit(_parse, source)))
            source, future = running.popleft()
            try:
                parsed = future.result()
            except BrokenProcessPool:  # out of memory: this one is named, and the others are read again
                parsed = Parsed(reason="the process that read it was killed; import it alone, or split it")
                waiting.extendleft(other for other, _ in reversed(running))
                running.clear()
                pool.shutdown(cancel_futures=True)
                pool = _pool(workers)
            yield source, parsed
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not a fork: DuckDB's threads and our own would be missing in it, and their locks held.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


@cache
def _importers() -> Mapping[str, Importer]:
    return find_importers()[0]


def _parse(source: Source) -> Parsed:
    name = source.importer or ""
    return parse(source, name, _importers()[name])
