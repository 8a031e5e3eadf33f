"""Takes imported sessions for sessions of this machine, if the user says so and nothing in them contradicts it."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.environment.collect import cpu_device, environment_id, environment_of
from pytest_benchdb.environment.fingerprint import kernel_series
from pytest_benchdb.environment.machine.host import Host, read_host
from pytest_benchdb.environment.python import Python, read_python
from pytest_benchdb.model.environment import Device, Environment
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem

_PLACE = "machine"
_PYTHON = re.compile(r"(?P<implementation>\w+) (?P<major>\d+)\.(?P<minor>\d+)")
_NO_ENVIRONMENT = Environment(environment_id="", fingerprint="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisMachine:
    """This machine and the running interpreter."""

    host: Host
    python: Python
    processors: int | None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "ThisMachine":
        """Describe the machine that this process runs on."""
        host = read_host(Path("/"), environ, sys.platform)
        return cls(host=host, python=read_python(environ), processors=os.cpu_count())

    @property
    def fingerprint(self) -> str:
        """The fingerprint of sessions that this interpreter records on this machine."""
        return environment_of(self.host, self.python, {}).fingerprint

    def adopt(self, session: ImportedSession) -> tuple[ImportedSession, ImportProblem]:
        """Return a session as one of this machine, or as it is if its file contradicts that; and what was done.

        Kernel and Python are those of the file, where it names them: another kernel or Python is a series of its own,
        as it is for recorded sessions. Packages are not known.
        """
        stated = session.environment or _NO_ENVIRONMENT
        contradiction = next(self._contradictions(stated), None)
        if contradiction is not None:
            return session, _remark(f"not taken as this machine: {contradiction}")
        host, python = replace(self.host, kernel=stated.kernel or self.host.kernel), self._python_of(stated)
        environment = replace(
            environment_of(host, python, {}), details={**stated.details, "as_this_machine": "stated at the import"}
        )
        environment = replace(environment, environment_id=environment_id(environment))
        runs = tuple(_on(cpu_device(self.host), run) for run in session.runs)
        own = (
            []
            if environment.fingerprint == self.fingerprint
            else [
                f"kernel {host.kernel}" if kernel_series(host.kernel) != kernel_series(self.host.kernel) else "",
                python.text if python is not self.python else "",
            ]
        )
        series = f", a series of its own because of {' and '.join(filter(None, own))}" if own else ""
        text = f"taken as this machine, {environment.cpu_model or host.machine}{series}"
        return replace(session, environment=environment, runs=runs), _remark(text)

    def _contradictions(self, stated: Environment) -> Iterator[str]:
        here, there = self.host.cpu.model, stated.cpu_model
        if here and there and _words(here) != _words(there):
            yield f"its processor is {there}, not {here}"
        machine = stated.details.get("machine")
        if isinstance(machine, str) and machine and machine.lower() != self.host.machine.lower():
            yield f"its architecture is {machine}, not {self.host.machine}"
        if stated.threads and self.processors and stated.threads != self.processors:
            yield f"it has {stated.threads} logical processors, not {self.processors}"

    def _python_of(self, stated: Environment) -> Python:
        match = _PYTHON.match(stated.python)
        if match is None:
            return self.python
        version = int(match["major"]), int(match["minor"])
        if (match["implementation"], version) == (self.python.implementation, self.python.version):
            return self.python
        return replace(self.python, text=stated.python, implementation=match["implementation"], version=version)


def _on(cpu: Device, run: ImportedRun) -> ImportedRun:
    is_cpu = run.device is None or run.device.backend == "cpu"
    return replace(run, device=cpu) if is_cpu else run


def _remark(text: str) -> ImportProblem:
    return ImportProblem(place=_PLACE, text=text, refused=False)


def _words(name: str) -> list[str]:
    """Return the words of a processor's name, which tools write with other spaces and marks."""
    return re.sub(r"\((r|tm|c)\)", " ", name.lower()).split()
