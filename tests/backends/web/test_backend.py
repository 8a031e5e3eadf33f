"""Devices of a real Chromium, and names of devices that are not here."""

import re
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_benchdb.backends.web.backend import (
    SharedBrowser,
    WasmBackend,
    WebBackend,
    WebGpuBackend,
    WebNnBackend,
    adapter_name,
    context_is_software,
    context_name,
    is_software,
)
from pytest_benchdb.backends.web.browser import NO_CHROMIUM, Host
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import Backend

SWIFTSHADER: dict[str, Any] = {
    "vendor": "google",
    "architecture": "swiftshader",
    "device": "0xc0de",
    "description": "SwiftShader Device (Subzero)",
    "fallback": True,
    "type": "CPU",
}
HOPPER: dict[str, Any] = {
    "vendor": "nvidia",
    "architecture": "hopper",
    "device": "0x2335",
    "description": "NVIDIA H200",
    "fallback": False,
    "type": "discrete GPU",
}
BACKENDS = [WebGpuBackend, WebNnBackend, WasmBackend]


@pytest.mark.parametrize("kind", BACKENDS)
def test_probe_without_chromium_gives_the_reason(kind: type[WebBackend], tmp_path: Path) -> None:
    nowhere = Host(environ={}, home=tmp_path, platform="linux", which=lambda _: None, version_of=lambda _: "1.65.2")

    backend = kind(SharedBrowser(host=nowhere))

    assert backend.probe().reason == NO_CHROMIUM
    with pytest.raises(BackendUnavailableError, match="no Chromium found"):
        backend.devices()


@pytest.mark.parametrize("kind", BACKENDS)
def test_backend_is_made_without_arguments(kind: type[WebBackend]) -> None:
    backend: Backend = kind()

    assert backend.provenance == "measured"


def test_webgpu_devices_name_a_software_adapter_as_such(shared: SharedBrowser) -> None:
    devices = WebGpuBackend(shared).devices()

    assert devices != []
    assert len({device.device_id for device in devices}) == len(devices)
    for device in devices:
        software = "swiftshader" in device.name.lower() or device.details["type"] == "CPU"
        assert device.details["software"] is software
        assert device.name.endswith("(software)") is software


def test_webgpu_device_without_a_gpu_is_swiftshader(shared: SharedBrowser) -> None:
    names = [device.name for device in WebGpuBackend(shared).devices()]

    if not all(name.endswith("(software)") for name in names):
        pytest.skip(f"this machine has {names[0]}")
    assert names == ["google swiftshader 0xc0de SwiftShader Device (Subzero) (software)"]


def test_wasm_device_reports_versions_and_features(shared: SharedBrowser) -> None:
    (device,) = WasmBackend(shared).devices()

    assert device.name == "V8 WebAssembly"
    assert device.driver == f"V8 {device.details['v8']}; Chromium {device.details['browser']}"
    assert (device.details["simd"], device.details["threads"]) == (True, True)


def refusal_of(backend: WebBackend) -> str | None:
    try:
        backend.devices()
    except BackendUnavailableError as error:
        return str(error)
    return None


def test_webnn_without_a_context_says_why(shared: SharedBrowser) -> None:
    reason = refusal_of(WebNnBackend(shared))

    if reason is None:
        pytest.skip("this Chromium makes WebNN contexts")
    assert re.search(r"^Chromium [\d.]+ makes no WebNN context: \w+Error: .+", reason)


def test_webnn_context_computes_on_the_device_in_its_name(shared: SharedBrowser) -> None:
    backend = WebNnBackend(shared)
    if (reason := refusal_of(backend)) is not None:
        pytest.skip(reason)

    for device in backend.devices():
        opened = backend.open(device)
        opened.synchronize()
        assert device.details["type"] in cast("list[str]", device.details["devices"])
        assert opened.sync_mode == "context.readTensor"
        opened.close()


def test_devices_are_asked_for_once(shared: SharedBrowser) -> None:
    backend = WasmBackend(shared)

    assert backend.devices() is backend.devices()


@pytest.mark.parametrize(
    ("adapter", "name"),
    [
        (HOPPER, "nvidia hopper 0x2335 NVIDIA H200"),
        (SWIFTSHADER, "google swiftshader 0xc0de SwiftShader Device (Subzero) (software)"),
        ({**HOPPER, "device": "", "description": ""}, "nvidia hopper"),
        ({**HOPPER, "fallback": True}, "nvidia hopper 0x2335 NVIDIA H200 (software)"),
        (
            {**HOPPER, "vendor": "mesa", "architecture": "", "device": "", "description": "llvmpipe (LLVM 15)"},
            "mesa llvmpipe (LLVM 15) (software)",
        ),
        (dict.fromkeys(HOPPER, "") | {"fallback": None, "type": None}, "unnamed adapter"),
    ],
)
def test_adapter_name_marks_software(adapter: dict[str, Any], name: str) -> None:
    assert adapter_name(adapter) == name


@pytest.mark.parametrize(
    ("context", "adapters", "software", "name"),
    [
        ({"type": "cpu", "devices": ["cpu"]}, [SWIFTSHADER], False, "WebNN cpu"),
        ({"type": "gpu", "devices": ["gpu", "cpu"]}, [SWIFTSHADER], True, "WebNN gpu (software)"),
        ({"type": "gpu", "devices": ["gpu"]}, [HOPPER, SWIFTSHADER], False, "WebNN gpu"),
        ({"type": "gpu", "devices": None}, [], None, "WebNN gpu (unconfirmed)"),
        ({"type": "npu", "devices": ["npu"]}, [SWIFTSHADER], False, "WebNN npu"),
        ({"type": "npu", "devices": None}, [HOPPER], False, "WebNN npu (unconfirmed)"),
    ],
)
def test_context_name_marks_software_and_unconfirmed(
    context: dict[str, Any], adapters: list[dict[str, Any]], software: bool | None, name: str
) -> None:
    assert context_is_software(context, adapters) is software
    assert context_name(context, software=software) == name


def test_is_software_knows_each_sign() -> None:
    assert not is_software(HOPPER)
    assert is_software({**HOPPER, "fallback": True})
    assert is_software({**HOPPER, "type": "CPU"})
    assert is_software({**HOPPER, "description": "Microsoft Basic Render Driver"})
