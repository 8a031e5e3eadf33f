"""The session of a script: recorded as pytest's is, in one journal that is folded into a session file at its end."""

import atexit
import contextlib
import functools
import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pytest_benchdb.environment.toml_files import project_name
from pytest_benchdb.errors import ConfigError, MeasurementError
from pytest_benchdb.measure.distributed.ranks import rank_of, rank_tags
from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import SessionOutcome
from pytest_benchdb.model.run import NOT_RUN, PASSED, Timing
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.record import Context, SessionRecorder, project_root, start_session
from pytest_benchdb.plugin.bench.devices import Devices
from pytest_benchdb.plugin.ending.summary import remarks_about
from pytest_benchdb.plugin.recording.attempt import Attempt, Block
from pytest_benchdb.plugin.recording.identity import Identifier, labels_from, labels_of_params
from pytest_benchdb.plugin.recording.points import SweepPoints
from pytest_benchdb.plugin.recording.run import Keeping, run_of, stored_extra_info, stored_lines
from pytest_benchdb.plugin.settings import DEFAULT_PATH, grid_factor, known_passes
from pytest_benchdb.present.report.table import layout
from pytest_benchdb.present.writing.grid import write_lines
from pytest_benchdb.registry import current_device, plugin_manager
from pytest_benchdb.scripts.bench import ScriptBench
from pytest_benchdb.store.fold_process import FoldResult
from pytest_benchdb.store.journal.lines import begin_line
from pytest_benchdb.store.target import Target, resolve

if TYPE_CHECKING:
    from typing_extensions import Self

ROW_LIMIT = 30
"""Most rows of the table at the end."""
_PIPE_WIDTH = 120
_open_session: "ScriptSession | None" = None


def session(  # noqa: PLR0913 - the options of pytest's command line
    path: str | os.PathLike[str] = DEFAULT_PATH,
    *,
    label: str | None = None,
    tags: Mapping[str, object] | None = None,
    note: str | None = None,
    project: str | None = None,
    file: str | None = None,
    passes: Sequence[str] = (),
    keep_rounds: bool = True,
    grid_gco2_per_kwh: float | None = None,
    summary: bool = True,
) -> "ScriptSession":
    """Record benchmarks in a script or a notebook: ``with pytest_benchdb.session("results") as s: s.bench("sort")(f)``.

    Args:
        path: a folder, for one DuckDB file per session, or a ``.duckdb`` file.
        label: name of the session.
        tags: tags of the session.
        note: a text that is kept with the session.
        project: name of the project; None takes that of ``pyproject.toml``, else of the git remote or the folder.
        file: the file that benchmarks are named after; None takes the script, or the notebook if its name is known.
        passes: what is done after timing: ``memory``, ``energy``, ``counters``, ``series``.
        keep_rounds: False keeps only the statistics of the rounds.
        grid_gco2_per_kwh: grams of CO2 that the electricity grid emits for each kWh, to store the CO2 of measured
            energy; None stores none.
        summary: whether a table of the results is printed at the end.

    Raises:
        ConfigError: an argument cannot be used.
    """
    names = [passes] if isinstance(passes, str) else list(passes)
    chosen = known_passes(names, "session(passes=...):")
    target = _target(os.fspath(path))
    factor = _factor(grid_gco2_per_kwh)
    script = _script(os.environ)
    root = project_root(Path.cwd() if script is None else script.parent)
    context = Context(
        root=root,
        environ=os.environ,
        argv=["python", *(sys.argv if script is not None else ())],
        project=project or project_name(root) or project_name(Path.cwd()),
        label=label,
        tags={**_rank_tags(), **{str(key): str(value) for key, value in (tags or {}).items()}},
        note=note,
        suite={},
        unmeasured={},
        kind="api",
    )
    return ScriptSession(
        context,
        target,
        file=file or _file_of(script, root),
        passes=chosen,
        keeping=Keeping(keep_rounds=keep_rounds, attachments=target.attachments, gco2_per_kwh=factor),
        summary=summary,
    )


@dataclass(frozen=True, slots=True)
class _Current:
    """The benchmark that is being measured."""

    bench: ScriptBench
    attempt: Attempt
    points: SweepPoints
    on_device: contextlib.ExitStack


class ScriptSession:
    """A session of a script; see `pytest_benchdb.session`. The first benchmark starts it.

    Attributes:
        target: where its results go.
        result: how it was stored; None before `close`, or if nothing was recorded.
    """

    def __init__(
        self,
        context: Context,
        target: Target,
        *,
        file: str,
        passes: Sequence[str],
        keeping: Keeping,
        summary: bool,
    ) -> None:
        """Start nothing yet."""
        self.target = target
        self.result: FoldResult | None = None
        self._context = context
        self._file = file
        self._passes = passes
        self._keeping = keeping
        self._summary = summary
        self._pid = os.getpid()
        self._probe = BlockProbe()
        self._recorder: SessionRecorder | None = None
        self._devices: Devices | None = None
        self._identifier: Identifier | None = None
        self._current: _Current | None = None
        self._labels: dict[str, Labels] = {}
        self._counts: Counter[str] = Counter()
        self._failed = 0
        self._refused: list[str] = []
        self._closed = False

    def __enter__(self) -> "Self":
        """Start the session.

        Raises:
            ConfigError: another session is open, or this one was closed.
        """
        self._started()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(error)

    @property
    def session_id(self) -> str | None:
        """The session's id; None before it starts."""
        return None if self._recorder is None else self._recorder.start.session_id

    @property
    def path(self) -> Path | None:
        """The file that has the results, for `pytest_benchdb.open`; None until the session is closed and stored."""
        stored = self.result is not None and self.result.status != "failed"
        return self.result.path if self.result is not None and stored else None

    def bench(
        self,
        name: str,
        *,
        backend: str | None = None,
        params: Mapping[str, object] | None = None,
        group: str | None = None,
        **labels: object,
    ) -> ScriptBench:
        """Return the `Bench` of a new benchmark, after storing the one before.

        Args:
            name: name of the benchmark, the same in every session.
            backend: the device: ``cuda:0``; None takes the CPU.
            params: what tells benchmarks of one name apart: ``{"size": 1000}``.
            group: heading in the report.
            labels: labels of ``pytest.mark.benchdb``: `model`, `batch_size`, ...; parameters of such a name are labels
                already.

        Raises:
            ConfigError: an argument cannot be used, or the session is closed.
            BackendUnavailableError: the device is missing, which is recorded.
        """
        recorder, devices, identifier = self._started()
        self._finish_current()
        name = str(name).strip()
        if not name:
            raise ConfigError(f"bench({name!r}): give the name of the benchmark")
        params = params or {}
        benchmark = identifier.benchmark_of_script(self._file, name, params)
        chosen = labels_of_params(labels_from(labels), params)
        if self._labels.setdefault(benchmark.benchmark_id, chosen) != chosen:
            raise ConfigError(
                f"bench({name!r}) was measured with other labels in this session; give what differs as params={{...}}"
            )
        self._counts[benchmark.name] += 1
        attempt = Attempt(
            benchmark=benchmark,
            labels=chosen,
            problem=None,
            number=self._counts[benchmark.name],
            block=Block(self._probe),
            identifier=identifier,
        )
        points = SweepPoints(attempt, write=self._write, begin_line=_begin_line, lines_of=self._lines_of)
        attempt.points = points
        recorder.append(_begin_line(attempt))
        try:
            made = devices.make(backend, attempt, benchmark.name, ScriptBench)
        except BaseException as error:
            attempt.end(error)
            self._write(self._lines_of(attempt))
            raise
        made.group = group
        made.finish = self._finish_current
        on_device = contextlib.ExitStack()
        on_device.enter_context(current_device(made.opened))
        self._current = _Current(bench=made, attempt=attempt, points=points, on_device=on_device)
        return made

    def close(self) -> None:
        """Store the session and print its results; closing it again does nothing."""
        self._end(None)

    def _started(self) -> tuple[SessionRecorder, Devices, Identifier]:
        global _open_session  # noqa: PLW0603 - one session of this process at a time
        if self._closed:
            raise ConfigError("this session is closed; begin another with pytest_benchdb.session(...)")
        if self._recorder is None or self._devices is None or self._identifier is None:
            if _open_session is not None and _open_session.is_of_this_process:
                raise ConfigError(
                    f"a session into {_open_session.target.path} is open already, and sessions do not nest; "
                    "end its with block, or call its close()"
                )
            manager, _ = plugin_manager()
            self._devices = Devices(manager, (), self._passes)
            start = start_session(replace(self._context, unmeasured=self._probe.unmeasured()))
            self._recorder = SessionRecorder(start, self.target)
            self._identifier = Identifier(start.project, self._context.root)
            _open_session = self
            atexit.register(self.close)  # in a notebook, the kernel's end may be the session's
        return self._recorder, self._devices, self._identifier

    @property
    def is_of_this_process(self) -> bool:
        """Whether this process opened the session, rather than a process that it was forked from."""
        return os.getpid() == self._pid

    def _write(self, lines: bytes) -> bool:
        if self._recorder is not None:
            self._recorder.append(lines)
        return True

    def _lines_of(self, attempt: Attempt) -> bytes:
        outcome, reason = attempt.outcome
        self._failed += outcome not in PASSED | NOT_RUN
        bench = attempt.bench
        timing = Timing.missing(reason or outcome) if bench is None else bench.timing()
        devices = () if self._recorder is None else self._recorder.start.devices
        make = functools.partial(
            run_of,
            attempt,
            outcome,
            reason,
            timing,
            group=getattr(bench, "group", None),
            extra_info={} if bench is None else stored_extra_info(bench.extra_info, attempt.refused),
            device_id=devices[0].device_id if devices else None,
            worker=None,
        )
        lines, refused = stored_lines(attempt, make, self._keeping)
        self._refused += (f"{attempt.benchmark.name}: {text}" for text in refused)
        return lines

    def _finish_current(self, error: BaseException | None = None) -> None:
        """Store the benchmark that is being measured, if there is one; `error` ends the session."""
        if self._current is None:
            return
        bench, attempt, points = self._current.bench, self._current.attempt, self._current.points
        self._current.on_device.close()
        self._current = None
        mistakes = bench.mistakes()
        raised = bench.error or (error if bench.has_unfinished_loop else None)
        attempt.end(raised or (MeasurementError("\n".join(mistakes)) if mistakes else None))
        if not points.are_the_whole_test:
            self._write(self._lines_of(attempt))

    def _end(self, error: BaseException | None) -> None:
        global _open_session  # noqa: PLW0603 - see `_started`
        if self._closed or not self.is_of_this_process:
            return
        self._closed = True
        atexit.unregister(self.close)
        recorder = self._recorder
        if recorder is None or self._devices is None:
            return
        if isinstance(error, SystemExit) and not error.code:
            error = None
        try:
            self._finish_current(error)
            self.result = recorder.finish(
                outcome=self._outcome(error), exit_status=None, complete=error is None, row_limit=ROW_LIMIT
            )
        finally:
            _open_session = None
            self._devices.close()
            self._probe.close()
        if self._summary and (self.result is not None or recorder.problem is None):
            self._print_results()
        for problem in (recorder.problem, self.result.message if self.result else None, *self._refused):
            if problem is not None:
                print(f"benchdb: {problem}", file=sys.stderr)  # noqa: T201 - what was lost, even without a summary

    def _outcome(self, error: BaseException | None) -> SessionOutcome:
        if error is not None:
            return "interrupted" if isinstance(error, KeyboardInterrupt) else "error"
        return "failed" if self._failed else "passed"

    def _print_results(self) -> None:
        stream = sys.stdout
        if self.result is None:
            print("benchdb: no benchmark ran, so nothing was recorded", file=stream)
            return
        is_terminal = stream.isatty()
        width = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
        ascii_only = not (getattr(stream, "encoding", None) or "ascii").lower().startswith("utf")
        color = is_terminal and "NO_COLOR" not in os.environ
        if self.result.rows:
            write_lines(layout(self.result.rows, width, ascii_only=ascii_only).lines, stream, color=color)
        for line in self._remarks(self.result):
            print(line, file=stream)

    def _remarks(self, result: FoldResult) -> list[str]:
        lines = [
            f"{name} was measured {count} times, and the last counts; params={{...}} keeps what differs apart"
            for name, count in self._counts.items()
            if count > 1
        ]
        lines += remarks_about(result)
        if result.status == "stored":
            counts = ", ".join(f"{count} {outcome}" for outcome, count in result.outcomes.items())
            lines.append(f"{counts} -> {_shown(result.path)}")
            hidden = result.total_runs - len(result.rows)
            more = f"{counted(hidden, 'more run')}: " if hidden > 0 else "next: "
            lines.append(f"{more}benchdb-report {shlex.quote(_shown(self.target.path))}")
        return lines


def _begin_line(attempt: Attempt) -> bytes:
    return begin_line(
        attempt.run_id,
        attempt.benchmark,
        started_unix_us=attempt.started_unix_us,
        attempt=attempt.number,
        worker=None,
    )


def _shown(path: Path) -> str:
    """Return a path as the user would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _script(environ: Mapping[str, str]) -> Path | None:
    """Return the script or the notebook that runs; None in a console, or in a notebook that does not give its name."""
    name = getattr(sys.modules["__main__"], "__file__", None) or environ.get("JPY_SESSION_NAME")
    return Path(name).absolute() if name and Path(name).is_file() else None


def _file_of(script: Path | None, root: Path) -> str:
    if script is None:
        return "notebook" if "ipykernel" in sys.modules else "console"
    try:
        return script.relative_to(root).as_posix()
    except ValueError:
        return script.name


def _target(path: str) -> Target:
    try:
        return resolve(path, Path.cwd())
    except ConfigError as error:
        raise ConfigError(f"session({path!r}): {str(error).partition(': ')[2]}") from error


def _factor(grid_gco2_per_kwh: object) -> float | None:
    return None if grid_gco2_per_kwh is None else grid_factor(grid_gco2_per_kwh, "session(grid_gco2_per_kwh=...)")


def _rank_tags() -> dict[str, str]:
    """Return the tags of a script that torchrun started as one of several."""
    info = rank_of(os.environ)
    return {} if info is None else rank_tags(info)
