"""Apple's GPU through torch and Metal."""

import platform as platform_module
import subprocess
from typing import Any

from pytest_benchdb.backends.device_ids import known
from pytest_benchdb.backends.torch.backend import TorchBackend, TorchBuild
from pytest_benchdb.backends.torch.device import TorchParts
from pytest_benchdb.model.environment import Device

_LIMIT_S = 5.0


class MpsBackend(TorchBackend):
    """The one GPU of an Apple chip, or a Mac's default one."""

    name = "mps"
    kind = "mps"

    def refusal(self, build: TorchBuild) -> str | None:
        """Return why there can be no Metal here; None if there can."""
        return None if self._platform == "darwin" else f"torch {build.version} has no MPS on {self._platform}"

    def absence(self, torch: Any) -> str:
        """Return why torch sees no Metal device on macOS."""
        if not torch.backends.mps.is_built():
            return f"torch {torch.__version__} was built without MPS"
        return super().absence(torch)

    def is_available(self, torch: Any) -> bool:
        """Ask torch whether Metal works here; older torches say so only among the settings of backends."""
        return bool(torch.backends.mps.is_available())

    def describe(self, torch: Any, index: int) -> Device:
        """Return the device, still without its id; Metal tells neither a UUID nor a driver apart from macOS."""
        mps = torch.backends.mps
        name = mps.get_name() if hasattr(mps, "get_name") else chip_name()
        return Device(
            device_id="",
            backend=self.name,
            name=name or "Apple GPU",
            memory_bytes=self.module(torch).recommended_max_memory() or None,
            driver=f"macOS {release}" if (release := platform_module.mac_ver()[0]) else None,
            details=known(
                index=index,
                device=f"mps:{index}",
                cores=mps.get_core_count() if hasattr(mps, "get_core_count") else None,
            ),
        )

    def parts(self, torch: Any, index: int) -> TorchParts:
        """Return how the device is waited for, timed and asked for its memory.

        Events are of the default stream only. `driver_allocated_memory` has no peak; where torch.accelerator has
        the allocator's figures (torch 2.15 on), these are taken.
        """
        module = self.module(torch)
        return TorchParts(
            handle=torch.device("mps", index),
            sync_mode="torch.mps.synchronize",
            barrier=module.synchronize,
            new_event=lambda: module.event.Event(enable_timing=True),
            stats=lambda: torch.accelerator.memory_stats(index),
            reset_peaks=lambda: torch.accelerator.reset_peak_memory_stats(index),
            cache_bytes=None,
        )


def chip_name() -> str | None:
    """Return the brand of the chip, ``Apple M3 Max``; None where it cannot be asked for."""
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
