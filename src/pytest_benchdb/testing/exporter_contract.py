"""Tests for every exporter."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import PurePosixPath

import pytest

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.interfaces import Exporter
from pytest_benchdb.model.exchange.exported import ExportFile, StoredMeasurement, StoredRun, StoredSession
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.testing.provider_contract import QuietContract, expect

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_SUFFIX = re.compile(r"(\.[a-z0-9]+)+")
_BROKEN = "tests/test_contract.py::test_bad"
_SIMULATED = "tests/test_contract.py::test_sim"
_HOSTILE = (
    "=cmd|'/c calc'!A1",
    'quote"and,comma;[x\\y]',
    "line\nbreak\ttab\rreturn",
    "<script>alert(1)</script>",
    "null\x00byte \ud800 \u202e",
    "x" * 5000,
    "../../escape",
)


class ExporterContract(QuietContract):
    """Inherit, define the fixture `exporter`, and call the class ``Test...``."""

    def test_name_can_be_typed(self, exporter: Exporter) -> None:
        """The name is a valid FORMAT of ``benchdb export``, and the suffix that of a file."""
        expect(_NAME.fullmatch(exporter.name) is not None, f"name is {exporter.name!r}; give lower-case letters")
        sound = not exporter.suffix or _SUFFIX.fullmatch(exporter.suffix) is not None
        expect(sound, f"suffix is {exporter.suffix!r}; give one like .json, or none for a folder")
        expect(exporter.holds in {"history", "session"}, f"holds is {exporter.holds!r}; say history or session")

    def test_files_are_named_within_the_folder(self, exporter: Exporter) -> None:
        """Files have relative names that differ, and there is one if the exporter has a suffix."""
        names = [file.name for file in _export(exporter, [_session(_run())])]
        paths = [PurePosixPath(name) for name in names]
        expect(all(path.parts and not path.is_absolute() and ".." not in path.parts for path in paths), f"{names}")
        expect(len(set(names)) == len(names), f"two files have one name: {names}")
        expect(len(names) == 1 or not exporter.suffix, f"it has the suffix {exporter.suffix}, and {len(names)} files")

    def test_exporting_again_gives_the_same(self, exporter: Exporter) -> None:
        """The content depends on the sessions alone, not on the clock."""
        expect(_content(exporter, [_session(_run())]) == _content(exporter, [_session(_run())]), "the bytes differ")

    def test_text_is_text(self, exporter: Exporter) -> None:
        """Files of text are UTF-8."""
        content = b"\n".join(_content(exporter, [_session(_run())]).values()) if exporter.is_text else b""
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            pytest.fail(f"a file is not UTF-8: {error}", pytrace=False)

    def test_sessions_without_runs_are_exported(self, exporter: Exporter) -> None:
        """A session without a run that the format takes can be exported."""
        _content(exporter, [_session()])

    def test_run_that_did_not_pass_is_no_figure(self, exporter: Exporter) -> None:
        """A run that failed is left out, or its outcome is beside it."""
        _expect_marked(exporter, _failed(), _BROKEN, b"failed")

    def test_simulated_run_is_marked_or_left_out(self, exporter: Exporter) -> None:
        """A simulated run is left out, or marked."""
        _expect_marked(exporter, _simulated(), _SIMULATED, b"simulated")

    def test_hostile_names_are_written(self, exporter: Exporter) -> None:
        """Any name can be written; JSON stays JSON."""
        for name in _HOSTILE:
            stored = _session(_run(fullname=name, name=name), label=name, branch=name)
            for path, content in _content(exporter, [stored]).items():
                if path.endswith(".json"):
                    json.loads(content, parse_constant=_no_constant)

    def test_several_sessions_are_exported(self, exporter: Exporter) -> None:
        """A format that holds a history takes several sessions, each with a benchmark of its own."""
        if exporter.holds == "history":
            _content(exporter, [_session(_run()), _session(_run(fullname="tests/test_contract.py::test_other"))])


def _expect_marked(exporter: Exporter, run: StoredRun, name: str, mark: bytes) -> None:
    taken = exporter.takes(run)
    expect(type(taken) is bool, f"takes() returned {taken!r}")
    contents = _content(exporter, [_session(*([run] if taken else []), _run())])
    for path, content in contents.items() if exporter.is_text else ():
        if name.rpartition("::")[2].encode() in content:
            expect(mark in content, f"{path} has {name} and does not say {mark.decode()}")


def _export(exporter: Exporter, sessions: Sequence[StoredSession]) -> Iterator[ExportFile]:
    try:
        yield from exporter.export(iter(sessions))
    except MissingExtraError as error:
        pytest.skip(str(error))
    except ConfigError as error:
        expect("\n" not in str(error), f"the message is more than one line: {error}")


def _content(exporter: Exporter, sessions: Sequence[StoredSession]) -> dict[str, bytes]:
    return {file.name: b"".join(file.pieces) for file in _export(exporter, sessions)}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _measurement(**changes: object) -> StoredMeasurement:
    figures = {"min": 1e-3, "max": 3e-3, "mean": 2e-3, "median": 2e-3, "stddev": 1e-3, "q1": 1.5e-3, "q3": 2.5e-3}
    known: dict[str, object] = {"metric": "wall_time", "unit": "s", "better": "lower", "n": 3, "value": 2e-3, **figures}
    return StoredMeasurement(**{**known, "samples": (1e-3, 2e-3, 3e-3), "comparable": True, **changes})  # type: ignore[arg-type]


def _run(**changes: object) -> StoredRun:
    fullname = str(changes.get("fullname", "tests/test_contract.py::test_good"))
    known: dict[str, object] = {
        "run_id": f"run of {fullname}",
        "fullname": fullname,
        "name": fullname.rpartition("::")[2],
        "started_at": "2026-11-21T02:03:05.000000",
        "outcome": "passed",
        "provenance": "measured",
        "backend": "cpu",
        "iterations": 1,
        "rounds": 3,
        "measurements": (_measurement(),),
    }
    return StoredRun(**{**known, **changes})  # type: ignore[arg-type]


def _failed() -> StoredRun:
    row = StoredMeasurement(metric="wall_time", unit="s", better="lower", valid=False, reason="not timed")
    return _run(fullname=_BROKEN, outcome="failed", reason="AssertionError", measurements=(row,))


def _simulated() -> StoredRun:
    row = _measurement(provenance="simulated", comparable=False)
    return _run(fullname=_SIMULATED, provenance="simulated", measurements=(row,))


def _session(*runs: StoredRun, **changes: object) -> StoredSession:
    known: dict[str, object] = dict.fromkeys(field.name for field in fields(SessionRow))
    known |= {
        "session_id": "018f0000-0000-7000-8000-000000000001",
        "project": "contract",
        "kind": "pytest",
        "started_at": "2026-11-21T02:03:04.500000",
        "outcome": "passed",
        "complete": True,
        "tags": {},
        "tool": "pytest-benchdb",
        "commit_sha": "0123456789abcdef0123456789abcdef01234567",
        "runs": len(runs),
        "not_passed": 0,
    }
    return StoredSession(session=SessionRow(**{**known, **changes}), environment={}, runs=iter(runs))  # type: ignore[arg-type]
