"""Finds the backends, meters, importers and exporters of this and other packages, and keeps the open devices.

Other packages' code runs with a time limit. A provider that raises or hangs is left out for the session, with the
reason; what it prints is dropped.
"""

import atexit
import contextlib
import io
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pluggy

from pytest_benchdb.errors import BackendUnavailableError, ConfigError
from pytest_benchdb.interfaces import Backend, Exporter, HasCurrent, Importer, Meter, OpenDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe

GROUP = "pytest_benchdb"
"""Entry-point group for modules with hooks."""
PROBE_LIMIT_S = 30.0
"""Time limit of one call to a provider; importing torch from a cold disk takes ten seconds."""
AUTO = ("cpu", "cuda", "rocm", "mps", "xpu")
"""Backends whose devices ``auto`` selects."""

_FORMAT = re.compile(r"[a-z][a-z0-9_-]{0,63}")

T = TypeVar("T")
Named = TypeVar("Named", Importer, Exporter)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceName:
    """A device as users write it: ``cuda:1``; ``cuda`` means ``cuda:0``.

    Attributes:
        backend: name of the backend.
        index: position in the vendor's order.
        text: as the user wrote it.
    """

    backend: str
    index: int
    text: str


class Registry:
    """Backends, meters, importers and exporters; each provider is called once and its result is kept.

    Attributes:
        disabled: why a provider was left out, by name.
        meters_left_out: why a meter cannot be read here, by name.
    """

    def __init__(
        self, manager: pluggy.PluginManager, builtin: Sequence[Backend], *, limit_s: float = PROBE_LIMIT_S
    ) -> None:
        """Take the hooks' plugin manager, the built-in backends, and the time limit of one call to a provider."""
        self._manager = manager
        self._limit_s = limit_s
        self._backends: dict[str, Backend] = {backend.name: backend for backend in builtin}
        self._owners: dict[str, str] = dict.fromkeys(self._backends, "pytest-benchdb")
        self._probes: dict[str, Probe] = {}
        self._devices: dict[str, tuple[Device, ...]] = {}
        self._open: dict[tuple[str, int], OpenDevice] = {}
        self.disabled: dict[str, str] = {}
        self.meters_left_out: dict[str, str] = {}

    def load(self) -> None:
        """Add the backends of other packages and of conftest files.

        Raises:
            ConfigError: two providers claim one name.
        """
        for owner, backend in self._provided("pytest_benchdb_backends"):
            name = getattr(backend, "name", None)
            if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
                self.disabled[owner] = (
                    f"{owner} registered a backend named {name!r}; names must be lower-case letters and digits"
                )
                continue
            _claim(self._owners, name, owner, "backend")
            self._backends[name] = backend

    def meters(self, builtin: Iterable[Meter]) -> tuple[Meter, ...]:
        """Return the meters that can be read here; `meters_left_out` says why the others cannot."""
        provided = [meter for _, meter in self._provided("pytest_benchdb_meters")]
        usable = []
        for meter in (*builtin, *provided):
            probe = self._call(meter.name, meter.probe, Probe(available=False))
            if probe.available:
                usable.append(meter)
            else:
                self.meters_left_out[meter.name] = self.disabled.get(meter.name, probe.reason or "not available")
        return tuple(usable)

    def importers(self, builtin: Iterable[Importer]) -> dict[str, Importer]:
        """Return the built-in importers and those of other packages, by name.

        Raises:
            ConfigError: two providers claim one name.
        """
        return self._formats("importer", builtin)

    def exporters(self, builtin: Iterable[Exporter]) -> dict[str, Exporter]:
        """Return the built-in exporters and those of other packages, by name.

        Raises:
            ConfigError: two providers claim one name.
        """
        return self._formats("exporter", builtin)

    def _formats(self, kind: str, builtin: Iterable[Named]) -> dict[str, Named]:
        """Return the importers or exporters by the name of their format."""
        formats = {each.name: each for each in builtin}
        owners = dict.fromkeys(formats, "pytest-benchdb")
        for owner, each in self._provided(f"pytest_benchdb_{kind}s"):
            name = getattr(each, "name", None)
            if not isinstance(name, str) or not _FORMAT.fullmatch(name) or name == "auto":
                self.disabled[owner] = f"{owner} registered an {kind} named {name!r}; names must be lower-case letters"
                continue
            _claim(owners, name, owner, kind)
            formats[name] = each
        return formats

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all backends."""
        return tuple(self._backends)

    def probe(self, name: str) -> Probe:
        """Return whether a backend can be used; its `probe` is called once.

        Raises:
            ConfigError: there is no such backend.
        """
        if name not in self._probes:
            backend = self._backend(name)
            probe = self._call(name, backend.probe, Probe(available=False))
            if name in self.disabled:
                probe = Probe(available=False, reason=self.disabled[name])
            self._probes[name] = probe
        return self._probes[name]

    def devices(self, name: str) -> tuple[Device, ...]:
        """Return the devices of a backend; none if it cannot be used.

        Raises:
            ConfigError: there is no such backend.
        """
        if not self.probe(name).available:
            return ()
        if name not in self._devices:
            self._devices[name] = tuple(self._call(name, self._backends[name].devices, ()))
        return self._devices[name]

    def provenance(self, name: str) -> Provenance:
        """Return the provenance of what is measured on a backend."""
        return self._backend(name).provenance

    def select(self, texts: Sequence[str]) -> tuple[DeviceName, ...]:
        """Return the devices that ``--benchdb-backends`` names; ``auto`` selects all hardware that is present.

        Raises:
            ConfigError: a name or an index is unknown.
        """
        names = []
        for text in texts or ("auto",):
            if text == "auto":
                names += [
                    DeviceName(backend=backend, index=index, text=f"{backend}:{index}" if index else backend)
                    for backend in AUTO
                    if backend in self._backends
                    for index in range(len(self.devices(backend)))
                ]
            else:
                names.append(self.parse(text))
        return tuple(dict.fromkeys(names))

    def parse(self, text: str) -> DeviceName:
        """Parse a device such as ``cuda:1``, without checking that it is present.

        Raises:
            ConfigError: there is no such backend, or the index is not a number.
        """
        backend, colon, index = text.strip().partition(":")
        self._backend(backend)
        if colon and not index.isdecimal():
            raise ConfigError(f"device {text!r}: {index!r} is not the number of a device; write {backend}:0")
        return DeviceName(backend=backend, index=int(index or 0), text=text.strip())

    def open(self, name: DeviceName) -> OpenDevice:
        """Return a device ready for use; it stays open until `close`.

        Raises:
            BackendUnavailableError: it is not present; the message is the reason.
            ConfigError: there is no such backend.
            Exception: raised by its first operation.
        """
        key = (name.backend, name.index)
        if key not in self._open:
            probe = self.probe(name.backend)
            if not probe.available:
                raise BackendUnavailableError(f"{name.backend}: {probe.reason or 'not available'}")
            devices = self.devices(name.backend)
            if name.backend in self.disabled:
                raise BackendUnavailableError(f"{name.backend}: {self.disabled[name.backend]}")
            if name.index >= len(devices):
                raise BackendUnavailableError(f"{name.text}: {name.backend} has {_count(len(devices))} here")
            self._open[key] = self._backends[name.backend].open(devices[name.index])
        return self._open[key]

    def close(self) -> None:
        """Close all devices; exceptions no longer matter and are ignored."""
        for device in self._open.values():
            with contextlib.suppress(Exception):
                device.close()
        self._open.clear()

    def _backend(self, name: str) -> Backend:
        if name not in self._backends:
            raise ConfigError(f"backend {name!r} is unknown; known are {', '.join(self._backends)}")
        return self._backends[name]

    def _provided(self, hook: str) -> list[tuple[str, Any]]:
        """Call every implementation of a hook and return (owner, provider) pairs; one that fails is skipped."""
        provided: list[tuple[str, Any]] = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            providers: Iterable[Any] = self._call(implementation.plugin_name, implementation.function, ())
            provided += [(implementation.plugin_name, provider) for provider in providers]
        return provided

    def _call(self, name: str, function: Callable[[], T], default: T) -> T:
        result, problem = call_with_limit(function, self._limit_s)
        if problem is None:
            return result  # type: ignore[return-value]
        self.disabled.setdefault(name, problem)
        return default


@contextlib.contextmanager
def current_device(opened: OpenDevice) -> Iterator[None]:
    """Make a device the current one of its library in a block, such as that of ``torch.cuda``."""
    if not isinstance(opened, HasCurrent):
        yield
        return
    block = opened.current()
    block.__enter__()
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # a device that the test broke must not fail its teardown as well
            block.__exit__(None, None, None)


def open_for_rank(backend: object, local_rank: int) -> OpenDevice:
    """Open the backend's device number `local_rank`, in the process of that rank, and make it the current one.

    Raises:
        BackendUnavailableError: the backend has no such device.
        ConfigError: there is no such backend.
    """
    from pytest_benchdb.backends import backends

    manager, _ = plugin_manager()
    registry = Registry(manager, backends())
    registry.load()
    opened = registry.open(DeviceName(backend=str(backend), index=local_rank, text=f"{backend}:{local_rank}"))
    until_exit = contextlib.ExitStack()
    until_exit.enter_context(current_device(opened))
    atexit.register(until_exit.close)
    return opened


def meters_here() -> tuple[Sequence[Meter], Mapping[str, str]]:
    """Return the meters that can be read in this process, and why others cannot, by name."""
    from pytest_benchdb.backends.meters import meters

    manager, _ = plugin_manager()
    registry = Registry(manager, ())
    return registry.meters(meters()), registry.meters_left_out


def find_importers() -> tuple[dict[str, Importer], dict[str, str]]:
    """Return all importers by name, and why importers were left out, by package.

    Raises:
        ConfigError: two packages claim one name.
    """
    from pytest_benchdb.importers import importers

    manager, problems = plugin_manager()
    registry = Registry(manager, ())
    return registry.importers(importers()), {**problems, **registry.disabled}


def find_exporters() -> tuple[dict[str, Exporter], dict[str, str]]:
    """Return all exporters by name, and why exporters were left out, by package.

    Raises:
        ConfigError: two packages claim one name.
    """
    from pytest_benchdb.exporters import exporters
    from pytest_benchdb.store.parquet import ParquetTable

    manager, problems = plugin_manager()
    registry = Registry(manager, ())
    return registry.exporters((ParquetTable(), *exporters())), {**problems, **registry.disabled}


def plugin_manager() -> tuple[pluggy.PluginManager, dict[str, str]]:
    """Return a plugin manager with the hooks of other packages, for use without pytest, and the load errors by name."""
    from pytest_benchdb import hookspecs

    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    return manager, load_entry_points(manager)


def call_with_limit(function: Callable[[], T], limit_s: float) -> tuple[T | None, str | None]:
    """Call a provider in a thread, with its output discarded; return (result, None) or (None, reason)."""
    results: list[T] = []
    errors: list[BaseException] = []

    def call() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - whatever a provider raises, SystemExit included
            errors.append(error)

    thread = threading.Thread(target=call, name="benchdb-provider", daemon=True)
    swallowed = io.StringIO()
    with contextlib.redirect_stdout(swallowed), contextlib.redirect_stderr(swallowed):
        thread.start()
        thread.join(limit_s)
    if results:
        return results[0], None
    if errors:
        error = errors[0]
        if isinstance(error, BackendUnavailableError):
            return None, str(error)
        return None, f"left out, because it raised {type(error).__name__}: {error}"
    return None, f"left out, because it gave no answer within {limit_s:g} s"


def load_entry_points(manager: pluggy.PluginManager) -> dict[str, str]:
    """Register the modules in our entry-point group; return the errors of those that cannot be loaded, by name."""
    from importlib.metadata import entry_points

    problems = {}
    for entry in entry_points(group=GROUP):
        name = f"{GROUP}.{entry.name}"
        if manager.has_plugin(name):
            continue
        try:
            manager.register(entry.load(), name)
        except Exception as error:  # noqa: BLE001 - a broken package must not stop the session
            problems[entry.name] = f"{entry.value} cannot be loaded: {type(error).__name__}: {error}"
    return problems


def _claim(owners: dict[str, str], name: str, owner: str, kind: str) -> None:
    if name in owners:
        raise ConfigError(f"{kind} {name!r} is claimed by {owners[name]} and by {owner}; remove one")
    owners[name] = owner


def _count(devices: int) -> str:
    return "no device" if devices == 0 else f"{devices} device{'s' if devices > 1 else ''}"
