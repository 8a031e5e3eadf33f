"""Every built-in meter passes the contract, both here and on fake hardware."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.meters.fake_amdsmi import Card, FakeAmdsmi
from tests.backends.meters.fake_nvml import FakeNvml, Gpu
from tests.backends.meters.powercap_tree import add_zone

from pytest_benchdb.backends.meters import meters
from pytest_benchdb.backends.meters.amdsmi import AmdsmiMeter
from pytest_benchdb.backends.meters.nvml import NvmlMeter
from pytest_benchdb.backends.meters.rapl import RaplMeter
from pytest_benchdb.interfaces import Meter
from pytest_benchdb.testing import MeterContract, ProviderContract

BUILTIN = {meter.name: meter for platform in ("linux", "darwin") for meter in meters(platform)}


class TestProbes(ProviderContract):
    """Hardware that is missing here has a reason, and passes the tests of the probe."""

    @pytest.fixture(params=BUILTIN)
    def provider(self, request: pytest.FixtureRequest) -> Meter:
        return BUILTIN[request.param]


class TestBuiltin(MeterContract):
    """Meters that need no hardware run here."""

    @pytest.fixture(
        params=["sim", *[pytest.param(name, marks=pytest.mark.hardware(name)) for name in BUILTIN if name != "sim"]]
    )
    def meter(self, request: pytest.FixtureRequest) -> Meter:
        return BUILTIN[request.param]


class TestNvml(MeterContract):
    @pytest.fixture
    def driver(self) -> FakeNvml:
        return FakeNvml(Gpu("GPU-a"), Gpu("GPU-b"))

    @pytest.fixture
    def meter(self, driver: FakeNvml) -> Meter:
        return NvmlMeter(driver.module)

    @pytest.fixture
    def shutdown(self, driver: FakeNvml) -> Callable[[], object]:
        def shut_down() -> None:
            while driver.users:
                driver.module.nvmlShutdown()

        return shut_down


class TestAmdsmi(MeterContract):
    @pytest.fixture
    def driver(self) -> FakeAmdsmi:
        return FakeAmdsmi(Card("GPU-a"), Card("GPU-b", hip_id=1))

    @pytest.fixture
    def meter(self, driver: FakeAmdsmi) -> Meter:
        return AmdsmiMeter(driver.module, monotonic_ns=driver.clock, sleep=driver.sleep)


@pytest.mark.skipif(sys.platform == "win32", reason="powercap's folders are links, which Windows rarely allows")
class TestRapl(MeterContract):
    @pytest.fixture
    def meter(self, tmp_path: Path) -> Meter:
        add_zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
        add_zone(tmp_path, "intel-rapl:0:0", "core", 400_000)
        return RaplMeter(tmp_path)
