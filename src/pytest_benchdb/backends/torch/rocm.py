"""AMD GPUs through torch, whose module for them is `torch.cuda` too."""

import os
from typing import Any

from pytest_benchdb.backends.torch.backend import TorchBackend, TorchBuild, TorchFacts, pci_bus_id

_VISIBILITY = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")


class RocmBackend(TorchBackend):
    """AMD GPUs; the barrier and the handle are called ``cuda``, as torch calls them."""

    name = "rocm"
    kind = "cuda"

    def refusal(self, build: TorchBuild) -> str | None:
        """Return why this torch can never have an AMD GPU; None if it can."""
        return None if build.toolkits.get("hip") else f"torch {build.version} was built without ROCm"

    def absence(self, torch: Any) -> str:
        """Return why a torch with ROCm sees no GPU."""
        if self._platform == "linux" and not (self._root / "dev/kfd").exists():
            return f"torch {torch.__version__} has ROCm, but there is no /dev/kfd: the amdgpu driver is not loaded"
        hidden = [f"{name}={os.environ[name]!r}" for name in _VISIBILITY if name in os.environ]
        return f"no device is visible to torch: {', '.join(hidden)}" if hidden else super().absence(torch)

    def facts(self, properties: Any) -> TorchFacts:
        """Return UUID, driver, L2 cache, architecture, PCI address and compute units.

        The driver's version is that of AMD's own kernel module: the one in Linux has the kernel's and tells none.
        The Infinity Cache behind the L2 cache is not told.
        """
        return TorchFacts(
            uuid=amd_uuid(getattr(properties, "uuid", None)),
            driver=self.read_driver("sys/module/amdgpu/version"),
            cache_bytes=getattr(properties, "L2_cache_size", None) or None,
            details={
                "architecture": getattr(properties, "gcnArchName", None),
                "pci_bus_id": pci_bus_id(properties),
                "compute_units": properties.multi_processor_count,
            },
        )


def amd_uuid(uuid: object) -> str | None:
    """Return a UUID as ``rocminfo`` tells it; None for a card without a serial number.

    HIP fills the 16 bytes of a CUDA UUID with the characters of the 64-bit serial number, and torch writes these
    bytes in hexadecimal.

    >>> amd_uuid("38643265-3063-3162-3466-356136393738")
    'GPU-8d2e0c1b4f5a6978'
    """
    if uuid is None or str(uuid).startswith("GPU-"):
        return None if uuid is None else str(uuid)
    try:
        serial = bytes.fromhex(str(uuid).replace("-", "")).decode("ascii").strip("\0")
        return f"GPU-{serial}" if int(serial or "0", 16) else None
    except ValueError:  # not characters of a number: whatever it is, it tells this card from others
        return str(uuid)
