import pytest

from pytest_benchdb.analysis.roofline import Roof, precision_named, roof_of


@pytest.mark.parametrize(
    ("flops", "moved", "peak_flops", "peak_bytes", "roof"),
    [
        (80, 1, 100, 10, Roof(0.8, "compute")),
        (20, 9, 100, 10, Roof(0.9, "memory")),
        (None, 9, 100, 10, Roof(0.9, "memory")),
        (80, None, 100, None, Roof(0.8, "compute")),
        (80, 1, 100, None, None),  # which limit holds is not known
        (80, 1, None, 10, None),
        (None, None, 100, 10, None),
        (80, None, None, 10, None),
        (None, 12, None, 10, Roof(1.2, "memory")),  # reads only, and the peak is that of copies
    ],
)
def test_roof_is_the_nearest_measured_limit(
    flops: float | None, moved: float | None, peak_flops: float | None, peak_bytes: float | None, roof: Roof | None
) -> None:
    found = roof_of(
        flops_per_second=flops,
        bytes_per_second=moved,
        peak_flops_per_second=peak_flops,
        peak_bytes_per_second=peak_bytes,
    )

    assert found == roof


def test_precisions_are_named_as_people_write_them() -> None:
    assert [precision_named(label) for label in ("float32", " FP16 ", "half", "int8", None)] == [
        "fp32",
        "fp16",
        "fp16",
        None,
        None,
    ]
