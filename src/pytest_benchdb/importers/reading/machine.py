"""The machine that a file describes, with a fingerprint of what affects speed, and its processor as a device."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_benchdb.environment.collect import environment_id
from pytest_benchdb.environment.fingerprint import kernel_series
from pytest_benchdb.model.environment import Device, Environment
from pytest_benchdb.model.identity import content_id

_FINGERPRINT = "fingerprint/import/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine that a file describes; what it does not say is None.

    Files that say the same share a fingerprint, whatever tool wrote them. The hostname tells machines apart whose
    processor is not named.

    Attributes:
        hostname: stored as a hash.
        os: name of the operating system.
        kernel: release of the kernel.
        architecture: ``x86_64``.
        cpu_model: marketing name of the processor.
        cores: physical cores.
        threads: logical processors.
        ram_bytes: memory.
        runtime: language and version that ran the code: ``CPython 3.11.7``, ``go 1.22.1``.
        packages: versions by name.
        details: everything else that the file says, as JSON values.
    """

    hostname: str | None = None
    os: str | None = None
    kernel: str | None = None
    architecture: str | None = None
    cpu_model: str | None = None
    cores: int | None = None
    threads: int | None = None
    ram_bytes: int | None = None
    runtime: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def environment(self) -> Environment | None:
        """The machine as it is stored; None if the file does not describe it."""
        known = (self.hostname, self.os, self.kernel, self.architecture, self.cpu_model, self.threads, self.runtime)
        if not any(known):
            return None
        fingerprint = content_id(
            _FINGERPRINT,
            self.architecture,
            self.cpu_model,
            self.threads,
            self.os,
            kernel_series(self.kernel),
            _runtime_series(self.runtime),
            None if self.cpu_model else self.hostname,
        )
        environment = Environment(
            environment_id="",
            fingerprint=fingerprint,
            hostname_hash=content_id(self.hostname) if self.hostname else None,
            os=self.os,
            kernel=self.kernel,
            cpu_model=self.cpu_model,
            cores=self.cores,
            threads=self.threads,
            ram_bytes=self.ram_bytes,
            python=self.runtime,
            packages=self.packages,
            details={**({"machine": self.architecture} if self.architecture else {}), **self.details},
        )
        return replace(environment, environment_id=environment_id(environment))

    @property
    def processor(self) -> Device | None:
        """The processor as the plugin would record it there; None if it is not named."""
        name = self.cpu_model or self.architecture
        return None if name is None else Device(device_id=content_id("cpu", name, None), backend="cpu", name=name)


def _runtime_series(runtime: str) -> str:
    """Return language and the first two numbers of its version: a patch release does not make another machine."""
    return re.sub(r"(\d+\.\d+)\S*", r"\1", runtime)
