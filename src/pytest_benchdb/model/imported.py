"""Sessions and runs that importers read from other tools' files, before the store gives them ids."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Commit, Device, Environment
from pytest_benchdb.model.run import Measurement, Outcome

_NO_LABELS = Labels()
_NO_COMMIT = Commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRun:
    """One benchmark of an imported session; None means that it is not in the file.

    Attributes:
        fullname: as the tool names it; ``file.py::test_name[params]`` identifies it with a test that pytest runs.
        measurements: in SI units, per iteration; the provenance becomes `imported` unless it is `simulated`.
        started_unix_us: microseconds since the epoch, UTC; None for the session's start.
    """

    fullname: str
    measurements: tuple[Measurement, ...]
    group: str | None = None
    params: Mapping[str, object] | None = None
    param_id: str | None = None
    device: Device | None = None
    labels: Labels = _NO_LABELS
    outcome: Outcome = "passed"
    reason: str | None = None
    started_unix_us: int | None = None
    duration_s: float | None = None
    iterations: int | None = None
    rounds: int | None = None
    warmup_rounds: int | None = None
    timer: str | None = None
    extra_info: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSession:
    """One session of a file.

    Attributes:
        started_unix_us: microseconds since the epoch, UTC: from the file, never the time of the import. None if the
            file does not say; the user who imports it must then.
        tool: the tool that measured: ``pytest-benchmark``.
        runs: at least one.
        source_key: name that is unique in the file; None if time and values identify the session.
        recorded_as: id of the session that a database had exported: it is left out where that is stored.
        label: the session's label; None without one.
        project: name of the project in the file; None for that of the working directory.
        environment: the machine; None if nothing is known about it.
        rows: how many rows or entries of the file belong to the session.
        note: a remark about the import, kept with the session: where its time comes from, if not from the file.
    """

    started_unix_us: int | None
    tool: str
    runs: tuple[ImportedRun, ...]
    tool_version: str | None = None
    finished_unix_us: int | None = None
    source_key: str | None = None
    recorded_as: str | None = None
    label: str | None = None
    project: str | None = None
    environment: Environment | None = None
    commit: Commit = _NO_COMMIT
    rows: int = 0
    note: str | None = None

    @property
    def start_us(self) -> int:
        """Its start, which must be known to store it.

        Raises:
            ValueError: it is not known.
        """
        if self.started_unix_us is None:
            raise ValueError("the session has no time")
        return self.started_unix_us


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProblem:
    """Something in a file that was not imported, or was imported differently than written.

    Attributes:
        place: where in the file: ``line 7``, ``benchmarks[3]``.
        text: what is wrong, with the value, and what is expected.
        refused: whether it was left out; False for a remark about imported data.
    """

    place: str
    text: str
    refused: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """The file that a session was imported from.

    Attributes:
        path: as the user wrote it.
        checksum: BLAKE2b of its bytes.
        importer: name of the importer.
        rows: how many rows or entries belong to the session.
        reason: what was left out, and why; None if nothing was.
    """

    path: str
    checksum: str
    importer: str
    rows: int
    reason: str | None = None
