"""Import any JSON by a map of its values: ``benchdb import json FILE --map name=results[].name --map time=...``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.mapped.json_map import FACTS, LABELS, PARAM, Field, JsonMap
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.json_text import head_of_json, json_lines_of, json_of
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    described,
    json_object,
    moment_us,
    outcome_of,
    part,
    provenance_of,
    required_name,
    required_number,
    required_numbers,
    text,
)
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Commit, Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.metric import METRICS, Provenance
from pytest_benchdb.model.run import Measurement

JSON = "json"
_LINES = (".jsonl", ".ndjson")
_LONG = 10


class MappedJson:
    """The importer of JSON whose values a map names; of JSON lines, too, which are one list."""

    name = JSON

    def __init__(self, names: JsonMap) -> None:
        """Take the map."""
        self._map = names

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether it is JSON."""
        return head_of_json(head).kind != ""

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the rows of a file; those of one time, commit and label are one session.

        Raises:
            ImportFormatError: it is not JSON, or has no row where the map looks for them.
        """
        sessions: dict[tuple[str | None, ...], list[ImportedRun]] = {}
        document: object = json_of(path, JSON) if not path.name.endswith(_LINES) else []
        if path.name.endswith(_LINES):
            lines = list(json_lines_of(path, JSON))
            bad = [(number, line) for number, line in lines if isinstance(line, ImportFormatError)]
            yield from (ImportProblem(place=f"line {number}", text=str(line)) for number, line in bad)
            document = [line for _, line in lines if not isinstance(line, ImportFormatError)]
        rows = list(self._map.rows(document))
        if not rows:
            raise ImportFormatError("it has nothing at the path of --map to which all fields belong")
        for place, values in rows:
            run, problem = part(values, place, self._run)
            if problem is not None:
                yield problem
            if run is not None:
                key = tuple(str(values[fact]) if fact in values else None for fact in FACTS)
                sessions.setdefault(key, []).append(run)
        for facts, runs in sessions.items():
            yield _session(dict(zip(FACTS, facts, strict=True)), runs)

    def _run(self, values: Mapping[str, Any]) -> ImportedRun:
        name = required_name(_as_text(values.get("name")), "name")
        params = {field.name: values[field.name] for field in self._map.fields if field.name in values}
        params = {
            key.removeprefix(PARAM): value for key, value in params.items() if key.startswith(PARAM) or key in LABELS
        }
        if "started_at" in values and moment_us(values["started_at"]) is None:
            raise BadPart(f"started_at is {described(values['started_at'])}; expected a time")
        outcome, reason = outcome_of(values.get("status"), values.get("error"))
        if outcome is None and "status" in values:
            raise BadPart(f"status is {described(values['status'])}: it was not tested, or the word is not known")
        simulated = provenance_of({"is_simulated": values.get("simulated")}) == "simulated"
        metrics = [field for field in self._map.fields if field.is_metric]
        measurements = tuple(_measurement(field, values.get(field.name), simulated=simulated) for field in metrics)
        if all(row.reason for row in measurements) and (outcome or "passed") == "passed":
            raise BadPart(f"it has none of {', '.join(field.name for field in metrics)}")
        return ImportedRun(
            fullname=named(name, params),
            group=text(values.get("group")),
            params=json_object(params),
            param_id=param_id(params) if params else None,
            measurements=measurements,
            device=_device(text(values.get("backend")), text(values.get("device"))),
            labels=_labels(values),
            outcome=outcome or "passed",
            reason=reason,
            rounds=next((len(row.samples) for row in measurements if row.samples), None),
        )


def _measurement(field: Field, value: object, *, simulated: bool) -> Measurement:
    provenance: Provenance = "simulated" if simulated else "imported"
    if value is None:
        ours = METRICS.get(field.name)
        unit, better = (ours.unit, ours.better) if ours else ("1", field.better)
        return Measurement(
            metric=field.name, unit=unit, better=better, provenance=provenance, reason="the file has no value"
        )
    numbers = required_numbers(value, field.name) if isinstance(value, list) else required_number(value, field.name)
    return figure(field.name, field.unit, numbers, better=field.better, provenance=provenance)


def _labels(values: Mapping[str, Any]) -> Labels:
    texts = {name: _as_text(values.get(name)) for name in LABELS}
    return Labels(
        model=texts["model"],
        version=texts["version"],
        framework=texts["framework"],
        framework_version=texts["framework_version"],
        precision=texts["precision"],
        batch_size=_size(values.get("batch_size")),
        sequence_length=_size(values.get("sequence_length")),
    )


def _size(value: object) -> int | None:
    """Return a size, which a key of an object has as a text."""
    return count(int(value) if isinstance(value, str) and value.isdecimal() and len(value) < _LONG else value)


def _session(facts: Mapping[str, str | None], runs: list[ImportedRun]) -> ImportedSession:
    written = facts["started_at"]
    started_us = None if written is None else moment_us(float(written) if _is_number(written) else written)
    return ImportedSession(
        started_unix_us=started_us,
        finished_unix_us=started_us,
        tool=JSON,
        label=facts["label"],
        project=facts["project"],
        commit=Commit(sha=facts["commit"], branch=facts["branch"]),
        runs=tuple(runs),
        rows=len(runs),
    )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _as_text(value: object) -> str | None:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else text(value)


def _device(backend: str | None, name: str | None) -> Device | None:
    if backend is None and name is None:
        return None
    kind = (backend or name or "").lower()
    return Device(device_id=content_id(kind, name or kind, None), backend=kind, name=name or kind)
