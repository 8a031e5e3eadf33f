"""Read the environments of sessions, and compare two."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.select.selection import Selection, open_selection

Facts = Mapping[str, object]

_NOT_OF_THE_PLACE = frozenset({"environment_id", "sessions", "first_seen_at", "last_seen_at"})
_MOST_COMPARED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnvironment:
    """The environment of one session.

    Attributes:
        facts: by dotted name: ``cpu_model``, ``packages.numpy``, ``details.governor``.
    """

    session: SessionRow
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact in which two environments differ; None where it is unknown."""

    name: str
    first: object
    second: object


def read_environments(selection: Selection, feedback: Feedback = SILENT) -> list[SessionEnvironment]:
    """Return the environments of one or two sessions, oldest first.

    Without names it is the newest session; for two files, the newest two.

    Raises:
        ConfigError: a name matches no session, or more than two are selected.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    with open_selection(selection, feedback, newest=None) as selected:
        if len(selected.sessions) > _MOST_COMPARED:
            raise ConfigError(
                f"{len(selected.sessions)} sessions are named; give one to show its environment, two to compare"
            )
        environment_of = selected.reader.environment_of
        return [
            SessionEnvironment(session=s, facts=dict(flatten(environment_of(s.session_id)))) for s in selected.sessions
        ]


def diff_facts(first: Facts, second: Facts) -> list[Difference]:
    """Return the facts in which two environments differ, in the order of the first, then of the second.

    >>> diff_facts({"os": "Debian 12", "cores": 4}, {"os": "Debian 13", "cores": 4})
    [Difference(name='os', first='Debian 12', second='Debian 13')]
    """
    names = dict.fromkeys([*first, *second])
    return [
        Difference(name=name, first=first.get(name), second=second.get(name))
        for name in names
        if first.get(name) != second.get(name)
    ]


def flatten(environment: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield nested facts under dotted names, leaving out unknown ones."""
    for name, value in environment.items():
        if not prefix and name in _NOT_OF_THE_PLACE:
            continue
        if isinstance(value, Mapping):
            yield from flatten(dict(sorted(value.items())), f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value
