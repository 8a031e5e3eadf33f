"""NVIDIA GPUs through torch."""

import os
from typing import Any

from pytest_benchdb.backends.torch.backend import TorchBackend, TorchBuild, TorchFacts, pci_bus_id


class CudaBackend(TorchBackend):
    """NVIDIA GPUs; torch calls AMD's ``cuda`` as well, and is told apart by `torch.version.hip`."""

    name = "cuda"
    kind = "cuda"

    def refusal(self, build: TorchBuild) -> str | None:
        """Return why this torch can never have an NVIDIA GPU; None if it can."""
        if hip := build.toolkits.get("hip"):
            return f"torch {build.version} was built for ROCm {hip}, not for CUDA; use bench_rocm"
        return None if build.toolkits.get("cuda") else f"torch {build.version} was built without CUDA"

    def absence(self, torch: Any) -> str:
        """Return why a torch with CUDA sees no GPU."""
        if self._platform == "linux" and not (self._root / "proc/driver/nvidia").exists():
            return f"torch {torch.__version__} has CUDA, but no NVIDIA driver is loaded"
        return _hidden("CUDA_VISIBLE_DEVICES") or super().absence(torch)

    def facts(self, properties: Any) -> TorchFacts:
        """Return UUID, driver, L2 cache, compute capability, PCI address and multiprocessors.

        The driver's version is Linux's word: torch knows only that of CUDA's interface.
        """
        return TorchFacts(
            uuid=nvidia_uuid(properties.name, getattr(properties, "uuid", None)),
            driver=self.read_driver("sys/module/nvidia/version"),
            cache_bytes=getattr(properties, "L2_cache_size", None) or None,
            details={
                "capability": f"{properties.major}.{properties.minor}",
                "pci_bus_id": pci_bus_id(properties),
                "multiprocessors": properties.multi_processor_count,
            },
        )


def nvidia_uuid(name: str, uuid: object) -> str | None:
    """Return a UUID as NVML tells it: torch leaves the prefix out, and only the name tells a MIG instance.

    >>> nvidia_uuid("NVIDIA H200", "8c1f7a52-0c1e-4a8f-9d0b-2f6f3a1b5c7d")
    'GPU-8c1f7a52-0c1e-4a8f-9d0b-2f6f3a1b5c7d'
    """
    if uuid is None or str(uuid).startswith(("GPU-", "MIG-")):
        return None if uuid is None else str(uuid)
    return f"{'MIG' if ' MIG ' in name else 'GPU'}-{uuid}"


def _hidden(variable: str) -> str | None:
    value = os.environ.get(variable)
    return None if value is None else f"no device is visible to torch: {variable}={value!r}"
