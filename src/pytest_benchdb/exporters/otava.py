"""Export sessions for Apache Otava: CSV files, and the configuration that reads them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from pytest_benchdb.exporters.names import OnlyComparable, figures_of
from pytest_benchdb.model.exchange.exported import ExportFile, StoredSession
from pytest_benchdb.model.value.spreadsheet import csv_text, guarded

_DIRECTIONS = {"lower": -1, "higher": 1}
_UNKNOWN = "unknown"


@dataclass(slots=True)
class _Machine:
    """The sessions of one machine: time, commit and branch of each, and the figures by name, then by session."""

    heads: list[tuple[str, str, str]] = field(default_factory=list)
    values: dict[str, dict[int, float]] = field(default_factory=dict)
    directions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """A CSV file: the figures that the same sessions have."""

    name: str
    machine: _Machine
    sessions: tuple[int, ...]
    metrics: list[str]

    def csv(self) -> bytes:
        """Return its content, a row for each session, the oldest first."""
        lines = [",".join(map(csv_text, ["time", "commit", "branch", *self.metrics]))]
        for index in self.sessions:
            cells = [repr(self.machine.values[name][index]) for name in self.metrics]
            lines.append(",".join([*map(csv_text, self.machine.heads[index]), *cells]))
        return ("\n".join(lines) + "\n").encode("utf-8", "replace")

    def config(self) -> list[str]:
        """Return its part of the configuration; texts are quoted as in JSON, which is YAML as well."""
        lines = [
            f"  {json.dumps(self.name)}:",
            "    type: csv",
            f"    file: {json.dumps(f'{self.name}.csv')}",
            "    time_column: time",
            "    attributes: [commit, branch]",
            "    metrics:",
        ]
        for name in self.metrics:
            column = json.dumps(guarded(name))
            lines += [f"      {json.dumps(name)}:", f"        column: {column}"]
            lines += [f"        direction: {self.machine.directions[name]}", "        scale: 1"]
        return lines


class Otava(OnlyComparable):
    """A CSV file for each machine, and ``otava.yaml``.

    Machines have files of their own, because Otava would take a change of machine for a change of speed; so have
    figures that only some sessions have, because it refuses an empty cell.
    """

    name = "otava"
    suffix = ""

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return the tables and the configuration."""
        machines: dict[str, _Machine] = {}
        for stored in sessions:
            session = stored.session
            machine = machines.setdefault((session.fingerprint or _UNKNOWN)[:8], _Machine())
            index = len(machine.heads)
            machine.heads.append((f"{session.started_at[:19]}+00:00", session.commit_sha or "", session.branch or ""))
            for figure in figures_of(stored):
                if figure.row.value is not None:
                    machine.values.setdefault(figure.name, {})[index] = figure.row.value
                    machine.directions[figure.name] = _DIRECTIONS[figure.row.better]
        tests = [test for name, machine in machines.items() for test in _tests(f"benchdb-{name}", machine)]
        config = "\n".join(["tests:", *(line for test in tests for line in test.config())]) if tests else "tests: {}"
        files = [ExportFile(name=f"{test.name}.csv", pieces=[test.csv()]) for test in tests]
        return [*files, ExportFile(name="otava.yaml", pieces=[config.encode("ascii") + b"\n"])]


def _tests(name: str, machine: _Machine) -> list[_Test]:
    """Return the tables of a machine, that of the figures with the most sessions first."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for metric, values in machine.values.items():
        groups.setdefault(tuple(values), []).append(metric)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[0]), group[0]))
    return [
        _Test(name=name if number == 1 else f"{name}-{number}", machine=machine, sessions=sessions, metrics=metrics)
        for number, (sessions, metrics) in enumerate(ordered, 1)
    ]
