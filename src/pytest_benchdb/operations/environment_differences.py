"""How the environments of two sides differ: machine, operating system, Python, packages, governor."""

from collections.abc import Mapping

from pytest_benchdb.model.comparison import Difference, Side
from pytest_benchdb.operations.environment import flatten
from pytest_benchdb.store.reader import Reader

MOST_SESSIONS = 20
"""Sessions of a side that are looked at, the newest."""

_HASHES = frozenset({"fingerprint"})
_NAMES = {"hostname_hash": "host", "cpu_model": "cpu", "ram_bytes": "ram"}
_SHOWN_OF_A_HASH = 8


def side_differences(reader: Reader, baseline: Side, candidate: Side) -> tuple[Difference, ...]:
    """Return the facts that two sides do not share; of several sessions, all that is found in them.

    Args:
        reader: an open history that holds the sessions.
        baseline: a side.
        candidate: a side.

    Raises:
        StoreError: the history cannot be read.
    """
    read: dict[str, Mapping[str, object]] = {}
    sides = []
    for side in (baseline, candidate):
        facts: dict[str, set[str]] = {}
        for session in side.sessions[-MOST_SESSIONS:]:
            key = session.session_id
            if key not in read:
                read[key] = dict(flatten(reader.environment_of(key)))
            for name, value in read[key].items():
                facts.setdefault(name, set()).add(_text(name, value))
            if session.tool_version:
                facts.setdefault(session.tool, set()).add(session.tool_version)
        sides.append(facts)
    before, after = sides
    return tuple(
        Difference(name=_NAMES.get(name, name), baseline=_joined(before.get(name)), candidate=_joined(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if name not in _HASHES and before.get(name) != after.get(name)
    )


def _text(name: str, value: object) -> str:
    text = str(value)
    return text[:_SHOWN_OF_A_HASH] if name == "hostname_hash" else text


def _joined(texts: set[str] | None) -> str | None:
    return ", ".join(sorted(texts)) if texts else None
