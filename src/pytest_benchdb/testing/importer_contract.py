"""Tests for every importer."""

import json
import math
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import pytest

from pytest_benchdb.errors import ImportFormatError, MissingExtraError
from pytest_benchdb.interfaces import Importer, ReadsFolders
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement, Summary
from pytest_benchdb.testing.provider_contract import QuietContract, expect

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_HEADS = (4096, 65_536)
_CUTS = (0.0, 0.1, 0.5, 0.9)
_STRANGE_HEADS = (b"", b"\x00", b"\xff\xfe\x00", b"{", b"[" * 4096, b"PAR1", b"\x1f\x8b", b"a,b\n")
_LATEST_US = 253_402_300_799_000_000


class ImporterContract(QuietContract):
    """Inherit, define two fixtures, and call the class ``Test...``.

    `importer` returns the importer; `good_files` at least one valid file of its format. Of an importer that
    `ReadsFolders` they are folders. If a file needs others beside it, `home` returns the folder that holds all of them.
    """

    @pytest.fixture
    def home(self) -> Path | None:
        """Return the folder that holds the good files and what they need; None if each stands alone."""
        return None

    def test_name_can_be_typed(self, importer: Importer) -> None:
        """The name is a valid FORMAT of ``benchdb import``."""
        name = importer.name
        expect(
            _NAME.fullmatch(name) is not None and name != "auto",
            f"name is {name!r}; give lower-case letters, digits, - and _, a letter first, and not auto",
        )

    def test_own_files_are_recognised_by_their_heads(self, importer: Importer, good_files: Sequence[Path]) -> None:
        """A file is recognised by its name and first bytes, without being opened."""
        expect(len(good_files) > 0, "good_files is empty")
        for path in good_files:
            if isinstance(importer, ReadsFolders):
                roots = {importer.root_of(file, path) for file in _files_of(path)}
                expect(path in roots, f"root_of() returned {roots} for the files of {path.name}")
                continue
            for size in _HEADS:
                head = path.read_bytes()[:size]
                gone = path.with_name("not-there") / path.name
                answer = importer.can_read(gone, head)
                expect(answer is True, f"can_read({path.name}, its first {size} bytes) returned {answer!r}")

    def test_strange_heads_are_answered(self, importer: Importer) -> None:
        """`can_read` returns a bool for any name and first bytes."""
        for head in _STRANGE_HEADS:
            for name in ("results", "results.json", "results.csv", "a b\u00e9\u2603.txt"):
                answer = importer.can_read(Path(name), head)
                expect(type(answer) is bool, f"can_read({name!r}, {head[:8]!r}) returned {answer!r}, not a bool")

    def test_good_files_have_sessions_and_no_problems(self, importer: Importer, good_files: Sequence[Path]) -> None:
        """A valid file gives sessions with runs."""
        for path in good_files:
            read = list(importer.read(path))
            kinds = {type(item) for item in read}
            expect(kinds <= {ImportedSession, ImportProblem}, f"read() gives {kinds}")
            problems = [item.text for item in read if isinstance(item, ImportProblem)]
            expect(not problems, f"{path.name} must be a valid file, and has problems: {problems[:3]}")
            expect(bool(read), f"{path.name} gives no session")
            for session in _sessions(read):
                expect(len(session.runs) > 0, f"a session of {path.name} has no runs")
                expect(all(isinstance(run, ImportedRun) for run in session.runs), "a run is not an ImportedRun")

    def test_reading_again_gives_the_same(
        self, importer: Importer, good_files: Sequence[Path], home: Path | None, tmp_path: Path
    ) -> None:
        """The result does not depend on the clock, the file's modification time or its folder."""
        for number, path in enumerate(good_files):
            copy = _copied(path, home, tmp_path / f"a folder \u00e9 {number}")

            expect(list(importer.read(path)) == list(importer.read(copy)), f"{path.name} and its copy read differently")

    def test_times_come_from_the_file(self, importer: Importer, good_files: Sequence[Path]) -> None:
        """Times are microseconds since 1970, or None if the file does not say."""
        for path in good_files:
            for session in _sessions(importer.read(path)):
                times = [session.started_unix_us, *(run.started_unix_us for run in session.runs)]
                for time_us in times:
                    sound = time_us is None or (type(time_us) is int and 0 < time_us <= _LATEST_US)
                    expect(sound, f"{path.name}: a time is {time_us!r}; give whole microseconds since 1970")

    def test_names_are_not_empty(self, importer: Importer, good_files: Sequence[Path]) -> None:
        """The tool and every benchmark have a name."""
        for path in good_files:
            for session in _sessions(importer.read(path)):
                expect(bool(session.tool.strip()), f"{path.name}: the tool's name is {session.tool!r}")
                for run in session.runs:
                    expect(bool(run.fullname.strip()), f"{path.name}: a benchmark's name is {run.fullname!r}")

    def test_measurements_are_sound(self, importer: Importer, good_files: Sequence[Path]) -> None:
        """Values are finite, have the unit and direction of their metric, and are not marked as measured here."""
        for path in good_files:
            for session in _sessions(importer.read(path)):
                for run in session.runs:
                    for measurement in run.measurements:
                        problem = _problem_of(measurement)
                        expect(problem is None, f"{path.name}: {run.fullname}: {measurement.metric}: {problem}")

    def test_what_is_kept_is_json(self, importer: Importer, good_files: Sequence[Path]) -> None:
        """Parameters, notes and options can be stored."""
        for path in good_files:
            for session in _sessions(importer.read(path)):
                for run in session.runs:
                    kept = [run.params, run.extra_info, *(measurement.details for measurement in run.measurements)]
                    try:
                        json.dumps(kept, allow_nan=False)
                    except (TypeError, ValueError) as error:
                        pytest.fail(f"{path.name}: {run.fullname}: {error}", pytrace=False)

    def test_damaged_files_are_reported(
        self, importer: Importer, good_files: Sequence[Path], home: Path | None, tmp_path: Path
    ) -> None:
        """A truncated or overwritten file gives a clear message, and never another error."""
        for number, path in enumerate(good_files):
            for place, file in enumerate(_files_of(path)):
                copy = _copied(path, home, tmp_path / f"{number}-{place}")
                target = copy / file.relative_to(path) if path.is_dir() else copy
                for damaged in _damages(file.read_bytes()):
                    target.write_bytes(damaged)
                    _read_damaged(importer, copy, is_whole=path.is_file())

    def test_files_are_left_alone(
        self, importer: Importer, good_files: Sequence[Path], home: Path | None, tmp_path: Path
    ) -> None:
        """Reading does not write to the file or its folder."""
        for number, path in enumerate(good_files):
            folder = tmp_path / str(number)
            copy = _copied(path, home, folder)
            before = {file: file.read_bytes() for file in _files_of(folder)}

            list(importer.read(copy))

            after = {file: file.read_bytes() for file in _files_of(folder)}
            expect(after.keys() == before.keys(), f"beside {path.name} there is {sorted(after.keys() ^ before.keys())}")
            expect(after == before, f"{path.name} was changed")


def _files_of(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _copied(path: Path, home: Path | None, folder: Path) -> Path:
    """Copy a good file, or the home that holds it, into a new folder; return the copy of the file."""
    source = home or path
    copy = folder / source.name
    if source.is_dir():
        shutil.copytree(source, copy)
    else:
        folder.mkdir(parents=True)
        shutil.copyfile(source, copy)
    return copy if home is None else copy / path.relative_to(home)


def _damages(content: bytes) -> Iterator[bytes]:
    half = len(content) // 2
    yield from (content[: int(len(content) * share)] for share in _CUTS)
    yield content[:half] + b"\x00\xff\x00\xff" * 16 + content[half + 64 :]
    yield b"\x00" * 4096


def _sessions(
    read: "Iterator[ImportedSession | ImportProblem] | list[ImportedSession | ImportProblem]",
) -> Iterator[ImportedSession]:
    return (item for item in read if isinstance(item, ImportedSession))


def _read_damaged(importer: Importer, path: Path, *, is_whole: bool) -> None:
    try:
        read = list(importer.read(path))
    except (ImportFormatError, MissingExtraError) as error:
        text = str(error)
        expect(bool(text.strip()) and "\n" not in text, f"the message about {path.name} is {text!r}, not one line")
        return
    except Exception as error:  # noqa: BLE001 - this is what the test is for
        pytest.fail(
            f"read() of the damaged {path.name} raised {type(error).__name__}: {error}; raise ImportFormatError",
            pytrace=False,
        )
    for item in read:
        if isinstance(item, ImportProblem):
            expect(bool(item.place.strip() and item.text.strip()), f"a problem in {path.name} says {item!r}")
            expect("\n" not in item.place + item.text, f"a problem in {path.name} has more than one line: {item!r}")
    expect(
        bool(read) or not is_whole,
        f"the damaged {path.name} gives neither a session nor a problem; raise ImportFormatError",
    )


def _problem_of(measurement: Measurement) -> str | None:
    """Return what is wrong with a measurement; None if nothing is."""
    registered = METRICS.get(measurement.metric)
    if registered is not None and (measurement.unit, measurement.better) != (registered.unit, registered.better):
        actual = f"it is in {measurement.unit!r} ({measurement.better})"
        return f"{actual}; the metric has {registered.unit!r} ({registered.better})"
    if not measurement.unit or measurement.better not in {"lower", "higher", "none"}:
        return f"its unit is {measurement.unit!r} and its direction {measurement.better!r}"
    if measurement.provenance not in {"imported", "simulated"}:
        return f"its provenance is {measurement.provenance!r}; say imported"
    return _problem_of_values(measurement)


def _problem_of_values(measurement: Measurement) -> str | None:
    forms = (measurement.samples, measurement.summary, measurement.value)
    count = sum(form is not None for form in forms)
    values = _values_of(measurement)
    if count > 1:
        return "it has more than one of samples, summary and value"
    if not count and not measurement.reason:
        return "it has no value and no reason"
    if count and not values:
        return "its samples or its summary are empty; leave them out"
    if not all(type(value) in {float, int} and math.isfinite(value) for value in values):
        return f"it has values that are not finite numbers: {values[:3]}"
    return None


def _values_of(measurement: Measurement) -> list[float]:
    if measurement.samples is not None:
        return list(measurement.samples)
    if measurement.summary is not None:
        values = (getattr(measurement.summary, field.name) for field in fields(Summary))
        return [value for value in values if value is not None]
    return [] if measurement.value is None else [measurement.value]
