"""The sides that a user names: sessions in the database, session files, folders of them, files of other tools."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import ConfigError, NoBaselineError, StoreMissingError
from pytest_benchdb.model.comparison import Comparison, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.compare.judge import Choice, compare, compare_axis, is_session_dimension
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, as_sources, open_source
from pytest_benchdb.operations.select.sessions import missing_text, stored_sessions
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec
from pytest_benchdb.store.read.reader import Reader

LATEST = "latest"
_MOST_SPECS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A SPEC as it was written, and the path in it if it is one."""

    text: str
    path: Path | None


def compare_named(
    specs: Sequence[str],
    db: Path,
    choice: Choice,
    *,
    axis: str | None = None,
    baseline_value: str | None = None,
    feedback: Feedback = SILENT,
) -> tuple[Comparison, ...]:
    """Compare what a user names.

    Args:
        specs: baseline and candidate, which is the newest session where it is left out; with an axis, any number of
            SPECs in whose sessions its values are looked for.
        db: the database; it is not read where both sides are paths.
        choice: metrics, filters and thresholds.
        axis: a dimension whose values are compared.
        baseline_value: the value that the others are held against.
        feedback: told about progress and about sessions that could not be read.

    Returns:
        One comparison; with an axis, one for each value but the baseline's.

    Raises:
        NoBaselineError: a SPEC matches no session, or both match the same one.
        ConfigError: a SPEC cannot be read or matches two things, or a filter cannot be used.
        StoreError: a file cannot be read, or there is no session.
    """
    named = [_named(text) for text in specs]
    if axis is not None:
        with _opened(named, db, feedback, allow_cross=choice.allow_cross, paired=False) as (reader, sides):
            sessions = _of_axis(reader, axis, sides)
            return compare_axis(reader, sessions, axis, choice, baseline_value)
    if not named or len(named) > _MOST_SPECS:
        given = f"{len(named)} are given" if named else "none is given"
        raise ConfigError(f"name a baseline and at most one candidate ({given}): benchdb compare latest~1 latest")
    named += [_named(LATEST)] if len(named) == 1 else []
    with _opened(named, db, feedback, allow_cross=choice.allow_cross, paired=True) as (reader, sides):
        baseline, candidate = _apart(*sides)
        return (compare(reader, baseline, candidate, choice),)


def _named(text: str) -> _Named:
    kind, _, rest = text.partition(":")
    path = Path(rest if kind == "file" and rest else text).expanduser()
    if kind == "file" or _exists(path):
        return _Named(text=text, path=path)
    if "/" in text and ":" not in text and text.endswith((".duckdb", ".db", "/")):
        raise StoreMissingError(missing_text(path))
    return _Named(text=text, path=None)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _opened(
    named: Sequence[_Named], db: Path, feedback: Feedback, *, allow_cross: bool, paired: bool
) -> Iterator[tuple[Reader, list[Side]]]:
    """Open everything that is named as one history, and find the sessions of each SPEC.

    Args:
        named: the SPECs.
        db: the database.
        feedback: told about progress and about sessions that could not be read.
        allow_cross: whether sessions of other machines will do.
        paired: whether the SPECs are baseline and candidate.

    Raises:
        StoreMissingError: a path does not exist, or holds no session.
    """
    paths = list(dict.fromkeys(one.path for one in named if one.path is not None))
    needs_db = len(paths) == 0 or any(one.path is None for one in named)
    for path in [*([db] if needs_db else []), *paths]:
        if not _exists(path):
            raise StoreMissingError(missing_text(path))
    with as_sources(paths, feedback) as usable:
        within = {path: _sessions_in(path, source) for path, source in zip(paths, usable, strict=True)}
        in_db = _sessions_in(db, db) if needs_db else set()
        with open_source([*([db] if needs_db else []), *usable], feedback) as reader:
            finder = _Finder(reader=reader, in_db=in_db, within=within, allow_cross=allow_cross, warn=feedback.warn)
            yield reader, finder.sides(named) if paired else [finder.side(one) for one in named]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finder:
    """Finds the sessions of SPECs.

    Attributes:
        in_db: ids of the sessions of the database.
        within: ids of sessions by path.
        allow_cross: whether sessions of other machines will do.
    """

    reader: Reader
    in_db: set[str]
    within: Mapping[Path, set[str]]
    allow_cross: bool
    warn: Callable[[str], None]

    def sides(self, named: Sequence[_Named]) -> list[Side]:
        """Return baseline and candidate; a baseline such as ``window:5`` is looked for before the candidate."""
        candidate = self.side(named[1])
        return [self.side(named[0], candidate.sessions), candidate]

    def side(self, one: _Named, candidates: Sequence[SessionRow] = ()) -> Side:
        """Return the sessions of a SPEC, oldest first.

        Raises:
            NoBaselineError: it matches no session.
            ConfigError: it cannot be read, or matches two things.
        """
        sessions = self.reader.sessions()
        if one.path is not None:
            chosen = [session for session in sessions if session.session_id in self.within[one.path]]
        else:
            chosen = self._resolved(one.text, [one for one in sessions if one.session_id in self.in_db], candidates)
        if not chosen:
            raise NoBaselineError(f"{one.text}: there is no such session; see them with: benchdb sessions")
        return Side(name=one.text, sessions=tuple(sorted(chosen, key=lambda session: session.started_at)))

    def _resolved(
        self, text: str, sessions: Sequence[SessionRow], candidates: Sequence[SessionRow]
    ) -> list[SessionRow]:
        context = spec_context(self.reader, candidates, allow_cross=self.allow_cross, warn=self.warn)
        spec = parse_spec(text)
        try:
            return resolve_spec(spec, sessions, context)
        except NoBaselineError:
            # Sessions of other machines are shown as what they are: incomparable, and why.
            with contextlib.suppress(NoBaselineError):
                return resolve_spec(spec, sessions, replace(context, allow_cross=True))
            raise


def _sessions_in(path: Path, source: Path) -> set[str]:
    with open_source([source]) as reader:
        return {session.session_id for session in stored_sessions(reader, [path])}


def _apart(baseline: Side, candidate: Side) -> tuple[Side, Side]:
    """Take the candidate's sessions out of the baseline: `window:5` ends with the newest one.

    Raises:
        NoBaselineError: nothing is left of the baseline.
    """
    ids = {session.session_id for session in candidate.sessions}
    rest = tuple(session for session in baseline.sessions if session.session_id not in ids)
    if not rest:
        raise NoBaselineError(
            f"{baseline.name} and {candidate.name} are the same session; record another, or name an earlier one, "
            "as in latest~1"
        )
    return Side(name=baseline.name, sessions=rest), candidate


def _of_axis(reader: Reader, axis: str, sides: Sequence[Side]) -> list[SessionRow]:
    """Return where the values of an axis are looked for: all that is named, else the newest session, or all of them."""
    if not sides:
        sessions = reader.sessions()
        return sessions if is_session_dimension(axis) else sessions[-1:]
    found = {session.session_id: session for side in sides for session in side.sessions}
    return sorted(found.values(), key=lambda session: session.started_at)
