"""An amdsmi with fake GPUs: only what `AmdsmiMeter` calls, with amdsmi's numbers and error classes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from types import ModuleType
from typing import Any

INVAL, NOT_SUPPORTED, NO_PERM, DRIVER_NOT_LOADED = 1, 2, 10, 34
TEXTS = {
    INVAL: "AMDSMI_STATUS_INVAL - Invalid parameters",
    NOT_SUPPORTED: "AMDSMI_STATUS_NOT_SUPPORTED - Feature not supported",
    NO_PERM: "AMDSMI_STATUS_NO_PERM - Permission Denied",
    DRIVER_NOT_LOADED: "AMDSMI_STATUS_DRIVER_NOT_LOADED - Driver not loaded",
}
RESOLUTION_UJ = 15.3


class AmdSmiException(Exception):  # noqa: N818 - as amdsmi names it
    """Base of amdsmi's errors."""


class AmdSmiLibraryException(AmdSmiException):
    """An error of the C library, with its code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.err_code = code

    def __str__(self) -> str:
        return f"Error code:\n\t{self.err_code} | {TEXTS[self.err_code]}"


class AmdSmiTemperatureType(IntEnum):
    EDGE = 0
    HOTSPOT = 1
    VRAM = 2


class AmdSmiTemperatureMetric(IntEnum):
    CURRENT = 0
    MAX = 1


class AmdSmiClkType(IntEnum):
    GFX = 0
    DF = 1


class AmdSmiMemoryType(IntEnum):
    VRAM = 0
    GTT = 2


def _empty_module(name: str) -> Any:
    return ModuleType(name)


@dataclass
class Card:
    """A fake GPU."""

    uuid: str
    name: str = "AMD Instinct MI300X"
    hip_id: int | None = 0
    node_id: int | None = None
    counted_j: float = 9000.0
    average_w: int | str = 300
    current_w: int | str = "N/A"
    refused: dict[str, int] = field(default_factory=dict)
    old_names: bool = False
    draws_w: float = 300.0
    counter_factor: float = 1.0


class FakeAmdsmi:
    """The driver of a machine; `module` replaces `import amdsmi`."""

    def __init__(self, *cards: Card, init_error: int | None = None) -> None:
        self.cards = list(cards)
        self.users = 0
        self.now_ns = 0
        self._init_error = init_error
        self.module = _empty_module("amdsmi")
        for kind in (
            AmdSmiException,
            AmdSmiLibraryException,
            AmdSmiTemperatureType,
            AmdSmiTemperatureMetric,
            AmdSmiClkType,
            AmdSmiMemoryType,
        ):
            setattr(self.module, kind.__name__, kind)
        self.module.amdsmi_init = self._init
        self.module.amdsmi_shut_down = self._shut_down
        self.module.amdsmi_get_processor_handles = lambda: list(self.cards)
        self._offer("amdsmi_get_gpu_asic_info", lambda card: {"market_name": card.name})
        self._offer("amdsmi_get_gpu_enumeration_info", lambda card: self._known(card.hip_id, hip_uuid=card.uuid))
        self._offer("amdsmi_get_gpu_kfd_info", lambda card: {"kfd_id": 1, "node_id": card.node_id})
        self._offer("amdsmi_get_gpu_device_uuid", lambda card: f"own-{card.uuid}")
        self._offer("amdsmi_get_energy_count", self._energy)
        self._offer(
            "amdsmi_get_power_info",
            lambda card: {"average_socket_power": card.average_w, "current_socket_power": card.current_w},
        )
        self._offer("amdsmi_get_temp_metric", self._temperature)
        self._offer("amdsmi_get_clock_info", self._clock)
        self._offer("amdsmi_get_gpu_activity", lambda _: {"gfx_activity": 64, "umc_activity": 3})
        self._offer("amdsmi_get_gpu_memory_usage", self._memory)

    def clock(self) -> int:
        """Return the time; readings take none."""
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Advance the time at each card's power."""
        self.now_ns += int(seconds * 1e9)
        for card in self.cards:
            card.counted_j += card.draws_w * seconds * card.counter_factor

    def _init(self) -> None:
        if self._init_error is not None:
            raise AmdSmiLibraryException(self._init_error)
        self.users += 1

    def _shut_down(self) -> None:
        self.users -= 1

    def _offer(self, name: str, answer: Callable[..., Any]) -> None:
        def function(handle: Card, *args: Any) -> Any:
            if name in handle.refused:
                raise AmdSmiLibraryException(handle.refused[name])
            return answer(handle, *args)

        setattr(self.module, name, function)

    @staticmethod
    def _known(hip_id: int | None, hip_uuid: str) -> dict[str, Any]:
        if hip_id is None:
            raise AmdSmiLibraryException(NOT_SUPPORTED)
        return {"hip_id": hip_id, "hip_uuid": hip_uuid, "drm_card": 0}

    @staticmethod
    def _energy(card: Card) -> dict[str, Any]:
        count = int(card.counted_j / (RESOLUTION_UJ * 1e-6))
        result: dict[str, Any] = {"power": count, "counter_resolution": RESOLUTION_UJ, "timestamp": 1}
        return result if card.old_names else {**result, "energy_accumulator": count}

    @staticmethod
    def _temperature(_: Card, sensor: AmdSmiTemperatureType, metric: AmdSmiTemperatureMetric) -> int:
        assert (sensor, metric) == (AmdSmiTemperatureType.HOTSPOT, AmdSmiTemperatureMetric.CURRENT)
        return 62

    @staticmethod
    def _clock(_: Card, kind: AmdSmiClkType) -> dict[str, int]:
        assert kind is AmdSmiClkType.GFX
        return {"clk": 2100, "min_clk": 500, "max_clk": 2100}

    @staticmethod
    def _memory(_: Card, kind: AmdSmiMemoryType) -> int:
        assert kind is AmdSmiMemoryType.VRAM
        return 3 << 30
