"""Check on a device what the documentation claims of it."""

import os
import subprocess
import sys
from collections.abc import Callable

from pytest_benchdb.backends import backends
from pytest_benchdb.backends.meters import meters
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.claims import of_sensors, of_timing
from pytest_benchdb.measure.claims.rig import Rig, TorchWorkload, check_claims, untested
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.model.answer.device_claims import ClaimResult, DeviceClaims
from pytest_benchdb.registry import DeviceName, Registry, current_device, plugin_manager

CLAIMS = (*of_sensors.CLAIMS, *of_timing.CLAIMS)
_OF_TORCH = frozenset({"cuda", "rocm", "mps", "xpu"})
_OPENS_ALONE = """
import sys
from pytest_benchdb.registry import open_for_rank
print(open_for_rank(sys.argv[1], 0).device.device_id)
"""
_CHILD_LIMIT_S = 120.0


def check_device(
    text: str, *, progress: Callable[[int, int], None] = lambda _done, _total: None, registry: Registry | None = None
) -> DeviceClaims:
    """Check every claim on a device such as ``cuda:0``, which is kept busy for two minutes or so.

    Without the device, all claims are untested, with the reason.

    Raises:
        ConfigError: there is no such backend.
    """
    if registry is None:
        manager, _ = plugin_manager()
        registry = Registry(manager, backends())
        registry.load()
    name = registry.parse(text)
    try:
        opened = registry.open(name)
    except BackendUnavailableError as error:
        return DeviceClaims(device=text, results=untested(CLAIMS, str(error)))
    except Exception as error:  # noqa: BLE001 - from the driver or the device
        reason = f"{text} cannot be opened: {type(error).__name__}: {error}"
        return DeviceClaims(device=text, results=untested(CLAIMS, reason))
    try:
        return DeviceClaims(device=opened.device.name, results=_checked(registry, name, opened, progress))
    finally:
        registry.close()


def _checked(
    registry: Registry, name: DeviceName, opened: OpenDevice, progress: Callable[[int, int], None]
) -> tuple[ClaimResult, ...]:
    done: list[ClaimResult] = []

    def on_result(result: ClaimResult) -> None:
        done.append(result)
        progress(len(done), len(CLAIMS))

    uuid = opened.device.uuid
    watched = {uuid: opened.device.device_id} if uuid is not None and name.backend == "cuda" else {}
    rig = Rig(
        opened=opened,
        sensors=Sensors(registry.meters(meters()), unavailable=registry.meters_left_out),
        work=TorchWorkload(opened.handle) if name.backend in _OF_TORCH else None,
        index=name.index,
        count=len(registry.devices(name.backend)),
        sampler=(lambda: Sampler(devices=watched)) if watched else None,
        provenance=registry.provenance(name.backend),
        other_process=_opened_alone if name.backend == "cuda" else None,
    )
    with current_device(opened):
        return check_claims(CLAIMS, rig, on_result=on_result)


def _opened_alone(uuid: str) -> str:
    """Return the id of the device that a process finds if only the device with this UUID is visible."""
    done = subprocess.run(
        [sys.executable, "-c", _OPENS_ALONE, "cuda"],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": uuid},
        capture_output=True,
        text=True,
        timeout=_CHILD_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return done.stdout.strip()
