"""Make a database: an empty one, or one with sample data to try the commands on.

Sample data is made up, the same on every machine, and says so everywhere: its sessions are of the kind ``sample`` and
its figures simulated, so that no comparison, gate or ranking takes them.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb import __version__
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Commit, Device, Environment, SessionEnd, SessionStart
from pytest_benchdb.model.identity import content_id, timed_id
from pytest_benchdb.model.imported import ImportedRun
from pytest_benchdb.model.run import Measurement, Outcome, Run, Timing
from pytest_benchdb.operations.exchange.as_journal import benchmark_of
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.single_file import open_for_writing
from pytest_benchdb.store.history.staging import staging
from pytest_benchdb.store.journal.lines import end_line, run_lines, session_line
from pytest_benchdb.store.target import SESSION_SUFFIX, Target, make_folder, resolve

PROJECT = "sample"
LABEL = "sample data"
_TAG = {"sample": "made up by benchdb init"}
_FIRST_US = 1_767_236_400_000_000
"""The first of January 2026, 03:00 UTC."""
_DAY_US = 86_400_000_000
_SESSIONS = 5
_LOCK_WAIT_S = 60.0
_SLOWER_FROM = 3
"""From this session on one benchmark is slower, as if somebody had changed it."""
_ROUNDS = 20
_CPU = Device(device_id=content_id("sample", "cpu"), backend="cpu", name="Sample CPU")
_GPU = Device(device_id=content_id("sample", "cuda"), backend="cuda", name="Sample GPU")
_BACKENDS = ((_CPU, 1.0), (_GPU, 0.08))
_MODELS = (("tiny-bert", 8e-3, 120 << 20), ("tiny-resnet", 5e-3, 90 << 20), ("tiny-llama", 60e-3, 900 << 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The outcome of `make_database`.

    Attributes:
        path: the folder or the file.
        is_new: whether it was not there before.
        sessions: sample sessions that were added.
    """

    path: Path
    is_new: bool
    sessions: int


def make_database(path: str, *, sample_data: bool) -> Made:
    """Make a folder of sessions or a ``.duckdb`` file, and add sample data; what is there is kept.

    Args:
        path: as for ``--benchdb=PATH``.
        sample_data: whether to add the sample sessions that are not there yet.

    Raises:
        ConfigError: PATH cannot hold sessions.
        StoreError: it cannot be written, or is not a database of pytest-benchdb.
    """
    target = resolve(path, Path.cwd())
    is_new = not target.path.exists()
    with translated(str(target.path)):
        if target.kind == "folder":
            make_folder(target.path)
        else:
            with open_for_writing(str(target.path), wait_s=_LOCK_WAIT_S):
                pass  # a missing file is created, and another program's is refused
    return Made(path=target.path, is_new=is_new, sessions=_add_sample(target) if sample_data else 0)


def _add_sample(target: Target) -> int:
    known = _known(target)
    added = 0
    with staging(target) as stage:
        for number in range(_SESSIONS):
            start = _start(number)
            if start.session_id not in known:
                stage.add(start.session_id, _lines(start, number))
                added += 1
        stage.publish()
        stage.finish()
    return added


def _known(target: Target) -> set[str]:
    if target.kind == "folder" and not any(target.path.glob(f"*{SESSION_SUFFIX}")):
        return set()
    with open_history((target.path,)) as reader:
        return {session.session_id for session in reader.sessions()}


def _start(number: int) -> SessionStart:
    started_us = _FIRST_US + number * _DAY_US
    environment = Environment(
        environment_id=content_id("environment", "sample"),
        fingerprint=content_id("fingerprint", "sample"),
        os="Sample OS",
        cpu_model=_CPU.name,
        cores=8,
        threads=16,
        python="CPython 3.12",
        details={"sample": True},
    )
    return SessionStart(
        session_id=timed_id(started_us // 1000, _digest("session", number)),
        project=PROJECT,
        kind="sample",
        started_unix_us=started_us,
        label=LABEL,
        tags=_TAG,
        note="made up by benchdb init --sample-data; nothing of it was measured",
        tool="pytest-benchdb",
        tool_version=__version__,
        environment=environment,
        devices=(_CPU, _GPU),
        commit=Commit(branch="main"),
    )


def _lines(start: SessionStart, number: int) -> Iterator[bytes]:
    yield session_line(start)
    place = 0
    for model, time_s, size in _MODELS:
        for device, factor in _BACKENDS:
            slower = 1.3 if number >= _SLOWER_FROM and model == "tiny-bert" and device is _CPU else 1.0
            yield _run(start, place, model, device, time_s * factor * slower, size)
            place += 1
    yield _other(start, place, "test_tokenize", "failed", "AssertionError: sample of a failure")
    yield _other(start, place + 1, "test_on_npu", "unsupported", "no NPU: sample of hardware that is not there")
    end = SessionEnd(finished_unix_us=start.started_unix_us + 60_000_000, outcome="failed", complete=True)
    yield end_line(end, start.session_id)


def _run(start: SessionStart, place: int, model: str, device: Device, time_s: float, size: int) -> bytes:
    chance = random.Random(f"{start.session_id}/{place}")  # noqa: S311 - the same sample on every machine
    rounds = [max(1, round(time_s * 1e9 * chance.lognormvariate(0.0, 0.02))) for _ in range(_ROUNDS)]
    memory = "device_peak" if device is _GPU else "peak_rss"
    measurements = (
        Measurement.of("wall_time", round_ns=rounds, provenance="simulated"),
        Measurement.of("throughput", value=8e9 / (sum(rounds) / len(rounds)), provenance="simulated"),
        Measurement.of(memory, value=float(size), provenance="simulated"),
    )
    timing = Timing(measurements=measurements, iterations=1, rounds=_ROUNDS, warmup_rounds=0, provenance="simulated")
    labels = Labels(model=model, version="v1", precision="fp16", batch_size=8, workload="inference")
    named = ImportedRun(
        fullname=f"tests/test_models.py::test_inference[{model}]", measurements=(), params={"model": model}
    )
    run = Run(
        run_id=_run_id(start, place),
        benchmark=benchmark_of(named, PROJECT),
        labels=labels,
        device_id=device.device_id,
        outcome="passed",
        reason=None,
        started_unix_us=start.started_unix_us + place,
        duration_s=sum(rounds) / 1e9,
        timing=timing,
    )
    return run_lines(run, session_id=start.session_id)


def _other(start: SessionStart, place: int, name: str, outcome: Outcome, reason: str) -> bytes:
    benchmark = benchmark_of(ImportedRun(fullname=f"tests/test_models.py::{name}", measurements=()), PROJECT)
    run = Run(
        run_id=_run_id(start, place),
        benchmark=benchmark,
        labels=Labels(),
        outcome=outcome,
        reason=reason,
        started_unix_us=start.started_unix_us + place,
        timing=Timing(
            measurements=(Measurement.of("wall_time", reason=reason, provenance="simulated"),),
            invalid=reason,
            provenance="simulated",
        ),
    )
    return run_lines(run, session_id=start.session_id)


def _run_id(start: SessionStart, place: int) -> str:
    return timed_id(start.started_unix_us // 1000, f"{place:08x}{_digest(start.session_id, place)}")


def _digest(*parts: object) -> str:
    return hashlib.blake2b(ascii(parts).encode("ascii"), digest_size=16).hexdigest()
