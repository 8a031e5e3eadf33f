"""Work that takes a torch device to its peaks: copies in its memory, and products of matrices."""

from collections.abc import Iterator
from typing import Any

from pytest_benchdb.interfaces import PeakWork

MOST_COPY_BYTES = 1 << 30
MATRIX_SIDE = 8192
_PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "fp64")
_DTYPES = {"fp32": "float32", "tf32": "float32", "fp16": "float16", "bf16": "bfloat16", "fp64": "float64"}


def torch_peak_work(torch: Any, handle: Any, memory_bytes: int | None) -> Iterator[PeakWork]:
    """Yield a copy in the device's memory, and a product of matrices for each precision.

    Args:
        torch: the library.
        handle: the `torch.device`.
        memory_bytes: memory of the device; None if not known.
    """
    yield _copy(torch, handle, min(MOST_COPY_BYTES, (memory_bytes or MOST_COPY_BYTES * 16) // 16))
    for precision in _PRECISIONS:
        yield _product(torch, handle, precision)


def _copy(torch: Any, handle: Any, size: int) -> PeakWork:
    source = torch.ones(size, dtype=torch.uint8, device=handle)
    target = torch.zeros(size, dtype=torch.uint8, device=handle)
    return PeakWork(
        metric="peak_bytes_per_second",
        amount=2.0 * size,
        call=lambda: target.copy_(source),
        method=f"copy of {size >> 20} MiB, read and written",
    )


def _product(torch: Any, handle: Any, precision: str) -> PeakWork:
    if precision == "tf32" and handle.type != "cuda":
        return _impossible(precision, f"{handle.type} has no TF32")
    dtype = getattr(torch, _DTYPES[precision])
    # fp64 is 1/64 as fast on many cards, and some have none.
    side = MATRIX_SIDE // 4 if precision == "fp64" else MATRIX_SIDE
    try:
        first = torch.full((side, side), 0.5, dtype=dtype, device=handle)
        second = torch.full((side, side), 0.25, dtype=dtype, device=handle)
        result = torch.empty((side, side), dtype=dtype, device=handle)
        torch.matmul(first, second, out=result)
    except (RuntimeError, TypeError) as error:  # also what torch raises for a type that the device lacks
        return _impossible(precision, f"torch cannot multiply such matrices here: {str(error).partition(chr(10))[0]}")

    def multiply() -> object:
        if precision not in {"fp32", "tf32"} or handle.type != "cuda":
            return torch.matmul(first, second, out=result)
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        try:
            return torch.matmul(first, second, out=result)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before

    return PeakWork(
        metric="peak_flops_per_second",
        precision=precision,
        amount=2.0 * side**3,
        call=multiply,
        method=f"product of two matrices of {side} x {side}, torch {torch.__version__}",
    )


def _impossible(precision: str, reason: str) -> PeakWork:
    return PeakWork(metric="peak_flops_per_second", precision=precision, reason=reason)
