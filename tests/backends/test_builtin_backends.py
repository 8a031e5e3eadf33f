import subprocess
import sys

from pytest_benchdb.backends import backends
from pytest_benchdb.model.environment import Device


def test_backends_come_in_their_order() -> None:
    names = [backend.name for backend in backends()]

    assert names == (["cpu", "cuda", "rocm", "mps", "xpu", "openvino", "onnxruntime", "webgpu", "webnn", "wasm", "sim"])
    assert [backend.provenance for backend in backends()] == ["measured"] * 10 + ["simulated"]


def test_backends_take_the_processor_that_was_read() -> None:
    cpu = Device(device_id="xeon", backend="cpu", name="Intel Xeon", details={"cores": 2})

    assert list(backends(cpu)[0].devices()) == [cpu]


def test_backends_import_no_vendor_library() -> None:
    vendors = ("torch", "openvino", "onnxruntime", "playwright", "numpy", "psutil", "duckdb", "pytest")
    code = (
        "import sys; from pytest_benchdb.backends import backends; backends();"
        f"print([name for name in {vendors} if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
