"""What a user may mean by the beginning of a word: candidates for the shell's completion."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_benchdb.operations.select.benchmark_name import short_name
from pytest_benchdb.operations.select.selection import path_exists
from pytest_benchdb.store.history.known_names import known_names

_ALONE = ("latest", "latest~1", "last-good", "merge-base", "auto")
_NAMED = ("label", "branch", "tag")
_WORDS = ("label", "baseline", "tag", "branch")
_PREFIXES = ("label:", "branch:", "tag:", "commit:", "window:", "before:", "file:", "session:", "run:")


class Names:
    """The names in a database, read from its cache when they are first needed; see `store.history.known_names`."""

    def __init__(self, db: Path) -> None:
        """Take the database, which need not exist."""
        self._db = db
        self._names: Mapping[str, Sequence[str]] | None = None

    def of(self, kind: str) -> Sequence[str]:
        """Return the names of one kind: ``benchmark``, ``metric``, ``label``, ``branch``, ``tag`` or ``baseline``."""
        if self._names is None:
            self._names = known_names(self._db) if path_exists(self._db) else {}
        return self._names.get(kind, ())

    def specs(self, start: str) -> Iterator[str]:
        """Yield SPECs that begin with `start`; after a colon, the names of that kind."""
        kind, colon, _ = start.partition(":")
        if colon:
            options = [f"{kind}:{name}" for name in self.of(kind)] if kind in _NAMED else []
        else:
            words = (name for kind in _WORDS for name in self.of(kind))
            options = [*_ALONE, *words, *_PREFIXES]
        yield from (text for text in dict.fromkeys(options) if text.startswith(start))

    def benchmarks(self, start: str) -> list[str]:
        """Return names of benchmarks that begin with `start`: those of functions, or else full ones."""
        names = self.of("benchmark")
        for forms in (map(short_name, names), names):
            matching = [name for name in dict.fromkeys(forms) if name.startswith(start)]
            if matching:
                return matching
        return []
