"""Import JUnit's XML, as pytest, Maven and CI systems write it: the outcome and the duration of each test."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.files import opened
from pytest_benchdb.importers.reading.values import MOST_NAME, BadPart, moment_us, part
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Outcome

_TOOL = "junit"
_START = re.compile(rb"<(testsuites?|\w+:testsuites?)[\s>/]")
_MOST_DEPTH = 50
_MOST_TESTS = 1_000_000
_PIECE = 1 << 16
_OUTCOMES: dict[str, Outcome] = {"failure": "failed", "error": "error", "skipped": "skipped"}


class Junit:
    """The importer of JUnit's XML; a document type, which could define entities, is refused."""

    name = "junit"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the first element is a test suite, or several."""
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        return start.startswith(b"<") and _START.search(start[:4096]) is not None

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a file: one for each test suite with tests of its own.

        Raises:
            ImportFormatError: it is not well-formed XML, has a document type, or no test.
        """
        reader = _Reader()
        with opened(path) as file:
            while piece := file.read(_PIECE):
                reader.feed(piece, is_last=False)
            reader.feed(b"", is_last=True)
        yield from reader.problems
        if not reader.suites and not reader.problems:
            raise ImportFormatError("it has no test: no element testcase in a testsuite")
        yield from reader.suites


class _Reader:
    """Collects tests as the elements come, so that a large file needs no tree."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._suites: list[tuple[dict[str, str], list[ImportedRun]]] = []
        self._depth = self._tests = 0
        self._test: dict[str, str] | None = None
        self._place = ""
        self._outcome: Outcome = "passed"
        self._reason = ""
        self._in_reason = False
        self.suites: list[ImportedSession] = []
        self.problems: list[ImportProblem] = []

    def feed(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            place = f"line {error.lineno}, column {error.offset + 1}"
            raise ImportFormatError(f"it is not XML: {expat.ErrorString(error.code)} in {place}") from error
        except (LookupError, ValueError) as error:  # an encoding that Python does not have, or cannot use
            raise ImportFormatError(f"it is not XML that can be read: {error}") from error

    def _refuse(self, *_declaration: object) -> None:
        raise ImportFormatError(
            "it has a document type, which could define entities without end; remove <!DOCTYPE ...>"
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise ImportFormatError(f"it is nested more than {_MOST_DEPTH} deep")
        kind = name.rpartition(":")[2]
        if kind == "testsuite":
            self._suites.append((attributes, []))
        elif kind == "testcase" and self._suites:
            self._tests += 1
            if self._tests > _MOST_TESTS:
                raise ImportFormatError(f"it has more than {_MOST_TESTS:,} tests; split it")
            self._test, self._outcome, self._reason = attributes, "passed", ""
            self._place = f"line {self._parser.CurrentLineNumber}"
        elif self._test is not None and kind in _OUTCOMES:
            self._outcome = _OUTCOMES[kind]
            if self._outcome == "skipped" and attributes.get("type") == "pytest.xfail":
                self._outcome = "xfailed"
            self._reason = attributes.get("message") or ""
            self._in_reason = not self._reason

    def _text(self, content: str) -> None:
        if self._in_reason and len(self._reason) < MOST_NAME:
            self._reason += content

    def _end(self, name: str) -> None:
        self._depth -= 1
        kind = name.rpartition(":")[2]
        if kind in _OUTCOMES:
            self._in_reason = False
        elif kind == "testcase" and self._test is not None:
            run, problem = part(self._test, self._place, self._run)
            if problem is not None:
                self.problems.append(problem)
            elif run is not None:
                self._suites[-1][1].append(run)
            self._test = None
        elif kind == "testsuite":
            attributes, runs = self._suites.pop()
            if runs:
                self.suites.append(_session(attributes, runs))

    def _run(self, test: dict[str, str]) -> ImportedRun:
        name = test.get("name", "").strip()
        if not name or len(name) > MOST_NAME:
            raise BadPart(f"its name has {len(name)} characters; expected from 1 to {MOST_NAME}")
        seconds = _seconds(test.get("time"))
        passed = self._outcome == "passed"
        return ImportedRun(
            fullname=_fullname(test, name),
            # The duration of a test that did not pass is none of the benchmark.
            measurements=(figure("wall_time", "s", seconds, method="junit"),) if seconds and passed else (),
            outcome=self._outcome,
            reason=" ".join(self._reason.split())[:1000] or (None if passed else self._outcome),
            duration_s=seconds,
        )


def _fullname(test: dict[str, str], name: str) -> str:
    """Return the test's id as pytest shows it, where the file is named; else class and name."""
    place, file = test.get("classname", "").strip(), test.get("file", "").strip().replace("\\", "/")
    if not file.endswith(".py"):
        return f"{place}::{name}" if place else name
    module = file.removesuffix(".py").replace("/", ".")
    classes = place.removeprefix(module).strip(".") if place.startswith(module) else ""
    return "::".join([file, *filter(None, classes.split(".")), name])


def _seconds(written: str | None) -> float | None:
    """Return a duration; some tools write a comma between thousands."""
    if written is None or not written.strip():
        return None
    if not re.fullmatch(r"[0-9,]{1,20}(\.[0-9]{1,20})?([eE]-?[0-9]{1,2})?", written.strip()):
        raise BadPart(f"its time is {written[:40]!r}; expected seconds")
    return float(written.replace(",", ""))


def _session(attributes: dict[str, str], runs: list[ImportedRun]) -> ImportedSession:
    started_us = moment_us(attributes.get("timestamp", ""))
    name = attributes.get("name", "").strip()[:200] or None
    return ImportedSession(
        started_unix_us=started_us,
        finished_unix_us=started_us,
        tool=_TOOL,
        source_key=name,
        label=name,
        runs=tuple(runs),
        rows=len(runs),
    )
