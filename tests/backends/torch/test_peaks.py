"""Work for the peaks of torch devices, with the parts of torch that it calls."""

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_benchdb.backends.torch.peaks import torch_peak_work


class Tensors(SimpleNamespace):
    """A torch that notes its tensors and products; it refuses the types in `missing`."""

    def __init__(self, *missing: str) -> None:
        matmul = SimpleNamespace(allow_tf32=False)
        super().__init__(
            __version__="2.9",
            backends=SimpleNamespace(cuda=SimpleNamespace(matmul=matmul)),
            **{name: name for name in ("uint8", "float16", "float32", "float64", "bfloat16")},
        )
        self.missing = missing
        self.made: list[tuple[Any, str, str]] = []
        self.products: list[tuple[str, bool]] = []

    def _tensor(self, shape: Any, dtype: str, device: Any) -> Any:
        if dtype in self.missing:
            raise TypeError(f"no {dtype} on {device.type}\nat line 1")
        self.made.append((shape, dtype, device.type))
        return SimpleNamespace(dtype=dtype, copy_=lambda source: source)

    def ones(self, size: int, *, dtype: str, device: Any) -> Any:
        return self._tensor(size, dtype, device)

    def zeros(self, size: int, *, dtype: str, device: Any) -> Any:
        return self._tensor(size, dtype, device)

    def empty(self, shape: Any, *, dtype: str, device: Any) -> Any:
        return self._tensor(shape, dtype, device)

    def full(self, shape: Any, value: float, *, dtype: str, device: Any) -> Any:
        assert value
        return self._tensor(shape, dtype, device)

    def matmul(self, first: Any, second: Any, *, out: Any) -> Any:
        assert first.dtype == second.dtype == out.dtype
        self.products.append((first.dtype, self.backends.cuda.matmul.allow_tf32))
        return out


def test_torch_devices_have_work_for_memory_and_each_precision() -> None:
    torch = Tensors()
    found = {}
    for work in torch_peak_work(torch, SimpleNamespace(type="cuda"), 139 << 30):
        torch.products.clear()
        assert work.call is not None
        work.call()
        found[work.precision] = work.metric, work.amount, tuple(torch.products)

    assert found == {
        None: ("peak_bytes_per_second", 2.0 * (1 << 30), ()),
        "fp32": ("peak_flops_per_second", 2.0 * 8192**3, (("float32", False),)),
        "tf32": ("peak_flops_per_second", 2.0 * 8192**3, (("float32", True),)),
        "fp16": ("peak_flops_per_second", 2.0 * 8192**3, (("float16", False),)),
        "bf16": ("peak_flops_per_second", 2.0 * 8192**3, (("bfloat16", False),)),
        "fp64": ("peak_flops_per_second", 2.0 * 2048**3, (("float64", False),)),
    }
    assert torch.backends.cuda.matmul.allow_tf32 is False


@pytest.mark.parametrize("memory_bytes", [None, 8 << 30])
def test_precisions_that_a_device_lacks_have_the_reason(memory_bytes: int | None) -> None:
    torch = Tensors("float64")

    reasons = {
        work.precision: work.reason for work in torch_peak_work(torch, SimpleNamespace(type="mps"), memory_bytes)
    }

    assert reasons == {
        None: None,
        "fp32": None,
        "tf32": "mps has no TF32",
        "fp16": None,
        "bf16": None,
        "fp64": "torch cannot multiply such matrices here: no float64 on mps",
    }
