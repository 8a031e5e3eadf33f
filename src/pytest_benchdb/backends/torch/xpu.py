"""Intel GPUs through torch."""

from typing import Any

from pytest_benchdb.backends.torch.backend import TorchBackend, TorchBuild, TorchFacts


class XpuBackend(TorchBackend):
    """Intel GPUs. `torch.xpu.power_draw` and `utilization` sleep 150 ms in each call and are not used."""

    name = "xpu"
    kind = "xpu"

    def refusal(self, build: TorchBuild) -> str | None:
        """Return why this torch can never have an Intel GPU; None if it can."""
        # Before 2.6 or so version.py says nothing of xpu; then only the import can tell.
        known = "xpu" in build.toolkits
        return f"torch {build.version} was built without XPU" if known and not build.toolkits["xpu"] else None

    def facts(self, properties: Any) -> TorchFacts:
        """Return UUID, driver, last-level cache, platform, whether memory is the host's, and execution units."""
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
