"""amdsmi with fake GPUs; never run with a real one."""

import sys
from pathlib import Path

import pytest
from tests.backends.meters import fake_amdsmi
from tests.backends.meters.fake_amdsmi import Card, FakeAmdsmi

from pytest_benchdb.backends.meters.amdsmi import AmdsmiMeter
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.reading import Domain


def meter_of(*cards: Card, init_error: int | None = None) -> tuple[AmdsmiMeter, FakeAmdsmi]:
    fake = FakeAmdsmi(*cards, init_error=init_error)
    return AmdsmiMeter(fake.module, monotonic_ns=fake.clock, sleep=fake.sleep), fake


def domains_of(meter: AmdsmiMeter) -> dict[str, Domain]:
    return {domain.name: domain for domain in meter.domains()}


def test_meter_of_an_mi300x_reads_si_units() -> None:
    meter, _ = meter_of(Card("GPU-a"))
    meter.domains()

    values = {name: reading.value for name, reading in meter.read().items()}

    assert values == pytest.approx(
        {
            "GPU-a/energy": 9150.0,  # including half a second at 300 W for the check of the counter
            "GPU-a/power_average": 300.0,
            "GPU-a/temperature": 335.15,
            "GPU-a/clock_gfx": 2.1e9,
            "GPU-a/utilization": 0.64,
            "GPU-a/memory_used": float(3 << 30),
        }
    )
    assert meter.absent == {"GPU-a/power_instant": "amdsmi does not report it: it says 'N/A'"}
    for domain in meter.domains():
        assert (domain.unit, domain.device_uuid) == (METRICS[domain.metric].unit, "GPU-a")


def test_meter_of_an_older_release_finds_the_counter_by_its_old_name() -> None:
    meter, _ = meter_of(Card("GPU-a", old_names=True))

    assert "GPU-a/energy" in domains_of(meter)


def test_meter_orders_devices_as_hip_does() -> None:
    meter, _ = meter_of(Card("GPU-x", hip_id=2), Card("GPU-y", hip_id=0), Card("GPU-z", hip_id=1))

    owners = [domain.device_uuid for domain in meter.domains() if domain.metric == "energy"]

    assert owners == ["GPU-y", "GPU-z", "GPU-x"]


def test_meter_without_hip_ids_orders_devices_as_the_kernel_does() -> None:
    meter, _ = meter_of(Card("x", hip_id=None, node_id=5), Card("y", hip_id=None, node_id=2))

    owners = [domain.device_uuid for domain in meter.domains() if domain.metric == "energy"]

    assert owners == ["own-y", "own-x"]


def test_meter_of_an_mi250_reports_on_the_even_die_for_both() -> None:
    name = "AMD Instinct MI250X"
    odd = Card("GPU-odd", name=name, hip_id=1, average_w=0, counted_j=0.0)
    meter, _ = meter_of(odd, Card("GPU-even", name=name, hip_id=0))

    domains = domains_of(meter)

    assert domains["GPU-even/energy"].scope == "module"
    assert domains["GPU-even/temperature"].scope == "device"
    assert not {"GPU-odd/energy", "GPU-odd/power_average"} & set(domains)
    assert meter.absent["GPU-odd/energy"] == "the other die of this module reports for both"
    assert "GPU-odd/temperature" in domains


@pytest.mark.parametrize("factor", [0.001, 65.0, 0.0])
def test_meter_of_a_counter_that_does_not_fit_the_power_drops_it(factor: float) -> None:
    meter, _ = meter_of(Card("GPU-a", counter_factor=factor), Card("GPU-b", hip_id=1))

    domains = domains_of(meter)

    assert "GPU-a/energy" not in domains
    assert "the energy counter is wrong on this card" in meter.absent["GPU-a/energy"]
    assert {"GPU-b/energy", "GPU-a/power_average"} <= set(domains)
    assert set(meter.read()) == set(domains)


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_meter_of_a_counter_that_roughly_fits_the_power_keeps_it(factor: float) -> None:
    meter, _ = meter_of(Card("GPU-a", counter_factor=factor))

    assert "GPU-a/energy" in domains_of(meter)


def test_meter_of_a_counter_that_cannot_be_checked_drops_it() -> None:
    meter, _ = meter_of(Card("GPU-a", average_w="N/A"))

    assert "GPU-a/energy" not in domains_of(meter)
    assert meter.absent["GPU-a/energy"] == "the energy counter cannot be checked: the device reports no power"


def test_meter_in_a_virtual_machine_has_power_but_no_energy() -> None:
    meter, _ = meter_of(Card("GPU-a", refused={"amdsmi_get_energy_count": fake_amdsmi.NOT_SUPPORTED}))

    metrics = {domain.metric for domain in meter.domains()}

    assert "energy" not in metrics
    assert "power" in metrics
    assert "AMDSMI_STATUS_NOT_SUPPORTED" in meter.absent["GPU-a/energy"]


def test_meter_of_a_card_that_falls_silent_reports_reasons() -> None:
    card = Card("GPU-a")
    meter, _ = meter_of(card)
    meter.domains()

    card.refused = {"amdsmi_get_energy_count": fake_amdsmi.INVAL, "amdsmi_get_temp_metric": fake_amdsmi.INVAL}
    readings = meter.read()

    assert readings["GPU-a/energy"].value is None
    assert readings["GPU-a/energy"].reason == ("GPU-a/energy: Error code: 1 | AMDSMI_STATUS_INVAL - Invalid parameters")
    assert readings["GPU-a/power_average"].value == 300.0


def test_probe_that_fails_to_initialise_reports_the_reason_in_one_line() -> None:
    meter, _ = meter_of(init_error=fake_amdsmi.DRIVER_NOT_LOADED)

    assert meter.probe().reason == (
        "amdsmi cannot be used: Error code: 34 | AMDSMI_STATUS_DRIVER_NOT_LOADED - Driver not loaded"
    )


def test_probe_without_a_card_says_so() -> None:
    meter, _ = meter_of()

    assert meter.probe().reason == "amdsmi shows no device with a reading"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("raise OSError('libamd_smi.so: cannot open shared object file')", "OSError: libamd_smi.so"),
        ("raise KeyError('ROCM_PATH')", "KeyError: 'ROCM_PATH'"),
        ("raise AttributeError('undefined symbol: amdsmi_get_gpu_x')", "AttributeError: undefined symbol"),
        ("raise ImportError('no amdsmi')", "amdsmi is not installed"),
    ],
    ids=["no-library", "no-path", "other-release", "no-package"],
)
def test_probe_of_a_package_that_prints_and_raises_is_quiet_and_reports_why(
    body: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "amdsmi.py").write_text(f"print('Unable to find libamd_smi.so')\n{body}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)

    probe = AmdsmiMeter().probe()

    assert not probe.available
    assert text in (probe.reason or "")
    assert capsys.readouterr().out == ""


def test_meter_close_gives_the_library_back_and_reads_again() -> None:
    meter, fake = meter_of(Card("GPU-a"))
    meter.read()

    meter.close()
    meter.close()

    assert fake.users == 0
    assert meter.read()["GPU-a/energy"].value is not None
