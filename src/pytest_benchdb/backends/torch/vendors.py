"""Torch backends for NVIDIA, AMD, Apple and Intel GPUs."""

import os
import platform as platform_module
import subprocess
from typing import Any

from pytest_benchdb.backends.libraries import without_none
from pytest_benchdb.backends.torch.backend import TorchBackend, TorchBuild, TorchFacts
from pytest_benchdb.backends.torch.device import TorchParts
from pytest_benchdb.model.environment import Device

_AMD_VISIBILITY = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")
_SYSCTL_LIMIT_S = 5.0


class CudaBackend(TorchBackend):
    """NVIDIA GPUs; torch calls AMD GPUs ``cuda`` too, but then has `torch.version.hip`."""

    name = "cuda"
    kind = "cuda"

    def why_unsupported(self, build: TorchBuild) -> str | None:
        """Return why this torch can never have an NVIDIA GPU; None if it can."""
        if hip := build.toolkits.get("hip"):
            return f"torch {build.version} was built for ROCm {hip}, not for CUDA; use bench_rocm"
        return None if build.toolkits.get("cuda") else f"torch {build.version} was built without CUDA"

    def why_no_device(self, torch: Any) -> str:
        """Return why a torch with CUDA sees no GPU."""
        if self._platform == "linux" and not (self._root / "proc/driver/nvidia").exists():
            return f"torch {torch.__version__} has CUDA, but no NVIDIA driver is loaded"
        return _hidden("CUDA_VISIBLE_DEVICES") or super().why_no_device(torch)

    def facts(self, properties: Any) -> TorchFacts:
        """Return UUID, driver, L2 cache, compute capability, PCI address and multiprocessors.

        The driver's version comes from Linux: torch only knows the version of the CUDA interface.
        """
        return TorchFacts(
            uuid=nvidia_uuid(properties.name, getattr(properties, "uuid", None)),
            driver=self.read_driver("sys/module/nvidia/version"),
            cache_bytes=getattr(properties, "L2_cache_size", None) or None,
            details={
                "capability": f"{properties.major}.{properties.minor}",
                "pci_bus_id": _pci_bus_id(properties),
                "multiprocessors": properties.multi_processor_count,
            },
        )


class RocmBackend(TorchBackend):
    """AMD GPUs; barrier and handle are named ``cuda``, as in torch."""

    name = "rocm"
    kind = "cuda"
    least_flush_bytes = 512 << 20  # the Infinity Cache of an MI300 holds 256 MiB

    def why_unsupported(self, build: TorchBuild) -> str | None:
        """Return why this torch can never have an AMD GPU; None if it can."""
        return None if build.toolkits.get("hip") else f"torch {build.version} was built without ROCm"

    def why_no_device(self, torch: Any) -> str:
        """Return why a torch with ROCm sees no GPU."""
        if self._platform == "linux" and not (self._root / "dev/kfd").exists():
            return f"torch {torch.__version__} has ROCm, but there is no /dev/kfd: the amdgpu driver is not loaded"
        return _hidden(*_AMD_VISIBILITY) or super().why_no_device(torch)

    def facts(self, properties: Any) -> TorchFacts:
        """Return UUID, driver, L2 cache, architecture, PCI address and compute units.

        Only AMD's own kernel module has a driver version; the module in Linux has none. The size of the Infinity Cache
        behind the L2 cache is not available.
        """
        return TorchFacts(
            uuid=amd_uuid(getattr(properties, "uuid", None)),
            driver=self.read_driver("sys/module/amdgpu/version"),
            cache_bytes=getattr(properties, "L2_cache_size", None) or None,
            details={
                "architecture": getattr(properties, "gcnArchName", None),
                "pci_bus_id": _pci_bus_id(properties),
                "compute_units": properties.multi_processor_count,
            },
        )


class MpsBackend(TorchBackend):
    """The GPU of an Apple chip, or a Mac's default GPU."""

    name = "mps"
    kind = "mps"

    def why_unsupported(self, build: TorchBuild) -> str | None:
        """Return why there can be no Metal here; None if there can."""
        return None if self._platform == "darwin" else f"torch {build.version} has no MPS on {self._platform}"

    def why_no_device(self, torch: Any) -> str:
        """Return why torch sees no Metal device on macOS."""
        if not torch.backends.mps.is_built():
            return f"torch {torch.__version__} was built without MPS"
        return super().why_no_device(torch)

    def is_available(self, torch: Any) -> bool:
        """Return whether Metal works here; older versions of torch only have this in `torch.backends`."""
        return bool(torch.backends.mps.is_available())

    def describe(self, torch: Any, index: int) -> Device:
        """Return the device without its id; Metal has no UUID, and no driver version besides that of macOS."""
        mps = torch.backends.mps
        name = mps.get_name() if hasattr(mps, "get_name") else _chip_name()
        return Device(
            device_id="",
            backend=self.name,
            name=name or "Apple GPU",
            memory_bytes=self.module(torch).recommended_max_memory() or None,
            driver=f"macOS {release}" if (release := platform_module.mac_ver()[0]) else None,
            details=without_none(
                index=index,
                device=f"mps:{index}",
                cores=mps.get_core_count() if hasattr(mps, "get_core_count") else None,
            ),
        )

    def parts(self, torch: Any, index: int) -> TorchParts:
        """Return how to wait for the device, time it and read its memory; events only record on the default stream."""
        module = self.module(torch)
        return TorchParts(
            handle=torch.device("mps", index),
            sync_mode="torch.mps.synchronize",
            barrier=module.synchronize,
            new_event=lambda: module.event.Event(enable_timing=True),
            # driver_allocated_memory has no peak; torch.accelerator has the allocator's statistics since torch 2.15.
            stats=lambda: torch.accelerator.memory_stats(index),
            reset_peaks=lambda: torch.accelerator.reset_peak_memory_stats(index),
            flush_bytes=None,
        )


class XpuBackend(TorchBackend):
    """Intel GPUs. We do not use `torch.xpu.power_draw` and `utilization`, which sleep 150 ms in each call."""

    name = "xpu"
    kind = "xpu"

    def why_unsupported(self, build: TorchBuild) -> str | None:
        """Return why this torch can never have an Intel GPU; None if it can."""
        # Before about 2.6 version.py does not mention xpu, and only the import shows it.
        lacks_xpu = "xpu" in build.toolkits and not build.toolkits["xpu"]
        return f"torch {build.version} was built without XPU" if lacks_xpu else None

    def facts(self, properties: Any) -> TorchFacts:
        """Return UUID, driver, last-level cache, platform, whether it is integrated, and execution units."""
        uuid = getattr(properties, "uuid", None)
        return TorchFacts(
            uuid=uuid.hex() if isinstance(uuid, bytes) else None if uuid is None else str(uuid),
            driver=getattr(properties, "driver_version", None) or None,
            cache_bytes=getattr(properties, "last_level_cache_size", None) or None,
            details={
                "platform": getattr(properties, "platform_name", None),
                "integrated": getattr(properties, "is_integrated_gpu", None),
                "execution_units": getattr(properties, "gpu_eu_count", None),
            },
        )


def nvidia_uuid(name: str, uuid: object) -> str | None:
    """Return a UUID as NVML writes it: torch omits the prefix, and only the name shows a MIG instance.

    >>> nvidia_uuid("NVIDIA H200", "8c1f7a52-0c1e-4a8f-9d0b-2f6f3a1b5c7d")
    'GPU-8c1f7a52-0c1e-4a8f-9d0b-2f6f3a1b5c7d'
    """
    if uuid is None or str(uuid).startswith(("GPU-", "MIG-")):
        return None if uuid is None else str(uuid)
    return f"{'MIG' if ' MIG ' in name else 'GPU'}-{uuid}"


def amd_uuid(uuid: object) -> str | None:
    """Return a UUID as ``rocminfo`` writes it; None for a card without a serial number.

    HIP fills the 16 bytes of a CUDA UUID with the hexadecimal digits of the 64-bit serial number, and torch writes
    these bytes in hexadecimal again.

    >>> amd_uuid("38643265-3063-3162-3466-356136393738")
    'GPU-8d2e0c1b4f5a6978'
    """
    if uuid is None or str(uuid).startswith("GPU-"):
        return None if uuid is None else str(uuid)
    try:
        serial = bytes.fromhex(str(uuid).replace("-", "")).decode("ascii").strip("\0")
        return f"GPU-{serial}" if int(serial or "0", 16) else None
    except ValueError:  # not a hexadecimal number; it still distinguishes this card from others
        return str(uuid)


def _pci_bus_id(properties: Any) -> str | None:
    """Return the PCI address as ``nvidia-smi`` writes it: ``00000000:3B:00.0``; None before about torch 2.8."""
    try:
        domain, bus, slot = properties.pci_domain_id, properties.pci_bus_id, properties.pci_device_id
    except AttributeError:
        return None
    return f"{domain:08X}:{bus:02X}:{slot:02X}.0"


def _hidden(*variables: str) -> str | None:
    """Return that a variable may hide the devices; None if the user has set none of them."""
    settings = [f"{name}={os.environ[name]!r}" for name in variables if name in os.environ]
    return f"no device is visible to torch: {', '.join(settings)}" if settings else None


def _chip_name() -> str | None:
    """Return the name of the chip, such as ``Apple M3 Max``; None if sysctl does not report it."""
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SYSCTL_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
