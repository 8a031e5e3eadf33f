"""A session: where it ran (machine, Python, commit, CI job), how it started and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SessionKind = Literal["pytest", "import", "api", "sample", "peaks"]
SessionOutcome = Literal["passed", "failed", "interrupted", "error", "crashed", "empty"]
MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A machine and a Python; None means not known.

    Attributes:
        environment_id: content hash of every field below.
        fingerprint: content hash of the parts that change speed; results with different
            fingerprints are not compared.
        hostname_hash: BLAKE2b of the hostname, which tells hosts apart without naming them.
        os: name and version of the operating system: ``Debian GNU/Linux 12``.
        kernel: kernel release.
        cpu_model: marketing name of the processor.
        cores: physical cores.
        threads: logical processors that this process may use.
        ram_bytes: memory of the machine, or the container's limit if that is smaller.
        virtualization: ``kvm``, ``container:docker``, ``wsl``, ...; None on bare metal or unknown.
        python: implementation, version and build: ``CPython 3.11.7 (main, GIL)``.
        packages: versions of the packages that affect speed, by name.
        details: everything else that was collected: caches, governor, turbo, limits, flags.
    """

    environment_id: str
    fingerprint: str
    hostname_hash: str | None = None
    os: str | None = None
    kernel: str | None = None
    cpu_model: str | None = None
    cores: int | None = None
    threads: int | None = None
    ram_bytes: int | None = None
    virtualization: str | None = None
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingMethod:
    """How a session counts instructions under valgrind, instead of timing.

    Attributes:
        method: tool and version: ``callgrind 3.19.0``.
        cpu_features: hash of what the processor can do, as programs see it there; libraries choose their code by it.
    """

    method: str
    cpu_features: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One instance of a backend.

    Attributes:
        device_id: content hash of backend, name and uuid.
        backend: kind of hardware: ``cpu``, ``cuda``, ...
        name: the vendor's name for it.
        uuid: the vendor's unique id; None without one.
        memory_bytes: total memory; None if not known.
        driver: version of the driver; None if not known.
    """

    device_id: str
    backend: str
    name: str
    uuid: str | None = None
    memory_bytes: int | None = None
    driver: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_host(self) -> bool:
        """Whether it is the host's processor, so that the host's energy is its own.

        A backend of another package says so with ``details={"on_host": True}``.
        """
        if self.backend in {"cpu", "wasm"} or self.details.get("on_host") is True:
            return True
        return self.details.get("device") == "CPU" or self.name == "CPUExecutionProvider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The state of the working copy; None means not known (no git, or a shallow clone).

    Attributes:
        sha: full hash of HEAD.
        branch: None on a detached head outside CI.
        dirty: whether tracked files differ from HEAD.
        committed_at: the author's time, ISO 8601 in UTC without an offset.
        subject: the first line of the message, at most `MAX_SUBJECT` characters.
        merge_base: commit at which the branch left the default branch.
        remote_url: URL of the remote without user name, password or token.
    """

    sha: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    committed_at: str | None = None
    subject: str | None = None
    merge_base: str | None = None
    remote_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CiJob:
    """The CI job that a session ran in; all None outside CI."""

    provider: str | None = None
    url: str | None = None
    pull_request: str | None = None
    branch: str | None = None
    sha: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy the machine was at one moment.

    Attributes:
        load1: one-minute load average; None if the system has none.
        steal_s: CPU time stolen since boot, all cores; None if the system does not report it.
    """

    load1: float | None = None
    steal_s: float | None = None


_NO_CI = CiJob()
_NO_LOAD = Load()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStart:
    """The facts known when a session begins.

    Attributes:
        started_unix_us: microseconds since the epoch, UTC.
        environment: the machine; None if an imported file does not describe it.
        command: the command line, without the values of options that look like secrets.
        unmeasured: why a metric cannot be measured here, by the metric's name.
    """

    session_id: str
    project: str
    kind: SessionKind
    started_unix_us: int
    label: str | None
    tags: Mapping[str, str]
    note: str | None = None
    command: str | None = None
    tool: str
    tool_version: str | None
    environment: Environment | None
    devices: tuple[Device, ...]
    commit: Commit
    ci: CiJob = _NO_CI
    load: Load = _NO_LOAD
    unmeasured: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """How a session ended.

    Attributes:
        finished_unix_us: microseconds since the epoch, UTC; None if the session crashed.
        complete: whether every selected test ran and the session was closed normally.
        steal_s: CPU time stolen from this machine during the session, all cores.
        contended: whether other work disturbed the session; None if not known.
    """

    finished_unix_us: int | None
    outcome: SessionOutcome
    exit_status: int | None = None
    complete: bool
    load1: float | None = None
    steal_s: float | None = None
    contended: bool | None = None
