from dataclasses import replace

import pytest

from pytest_benchdb.environment.fingerprint import SpeedParts, fingerprint, kernel_series, ram_class

GIB = 1 << 30
PARTS = SpeedParts(
    machine="x86_64",
    cpu_model="AMD EPYC 7763 64-Core Processor",
    cores=2,
    threads=4,
    ram_bytes=16 * GIB,
    os_name="Ubuntu",
    kernel="6.8.0-1021-azure",
    virtualization=("hyperv", "hyperv"),
    cpu_quota=None,
    python_implementation="CPython",
    python_version=(3, 12),
    python_build=("GIL",),
)


def test_fingerprint_is_the_same_in_every_release() -> None:
    # A new value here cuts every history in two: raise the format's number and say so in the changelog.
    assert fingerprint(PARTS) == "1d09b7e2-9670-f781-b6be-4b681e9c0a83"


@pytest.mark.parametrize(
    "change",
    [
        {"machine": "aarch64"},
        {"cpu_model": "AMD EPYC 9V74 80-Core Processor"},
        {"cpu_model": None},
        {"cores": 4},
        {"threads": 2},
        {"ram_bytes": 32 * GIB},
        {"os_name": "Debian GNU/Linux"},
        {"kernel": "6.11.0-1018-azure"},
        {"virtualization": ("hyperv", "container:docker")},
        {"virtualization": (None, None)},
        {"cpu_quota": 2.0},
        {"python_implementation": "PyPy"},
        {"python_version": (3, 13)},
        {"python_build": ("free-threaded",)},
        {"python_build": ("GIL", "debug")},
    ],
    ids=str,
)
def test_fingerprint_differs_where_speed_may(change: dict[str, object]) -> None:
    assert fingerprint(replace(PARTS, **change)) != fingerprint(PARTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change", [{"kernel": "6.8.0-1025-azure"}, {"ram_bytes": 16 * GIB - 600_000_000}], ids=["kernel-build", "ram"]
)
def test_fingerprint_ignores_what_does_not_change_speed(change: dict[str, object]) -> None:
    assert fingerprint(replace(PARTS, **change)) == fingerprint(PARTS)  # type: ignore[arg-type]


@pytest.mark.parametrize("gib", [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 384, 512])
def test_ram_class_holds_for_what_a_kernel_leaves_of_a_usual_size(gib: int) -> None:
    assert ram_class(int(gib * GIB * 0.96)) == ram_class(gib * GIB)


def test_ram_class_of_unknown_memory_is_none() -> None:
    assert ram_class(None) is None


@pytest.mark.parametrize(
    ("release", "series"), [("6.8.0-45-generic", "6.8"), ("23.5.0", "23.5"), ("10", "10"), (None, None)]
)
def test_kernel_series_is_the_first_two_numbers(release: str | None, series: str | None) -> None:
    assert kernel_series(release) == series
