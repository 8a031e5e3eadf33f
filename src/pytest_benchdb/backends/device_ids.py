"""Gives each device of a backend an id of its own, the same in every session."""

from collections.abc import Sequence
from dataclasses import replace

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id


def with_ids(devices: Sequence[Device]) -> list[Device]:
    """Return the devices with the content hash of backend, name and UUID as their ids.

    Where the vendor tells no UUID, devices of one name are told apart by their order.
    """
    seen: dict[tuple[str, str, str | None], int] = {}
    made = []
    for device in devices:
        key = (device.backend, device.name, device.uuid)
        twin = seen[key] = seen.get(key, -1) + 1
        made.append(replace(device, device_id=content_id(*key, *([twin] if twin else []))))
    return made


def position(device: Device, devices: Sequence[Device]) -> int:
    """Return the place of a device among those that are there now; the order may have changed since it was named.

    Raises:
        BackendUnavailableError: it is not among them.
    """
    for index, present in enumerate(devices):
        if present.device_id == device.device_id:
            return index
    identity = f"{device.name} ({device.uuid})" if device.uuid else device.name
    there = ", ".join(f"{present.backend}:{index} {present.name}" for index, present in enumerate(devices))
    raise BackendUnavailableError(f"{device.backend}: {identity} is not here; there is {there or 'no device'}")


def known(**values: object) -> dict[str, object]:
    """Return the values that are known."""
    return {name: value for name, value in values.items() if value is not None}
