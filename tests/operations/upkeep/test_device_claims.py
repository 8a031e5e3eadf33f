"""Checks of devices: on hardware that is not here, on the model device, and on a real one where there is one."""

import pluggy
import pytest

from pytest_benchdb import hookspecs
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.interfaces import Backend
from pytest_benchdb.model.environment import Device
from pytest_benchdb.operations.upkeep.device_claims import CLAIMS, check_device
from pytest_benchdb.registry import Registry
from pytest_benchdb.testing.model_device import ModelBackend, ModelMachine, OpenModel


class BrokenBackend(ModelBackend):
    """The model device with a driver that fails."""

    def open(self, device: Device) -> OpenModel:
        raise RuntimeError(f"CUDA error: {device.name} has fallen off the bus")


def registry_of(backend: Backend) -> Registry:
    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    return Registry(manager, [backend])


def test_check_of_a_missing_device_leaves_every_claim_untested_with_the_reason() -> None:
    checked = check_device("model:7", registry=registry_of(ModelBackend(ModelMachine())))

    assert checked.device == "model:7"
    assert {(result.verdict, result.measured) for result in checked.results} == {
        ("untested", "model:7: model has 1 device here")
    }
    assert len(checked.results) == len(CLAIMS)


def test_check_of_a_device_that_cannot_be_opened_reports_the_drivers_error() -> None:
    checked = check_device("model", registry=registry_of(BrokenBackend(ModelMachine())))

    (measured,) = {result.measured for result in checked.results}
    assert measured == "model cannot be opened: RuntimeError: CUDA error: Model device has fallen off the bus"


def test_check_of_a_device_reports_its_name_and_progress() -> None:
    seen: list[tuple[int, int]] = []

    checked = check_device(
        "model",
        registry=registry_of(ModelBackend(ModelMachine())),
        progress=lambda done, total: seen.append((done, total)),
    )

    assert checked.device == "Model device"
    assert seen == [(done, len(CLAIMS)) for done in range(1, len(CLAIMS) + 1)]
    assert [result.claim for result in checked.results] == [claim.name for claim in CLAIMS]


def test_check_of_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ConfigError, match="backend 'gpu' is unknown"):
        check_device("gpu", registry=registry_of(ModelBackend(ModelMachine())))


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.hardware(kind)) for kind in ("cuda", "rocm", "mps", "xpu")]
)
def test_claims_hold_on_real_hardware(kind: str) -> None:
    """`benchdb doctor --device` lists the same claims with their figures."""
    checked = check_device(kind)

    if {result.verdict for result in checked.results} == {"untested"}:
        pytest.skip(checked.results[0].measured)
    assert [result for result in checked.results if result.verdict == "fails"] == []
