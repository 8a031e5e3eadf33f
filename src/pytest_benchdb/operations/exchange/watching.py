"""Import the files that appear in folders, each once it is whole, until asked to stop."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

from pytest_benchdb.operations.exchange.importing import Imported, ImportRequest, import_sources, importers_for
from pytest_benchdb.operations.exchange.sources import Source, files_in, find_sources

POLL_S = 1.0
SETTLE_S = 2.0
"""How long a file must stay as it is to count as whole, unless its writer renames it into place."""
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".swp", ".crdownload", ".lock", "~")
"""Ends of the names that programs give to files while they write them."""

_State = tuple[int, int, int]
"""What changes when a file does: its number, size and time of change."""


@dataclass(slots=True)
class Watch:
    """Folders that are watched, and which states of their files have been seen to the end.

    Attributes:
        request: what to do with the files; its paths are folders.
        settle_s: how long a file must stay as it is.
    """

    request: ImportRequest
    settle_s: float = SETTLE_S
    _since: dict[Path, tuple[_State, float]] = field(default_factory=dict)
    _done: dict[Path, _State] = field(default_factory=dict)

    def poll(self, now_s: float) -> Imported | None:
        """Import what has become whole since the last call; None if nothing has.

        A file that cannot be imported is read again once it changes.

        Args:
            now_s: a clock that never goes back.

        Raises:
            ConfigError: a folder is gone, or the format is not known.
            StoreError: the store cannot be written.
        """
        states = dict(self._states())
        self._since = {
            path: before if (before := self._since.get(path)) is not None and before[0] == state else (state, now_s)
            for path, state in states.items()
        }
        whole = {path for path, (_, since) in self._since.items() if now_s - since >= self.settle_s}
        fresh = {path for path in whole if self._done.get(path) != states[path]}
        if not fresh:
            return None
        importers, left_out = importers_for(self.request)
        sources = [
            source
            for source in find_sources(
                self.request.paths, self.request.format, importers, recursive=self.request.recursive
            )
            if fresh.intersection(source.files) and whole.issuperset(source.files)
        ]
        imported = import_sources(self.request, sources, importers)
        self._done.update({file: states[file] for source in sources for file in source.files})
        self._done.update({file: states[file] for file in fresh if not _in_a_tree(file, sources)})
        return replace(imported, left_out=left_out)

    def _states(self) -> Iterator[tuple[Path, _State]]:
        for folder in self.request.paths:
            for path in files_in(folder, recursive=self.request.recursive):
                if path.name.endswith(_UNFINISHED):
                    continue
                try:
                    state = path.stat()
                except OSError:  # gone meanwhile
                    continue
                yield path, (state.st_ino, state.st_size, state.st_mtime_ns)


def _in_a_tree(file: Path, sources: Sequence[Source]) -> bool:
    return any(len(source.files) > 1 and file in source.files for source in sources)


def watch(request: ImportRequest, stop: Event, tell: Callable[[Imported], None], *, settle_s: float = SETTLE_S) -> None:
    """Import files as they appear until `stop` is set; the import that goes on then is finished.

    Args:
        request: what to do with the files; its paths are folders.
        stop: ends the watch.
        tell: called with the outcome of each import.
        settle_s: how long a file must stay as it is to count as whole.

    Raises:
        ConfigError: a folder is gone, or the format is not known.
        StoreError: the store cannot be written.
    """
    import time

    watched = Watch(request, settle_s)
    while not stop.is_set():
        imported = watched.poll(time.monotonic())
        if imported is not None and (imported.files or imported.passed_over):
            tell(imported)
        stop.wait(min(POLL_S, max(settle_s / 2, 0.01)))
