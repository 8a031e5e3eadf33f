"""The built-in meters as a whole."""

import subprocess
import sys

import pytest

from pytest_benchdb.backends.meters import meters
from pytest_benchdb.interfaces import Meter


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("linux", ["nvml", "amdsmi", "rapl", "sim"]),
        ("darwin", ["nvml", "amdsmi", "macos", "sim"]),
        ("win32", ["nvml", "amdsmi", "sim"]),
    ],
)
def test_meters_are_those_of_the_system(platform: str, names: list[str]) -> None:
    assert [meter.name for meter in meters(platform)] == names


def test_meters_say_here_what_they_lack_and_close(capfd: pytest.CaptureFixture[str]) -> None:
    for meter in meters():
        checked: Meter = meter
        probe = checked.probe()
        assert probe.available != bool(probe.reason)
        if probe.available:
            names = {domain.name for domain in checked.domains()}
            assert set(checked.read()) == names
        checked.close()
    assert capfd.readouterr().out == ""


def test_meters_import_no_vendor_library() -> None:
    code = (
        "import sys; from pytest_benchdb.backends.meters import meters; meters();"
        "print([name for name in ('pynvml', 'amdsmi', 'torch', 'psutil', 'duckdb', 'rich') if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
