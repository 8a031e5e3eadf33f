"""Imported sessions as sessions of this machine: joined where nothing contradicts it, and never silently."""

from dataclasses import replace

import pytest

from pytest_benchdb.environment.collect import environment_id, environment_of
from pytest_benchdb.environment.machine.cpu import Cpu
from pytest_benchdb.environment.machine.host import read_host
from pytest_benchdb.environment.python import Python
from pytest_benchdb.model.environment import Device, Environment
from pytest_benchdb.model.imported import ImportedRun, ImportedSession
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.operations.exchange.this_machine import ThisMachine

PYTHON = Python(
    text="CPython 3.11.7 (main, GIL)", implementation="CPython", version=(3, 11), build=("GIL",), details={}
)


@pytest.fixture(scope="module")
def here() -> ThisMachine:
    import os
    import sys
    from pathlib import Path

    host = read_host(Path("/"), os.environ, sys.platform)
    cpu = replace(host.cpu, model="AMD EPYC(tm) 7763 64-Core Processor")
    assert isinstance(cpu, Cpu)
    return ThisMachine(host=replace(host, cpu=cpu, machine="x86_64", kernel="6.8.0-1"), python=PYTHON, processors=4)


def session_of(**facts: object) -> ImportedSession:
    known = {
        "cpu_model": "AMD EPYC 7763 64-Core  Processor",
        "threads": 4,
        "kernel": "6.8.0-9",
        "python": "CPython 3.11.2",
        "details": {"machine": "x86_64"},
    }
    environment = Environment(environment_id="", fingerprint="theirs", **{**known, **facts})  # type: ignore[arg-type]
    run = ImportedRun(
        fullname="test_a.py::test_x",
        measurements=(Measurement.of("wall_time", provenance="imported", samples=[1.0, 2.0]),),
        device=Device(device_id="theirs", backend="cpu", name="AMD EPYC"),
    )
    return ImportedSession(started_unix_us=1, tool="pytest-benchmark", runs=(run,), environment=environment)


def test_session_of_this_machine_joins_what_is_recorded_here(here: ThisMachine) -> None:
    adopted, remark = here.adopt(session_of())

    assert adopted.environment is not None
    assert adopted.environment.fingerprint == environment_of(here.host, here.python, {}).fingerprint
    assert adopted.environment.environment_id == environment_id(adopted.environment)
    assert adopted.environment.details["as_this_machine"] == "stated at the import"
    assert dict(adopted.environment.packages) == {}
    assert (remark.refused, remark.place) == (False, "machine")
    assert remark.text == "taken as this machine, AMD EPYC(tm) 7763 64-Core Processor"


def test_session_without_a_machine_is_taken_as_stated(here: ThisMachine) -> None:
    adopted, remark = here.adopt(replace(session_of(), environment=None))

    assert adopted.environment is not None
    assert adopted.environment.fingerprint == environment_of(here.host, here.python, {}).fingerprint
    assert remark.text.startswith("taken as this machine")


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"cpu_model": "Intel Xeon"}, "its processor is Intel Xeon, not AMD EPYC"),
        ({"details": {"machine": "aarch64"}}, "its architecture is aarch64, not x86_64"),
        ({"threads": 64}, "it has 64 logical processors, not 4"),
    ],
)
def test_session_that_contradicts_stays_as_it_is(here: ThisMachine, facts: dict[str, object], why: str) -> None:
    session = session_of(**facts)

    adopted, remark = here.adopt(session)

    assert adopted is session
    assert remark.text.startswith(f"not taken as this machine: {why}")


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"kernel": "5.15.0"}, "kernel 5.15.0"),
        ({"python": "CPython 3.10.4"}, "CPython 3.10.4"),
        ({"python": "PyPy 3.11.1"}, "PyPy 3.11.1"),
    ],
)
def test_other_kernel_or_python_is_a_series_of_its_own(here: ThisMachine, facts: dict[str, object], why: str) -> None:
    adopted, remark = here.adopt(session_of(**facts))

    assert adopted.environment is not None
    assert adopted.environment.fingerprint != environment_of(here.host, here.python, {}).fingerprint
    assert f"a series of its own because of {why}" in remark.text


def test_runs_move_to_the_processor_that_is_recorded_here(here: ThisMachine) -> None:
    (run,) = here.adopt(session_of())[0].runs

    assert run.device is not None
    assert run.device.name == here.host.cpu.model


def test_runs_of_other_devices_stay_there(here: ThisMachine) -> None:
    gpu = Device(device_id="g", backend="cuda", name="H200")
    session = session_of()
    session = replace(session, runs=(replace(session.runs[0], device=gpu),))

    assert here.adopt(session)[0].runs[0].device == gpu
