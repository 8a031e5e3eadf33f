"""Helpers for backends of a library: whether it is installed, device ids, and out-of-memory errors."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import Backend
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id


def package_folder(name: str, path: Sequence[str] | None = None) -> Path | None:
    """Return the folder of a top-level package without importing it; None if it is not installed.

    Importing torch takes seconds, finding it milliseconds. `path` is a list of folders; the default is `sys.path`.
    """
    spec = PathFinder.find_spec(name, path)
    # Any folder with that name, such as a working copy, counts as a namespace package, which has no file.
    if spec is None or spec.origin is None or not spec.has_location:
        return None
    return Path(spec.origin).parent


def why_unusable(library: str, module: object, path: Sequence[str] | None, pid: int | None) -> str | None:
    """Return why a library cannot be used here; None if it probably can.

    `module` is the library if it was imported already, `path` its search path, and `pid` the process that
    started it.
    """
    if module is None and package_folder(library, path) is None:
        return f"{library} is not installed"
    return None if pid in {None, os.getpid()} else forked_reason(library)


def forked_reason(library: str) -> str:
    """Return why a forked child cannot use a library: its threads stay in the parent, and it would hang (measured)."""
    return f"this process was forked after {library} had started; start it with spawn"


def with_ids(devices: Sequence[Device]) -> list[Device]:
    """Return the devices with ids: content hashes of backend, name and UUID, which are the same in every session.

    Without UUIDs, devices of the same name are distinguished by their order.
    """
    seen: dict[tuple[str, str, str | None], int] = {}
    made = []
    for device in devices:
        key = (device.backend, device.name, device.uuid)
        twin = seen[key] = seen.get(key, -1) + 1
        made.append(replace(device, device_id=content_id(*key, *([twin] if twin else []))))
    return made


def find_device(backend: Backend, device: Device) -> tuple[int, Device]:
    """Return the current index and description of a device.

    Raises:
        BackendUnavailableError: the backend cannot be used, or has no such device.
    """
    probe = backend.probe()
    if not probe.available:
        raise BackendUnavailableError(f"{backend.name}: {probe.reason}")
    devices = backend.devices()
    index = find_position(device, devices)
    return index, devices[index]


def find_position(device: Device, devices: Sequence[Device]) -> int:
    """Return the index of a device in `devices`, whose order may have changed since the device was selected.

    Raises:
        BackendUnavailableError: it is not among them.
    """
    for index, present in enumerate(devices):
        if present.device_id == device.device_id:
            return index
    identity = f"{device.name} ({device.uuid})" if device.uuid else device.name
    there = ", ".join(f"{present.backend}:{index} {present.name}" for index, present in enumerate(devices))
    raise BackendUnavailableError(f"{device.backend}: {identity} is not here; there is {there or 'no device'}")


def without_none(**values: object) -> dict[str, object]:
    """Return the values that are not None, by name."""
    return {name: value for name, value in values.items() if value is not None}


def says_out_of_memory(
    error: BaseException, phrases: Sequence[str], *, classes: tuple[type[BaseException], ...] = (), vendor: str = ""
) -> bool:
    """Return whether an exception, or one of its causes, means that memory ran out.

    Args:
        error: the exception.
        phrases: lower-case texts that mean so in a `RuntimeError` or an exception of the vendor. Other classes do not
            count, such as a failed `assert "out of memory" not in log`.
        classes: exceptions that always mean so.
        vendor: top-level package of the vendor's exceptions.
    """
    return any(
        isinstance(cause, classes)
        or (
            (isinstance(cause, RuntimeError) or type(cause).__module__.partition(".")[0] == vendor)
            and any(phrase in str(cause).lower() for phrase in phrases)
        )
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes; libraries wrap the errors of other libraries."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__
