"""The torch backends with fakes of torch; the real torch was only tested without devices."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends import fake_torch
from tests.backends.fake_torch import FakeMpsTorch, FakeTorch, Gpu

from pytest_benchdb.backends.torch.backend import NVML_CHECK, TorchBackend
from pytest_benchdb.backends.torch.vendors import (
    CudaBackend,
    MpsBackend,
    RocmBackend,
    XpuBackend,
    amd_uuid,
    nvidia_uuid,
)
from pytest_benchdb.errors import BackendUnavailableError

KINDS: list[type[TorchBackend]] = [CudaBackend, RocmBackend, MpsBackend, XpuBackend]
OTHER = "1b2c3d4e-0c1e-4a8f-9d0b-2f6f3a1b5c7d"


def installed(tmp_path: Path, version: str, **toolkits: str | None) -> list[str]:
    """Write a torch that can be found but not imported."""
    folder = tmp_path / "torch"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise AssertionError('torch was imported')\n", encoding="utf-8")
    lines = [f"__version__ = {version!r}", *(f"{name}: object = {value!r}" for name, value in toolkits.items())]
    (folder / "version.py").write_text("\n".join(lines), encoding="utf-8")
    return [str(tmp_path)]


@pytest.mark.parametrize("kind", KINDS)
def test_probe_without_torch_says_so(kind: type[TorchBackend], tmp_path: Path) -> None:
    probe = kind(path=[str(tmp_path)]).probe()

    assert (probe.available, probe.reason) == (False, "torch is not installed")


@pytest.mark.parametrize("kind", KINDS)
def test_probe_with_a_mere_folder_called_torch_says_that_it_is_not_installed(
    kind: type[TorchBackend], tmp_path: Path
) -> None:
    (tmp_path / "torch").mkdir()

    assert kind(path=[str(tmp_path)]).probe().reason == "torch is not installed"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (CudaBackend, "torch 2.13.0+cpu was built without CUDA"),
        (RocmBackend, "torch 2.13.0+cpu was built without ROCm"),
        (XpuBackend, "torch 2.13.0+cpu was built without XPU"),
        (MpsBackend, "torch 2.13.0+cpu has no MPS on linux"),
    ],
)
def test_probe_of_a_cpu_build_says_so_and_does_not_import_it(
    kind: type[TorchBackend], reason: str, tmp_path: Path
) -> None:
    path = installed(tmp_path, "2.13.0+cpu", cuda=None, hip=None, xpu=None)

    probe = kind(path=path, platform="linux").probe()

    assert (probe.available, probe.reason, probe.versions) == (False, reason, {"torch": "2.13.0+cpu"})


def test_probe_of_a_broken_torch_reports_its_error(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").touch()

    probe = CudaBackend(path=[str(tmp_path)]).probe()

    assert not probe.available
    assert str(probe.reason).startswith("torch cannot be used: FileNotFoundError")


def test_probe_of_the_installed_torch_imports_it_only_if_it_may_have_a_gpu() -> None:
    code = (
        "import sys; from pytest_benchdb.backends.torch.vendors import CudaBackend; probe = CudaBackend().probe();"
        "print(probe.reason); print('torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    if "without CUDA" not in result[0] and "not installed" not in result[0]:
        pytest.skip("this torch may have a GPU")
    assert result[1] == "False"


def test_probe_reports_cuda_and_rocm_apart_by_hip() -> None:
    amd, nvidia = fake_torch.rocm(Gpu("AMD Instinct MI300X")), fake_torch.cuda(Gpu())

    assert RocmBackend(amd).probe().available
    assert CudaBackend(nvidia).probe().available
    assert (
        CudaBackend(amd).probe().reason
        == "torch 2.13.0+rocm7.1 was built for ROCm 7.1.25424, not for CUDA; use bench_rocm"
    )
    assert RocmBackend(nvidia).probe().reason == "torch 2.13.0+cu130 was built without ROCm"


def test_probe_of_a_gpu_has_versions_and_starts_nothing() -> None:
    torch = fake_torch.cuda(Gpu())

    probe = CudaBackend(torch).probe()

    assert (probe.available, probe.versions) == (True, {"torch": "2.13.0+cu130", "cuda": "13.0"})
    assert torch.module._started_in is None


def test_probe_lets_nvml_answer_so_that_the_process_can_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NVML_CHECK, raising=False)
    torch = fake_torch.cuda(Gpu())

    CudaBackend(torch).probe()

    assert torch.module.checked_with == ["1"]
    assert NVML_CHECK not in os.environ


def test_probe_leaves_the_users_own_choice_of_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NVML_CHECK, "0")
    torch = fake_torch.cuda(Gpu())

    CudaBackend(torch).probe()

    assert torch.module.checked_with == ["0"]
    assert os.environ[NVML_CHECK] == "0"


def test_probe_without_a_driver_says_so(tmp_path: Path) -> None:
    cuda = CudaBackend(fake_torch.cuda(), root=tmp_path, platform="linux").probe()
    rocm = RocmBackend(fake_torch.rocm(), root=tmp_path, platform="linux").probe()

    assert cuda.reason == "torch 2.13.0+cu130 has CUDA, but no NVIDIA driver is loaded"
    assert rocm.reason == "torch 2.13.0+rocm7.1 has ROCm, but there is no /dev/kfd: the amdgpu driver is not loaded"


def test_probe_with_an_old_driver_reports_torchs_warning() -> None:
    warning = "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040).\nSee ..."

    reason = CudaBackend(fake_torch.cuda(driver_warning=warning)).probe().reason

    assert reason == "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040)."


def test_probe_with_hidden_devices_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")

    reason = CudaBackend(fake_torch.cuda(), root=tmp_path, platform="linux").probe().reason

    assert reason == "no device is visible to torch: CUDA_VISIBLE_DEVICES='-1'"


def test_probe_without_any_hint_reports_torchs_answer() -> None:
    reason = XpuBackend(fake_torch.xpu()).probe().reason

    assert reason == "torch 2.13.0+xpu sees no device: torch.xpu.is_available() is False"


def test_probe_in_a_forked_child_has_that_reason() -> None:
    torch = fake_torch.cuda(Gpu())
    torch.module._started_in = os.getpid() + 1

    reason = CudaBackend(torch).probe().reason

    assert reason == "this process was forked after torch.cuda had started; start it with spawn"


def test_open_without_a_device_reports_the_reason_of_the_probe() -> None:
    device = CudaBackend(fake_torch.cuda(Gpu())).devices()[0]

    with pytest.raises(BackendUnavailableError, match=r"rocm: torch 2\.13\.0\+cu130 was built without ROCm"):
        RocmBackend(fake_torch.cuda(Gpu())).open(device)


def test_devices_of_cuda_have_uuid_and_details(tmp_path: Path) -> None:
    module = tmp_path / "sys/module/nvidia"
    module.mkdir(parents=True)
    (module / "version").write_text("570.86.10\n", encoding="utf-8")

    (device,) = CudaBackend(fake_torch.cuda(Gpu()), root=tmp_path).devices()

    assert (device.name, device.uuid) == ("NVIDIA H200", "GPU-8c1f7a52-0c1e-4a8f-9d0b-2f6f3a1b5c7d")
    assert (device.memory_bytes, device.driver) == (139 << 30, "570.86.10")
    assert device.details == {
        "index": 0,
        "device": "cuda:0",
        "capability": "9.0",
        "pci_bus_id": "00000000:3B:00.0",
        "multiprocessors": 132,
        "l2_bytes": 60 << 20,
    }


def test_devices_of_an_older_torch_leave_out_unknown_facts(tmp_path: Path) -> None:
    gpu = Gpu(missing=("uuid", "L2_cache_size", "pci_bus_id"))

    (device,) = CudaBackend(fake_torch.cuda(gpu), root=tmp_path).devices()

    assert (device.uuid, device.driver) == (None, None)
    assert device.details == {"index": 0, "device": "cuda:0", "capability": "9.0", "multiprocessors": 132}


def test_devices_of_rocm_have_the_uuid_of_rocminfo() -> None:
    gpu = Gpu("AMD Instinct MI300X", uuid="38643265-3063-3162-3466-356136393738", cache_bytes=4 << 20)

    (device,) = RocmBackend(fake_torch.rocm(gpu)).devices()

    assert device.uuid == "GPU-8d2e0c1b4f5a6978"
    assert device.details["architecture"] == "gfx942:sramecc+:xnack-"
    assert device.details["device"] == "cuda:0"


def test_devices_of_xpu_report_the_driver() -> None:
    (device,) = XpuBackend(fake_torch.xpu(Gpu("Intel(R) Data Center GPU Max 1550", uuid=b"\x86\x80"))).devices()

    assert (device.driver, device.uuid) == ("1.6.33578", "8680")
    assert device.details["execution_units"] == 512


def test_devices_of_mps_are_one_with_the_chips_name() -> None:
    (device,) = MpsBackend(FakeMpsTorch(Gpu()), platform="darwin").devices()

    assert (device.name, device.uuid, device.memory_bytes) == ("Apple M3 Max", None, 22_906_503_168)
    assert device.details == {"index": 0, "device": "mps:0", "cores": 40}


def test_probe_of_mps_says_whether_torch_or_metal_is_missing() -> None:
    unbuilt = MpsBackend(FakeMpsTorch(Gpu(), available=False, built=False), platform="darwin")
    unavailable = MpsBackend(FakeMpsTorch(Gpu(), available=False), platform="darwin")

    assert unbuilt.probe().reason == "torch 2.13.0 was built without MPS"
    assert unavailable.probe().reason == "torch 2.13.0 sees no device: torch.mps.is_available() is False"


def test_open_after_devices_changed_their_order_takes_the_one_that_was_meant() -> None:
    first, second = Gpu("NVIDIA H200"), Gpu("NVIDIA L4", uuid=OTHER)
    torch = fake_torch.cuda(first, second)
    backend = CudaBackend(torch)
    wanted = backend.devices()[1]
    torch.gpus.reverse()

    opened = backend.open(wanted)
    opened.synchronize()

    assert opened.device.details["device"] == "cuda:0"
    assert opened.device.device_id == wanted.device_id
    assert "synchronize" in second.calls
    assert first.calls == []


def test_devices_of_one_name_without_uuid_have_ids_of_their_own() -> None:
    twins = [Gpu(uuid=None), Gpu(uuid=None)]

    devices = CudaBackend(fake_torch.cuda(*twins)).devices()

    assert len({device.device_id for device in devices}) == 2


def test_open_of_a_device_that_is_gone_lists_the_present_ones() -> None:
    gone = CudaBackend(fake_torch.cuda(Gpu("NVIDIA L4", uuid=OTHER))).devices()[0]

    with pytest.raises(BackendUnavailableError, match=rf"NVIDIA L4 \(GPU-{OTHER}\) is not here.*cuda:0 NVIDIA H200"):
        CudaBackend(fake_torch.cuda(Gpu())).open(gone)


@pytest.mark.parametrize(
    ("uuid", "result"),
    [
        (None, None),
        ("GPU-8d2e0c1b4f5a6978", "GPU-8d2e0c1b4f5a6978"),
        ("00000000-0000-0000-0000-000000000000", None),
        ("30303030-3030-3030-3030-303030303030", None),
        ("ffffffff-0000-0000-0000-000000000000", "ffffffff-0000-0000-0000-000000000000"),
    ],
    ids=["none", "rocminfo's", "empty", "no serial number", "no characters"],
)
def test_amd_uuid_is_rocminfos_or_none(uuid: str | None, result: str | None) -> None:
    assert amd_uuid(uuid) == result


def test_nvidia_uuid_of_a_mig_instance_is_known_by_its_name() -> None:
    assert nvidia_uuid("NVIDIA H200 MIG 1g.18gb", OTHER) == f"MIG-{OTHER}"
    assert nvidia_uuid("NVIDIA H200", f"GPU-{OTHER}") == f"GPU-{OTHER}"


@pytest.mark.parametrize(
    ("made", "handle", "sync_mode"),
    [
        (lambda: CudaBackend(fake_torch.cuda(Gpu())), "cuda", "torch.cuda.synchronize"),
        (lambda: RocmBackend(fake_torch.rocm(Gpu())), "cuda", "torch.cuda.synchronize"),
        (lambda: XpuBackend(fake_torch.xpu(Gpu())), "xpu", "torch.xpu.synchronize"),
        (lambda: MpsBackend(FakeMpsTorch(Gpu()), platform="darwin"), "mps", "torch.mps.synchronize"),
    ],
    ids=["cuda", "rocm", "xpu", "mps"],
)
def test_open_device_names_its_barrier(made: Callable[[], TorchBackend], handle: str, sync_mode: str) -> None:
    backend = made()

    opened = backend.open(backend.devices()[0])

    assert (getattr(opened.handle, "type", None), opened.sync_mode) == (handle, sync_mode)


def test_fake_torch_of_one_kind_has_no_other() -> None:
    with pytest.raises(RuntimeError, match="does not have a corresponding module"):
        FakeTorch(kind="xpu").get_device_module("cuda")
