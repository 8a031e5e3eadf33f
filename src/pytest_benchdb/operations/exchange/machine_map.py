"""Say which machine imported results are of, by a file of the user's: a history goes on instead of starting anew.

The file is TOML, with a table for each machine; the first whose conditions all hold is taken::

    [[machine]]
    name = "build box"
    is = "this"             # the machine that runs the import; or a fingerprint; without it, one of its own
    hostname = "buildbox"   # conditions: hostname, cpu (a part of its name), tool, files (a pattern of paths)
    files = "old/*.json"
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pytest_benchdb.environment.collect import environment_id
from pytest_benchdb.environment.toml_files import read_toml
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.environment import Environment
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedSession, ImportProblem
from pytest_benchdb.operations.exchange.this_machine import ThisMachine

NAME_KEY = "machine_name"
"""Key of `Environment.details` for the name that the user gave to a machine; `queries/sessions.sql` repeats it."""

_THIS = "this"
_CONDITIONS = ("hostname", "cpu", "tool", "files")
_KEYS = frozenset({"name", "is", *_CONDITIONS})
_ADVICE = "write [[machine]] tables with name, is, hostname, cpu, tool, files"
_NO_ENVIRONMENT = Environment(environment_id="", fingerprint="")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    stands_for: str | None
    conditions: Mapping[str, str]

    def holds(self, session: ImportedSession, path: Path) -> bool:
        """Return whether a session is of this machine."""
        stated = session.environment or _NO_ENVIRONMENT
        wanted = self.conditions
        return all(
            (
                "hostname" not in wanted or stated.hostname_hash == content_id(wanted["hostname"]),
                "cpu" not in wanted or wanted["cpu"].lower() in (stated.cpu_model or "").lower(),
                "tool" not in wanted or wanted["tool"] == session.tool,
                "files" not in wanted or fnmatch(path.as_posix(), wanted["files"]),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineMap:
    """The machines of a file, and this one where a machine of the file is it."""

    file: str
    entries: Sequence[_Entry]
    here: ThisMachine | None

    @classmethod
    def read(cls, path: Path) -> "MachineMap":
        """Read a file.

        Raises:
            ConfigError: it cannot be read, or says something that is not known.
        """
        tables = read_toml(path, "--machines", _ADVICE).get("machine")
        if not isinstance(tables, list) or not tables:
            raise ConfigError(f"--machines {path} has no machine; {_ADVICE}")
        entries = tuple(_entry(table, f"--machines {path}, machine {place}") for place, table in enumerate(tables, 1))
        is_here = any(entry.stands_for == _THIS for entry in entries)
        return cls(file=path.name, entries=entries, here=ThisMachine.read() if is_here else None)

    def adopt(self, session: ImportedSession, path: Path) -> tuple[ImportedSession, ImportProblem | None]:
        """Return a session as one of the machine that the file says, with what was done; as it is if it says none."""
        entry = next((entry for entry in self.entries if entry.holds(session, path)), None)
        if entry is None:
            return session, None
        if entry.stands_for == _THIS and self.here is not None:
            adopted, remark = self.here.adopt(session)
            if adopted is session:
                return session, remark
        else:
            stated = session.environment or _NO_ENVIRONMENT
            fingerprint = entry.stands_for or content_id("fingerprint/named/1", entry.name, stated.python or None)
            adopted = replace(session, environment=replace(stated, fingerprint=fingerprint))
        text = f"taken as {entry.name}, as {self.file} says"
        return _named(adopted, entry.name, self.file), ImportProblem(place="machine", text=text, refused=False)


def _named(session: ImportedSession, name: str, file: str) -> ImportedSession:
    stated = session.environment or _NO_ENVIRONMENT
    details = {**stated.details, NAME_KEY: name, "machine_stated_in": file}
    environment = replace(stated, details=details)
    return replace(session, environment=replace(environment, environment_id=environment_id(environment)))


def _entry(table: object, place: str) -> _Entry:
    if not isinstance(table, dict):
        raise ConfigError(f"{place} is not a table; {_ADVICE}")
    unknown = sorted(table.keys() - _KEYS)
    if unknown:
        raise ConfigError(f"{place} has {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    values = dict(_texts(table, place))
    if "name" not in values:
        raise ConfigError(f"{place} has no name; {_ADVICE}")
    conditions = {key: values[key] for key in _CONDITIONS if key in values}
    if not conditions:
        raise ConfigError(f"{place} has no condition; say which results are of it: {', '.join(_CONDITIONS)}")
    return _Entry(name=values["name"], stands_for=_fingerprint(values.get("is"), place), conditions=conditions)


def _texts(table: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise ConfigError(f"{place}: {key} is {value!r}; write a text")
        yield key, value.strip()


def _fingerprint(written: str | None, place: str) -> str | None:
    if written is None or written == _THIS:
        return written
    try:
        return str(uuid.UUID(written))
    except ValueError as error:
        raise ConfigError(f"{place}: is = {written!r}; write {_THIS!r} or a fingerprint of benchdb env") from error
