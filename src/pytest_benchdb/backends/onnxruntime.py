"""Execution providers of ONNX Runtime, each a device: CPU, CUDA, TensorRT, DirectML, CoreML, Qualcomm's QNN, ...

`get_available_providers` lists what was compiled in. A session with an unavailable provider silently falls back to
the processor, and even a provider in `session.get_providers` may run nothing. So `open` makes a session in which
falling back is an error, and reads the cause of a failure from the standard error of the native code.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from pytest_benchdb.backends.libraries import find_device, says_out_of_memory, why_unusable, with_ids, without_none
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ONNXRUNTIME = re.compile(r"\[[EWF]:onnxruntime:[^\]]*\] ?(?P<text>.*)")
CPU = "CPUExecutionProvider"
# Only runs its own operators, in a web service: not a device, although it is first in the list.
_REMOTE = "AzureExecutionProvider"
_PHRASES = ("out of memory", "failed to allocate memory", "bad allocation", "bad_alloc")
_FALLBACK = "assigned to the default CPU EP"


@contextmanager
def capture_stderr() -> Iterator[Callable[[], str]]:
    """Capture everything written to file descriptor 2; yield a function that returns the text so far.

    Use it briefly: it also captures what other threads write.
    """
    with tempfile.TemporaryFile() as kept:
        try:
            original = os.dup(2)
        except OSError:  # a process without standard error, as pythonw's
            yield str
            return

        def written() -> str:
            kept.seek(0)
            return kept.read().decode("utf-8", "replace")

        with suppress(AttributeError, OSError, ValueError):  # none, or closed
            sys.stderr.flush()
        os.dup2(kept.fileno(), 2)
        try:
            yield written
        finally:
            os.dup2(original, 2)
            os.close(original)


def onnxruntime_messages(text: str) -> list[str]:
    r"""Return the messages of ONNX Runtime's log, without colours, times and source locations.

    >>> onnxruntime_messages("\x1b[1;31m2026-11-21 07:03:32.8 [E:onnxruntime:Default, x.cc:9 F] no libcudnn.so.9\x1b[m")
    ['no libcudnn.so.9']
    """
    matches = (_ONNXRUNTIME.search(_COLOUR.sub("", line)) for line in text.splitlines())
    return [match["text"].strip() for match in matches if match]


# The smallest ONNX model that execution providers take: y = x · w for 2 x 2 matrices, w twice the identity.
# Written by hand, because running a model does not need the ``onnx`` package. Nearly every provider, including XNNPACK
# and NPUs, can multiply by a constant matrix, but not all can do a bare addition. Fields are those of onnx.proto3 (IR
# version 7, operator set 13): ``key length content``; the key of a field with a length is ``field number * 8 + 2``.


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _number(number: int, value: int) -> bytes:
    return bytes([number << 3, value])


def _matrix(name: bytes) -> bytes:
    two = _number(1, 2)  # TensorShapeProto.Dimension: dim_value
    shape = _field(1, two) + _field(1, two)
    tensor = _number(1, 1) + _field(2, shape)  # TypeProto.Tensor: elem_type FLOAT, shape
    return _field(1, name) + _field(2, _field(1, tensor))  # ValueInfoProto: name, type


_NODE = _field(1, b"x") + _field(1, b"w") + _field(2, b"y") + _field(4, b"MatMul")
_TWO = b"\0\0\0@"  # 2.0, little-endian
_WEIGHT = (
    _number(1, 2) + _number(1, 2) + _number(2, 1)  # TensorProto: dims, data_type FLOAT
    + _field(8, b"w") + _field(9, _TWO + bytes(4) + bytes(4) + _TWO)  # name, raw_data
)  # fmt: skip
_GRAPH = _field(1, _NODE) + _field(2, b"g") + _field(5, _WEIGHT) + _field(11, _matrix(b"x")) + _field(12, _matrix(b"y"))
_OPERATORS = _field(1, b"") + _number(2, 13)

DOUBLING: bytes = _number(1, 7) + _field(7, _GRAPH) + _field(8, _OPERATORS)
"""The model, 103 bytes."""


class OnnxRuntimeBackend:
    """The execution providers of the installed ONNX Runtime."""

    name = "onnxruntime"
    provenance: Provenance = "measured"

    def __init__(self, module: Any = None, *, path: Sequence[str] | None = None, platform: str = sys.platform) -> None:
        """Take a stand-in for the module, a search path as `sys.path`, and `sys.platform`.

        onnxruntime is imported when it is first needed.
        """
        self._module = module
        self._path = path
        self._pid: int | None = None
        self._options: Mapping[str, Mapping[str, str]] = {
            # Without a path older QNN providers load nothing.
            "QNNExecutionProvider": {"backend_path": "QnnHtp.dll" if platform == "win32" else "libQnnHtp.so"}
        }

    def probe(self) -> Probe:
        """Return whether ONNX Runtime can be imported; makes no session."""
        if (reason := why_unusable(self.name, self._module, self._path, self._pid)) is not None:
            return Probe(available=False, reason=reason)
        try:
            version = str(self._onnxruntime().__version__)
        except Exception as error:  # noqa: BLE001 - a missing or broken library may raise anything
            return Probe(available=False, reason=f"onnxruntime cannot be used: {type(error).__name__}: {error}")
        return Probe(available=True, versions={"onnxruntime": version})

    def devices(self) -> Sequence[Device]:
        """Return the providers in ONNX Runtime's order of preference; only `open` shows whether they work."""
        if not self.probe().available:
            return []
        onnxruntime = self._onnxruntime()
        hardware = _hardware(onnxruntime)
        names = [name for name in onnxruntime.get_available_providers() if name != _REMOTE]
        return with_ids(
            [
                Device(
                    device_id="",
                    backend=self.name,
                    name=name,
                    details=without_none(index=index, provider=name, hardware=hardware.get(name)),
                )
                for index, name in enumerate(names)
            ]
        )

    def open(self, device: Device) -> BlockingDevice:
        """Run a matrix product on a provider, without fallback.

        Raises:
            BackendUnavailableError: the provider, its libraries or its hardware are missing, or it runs nothing.
            MeasurementError: the product is wrong.
            Exception: raised by the run.
        """
        _, device = find_device(self, device)
        session = self._session(device.name)
        numpy = import_module("numpy")
        product = session.run(None, {"x": numpy.ones((2, 2), numpy.float32)})[0]
        if product.tolist() != [[2.0, 2.0], [2.0, 2.0]]:
            raise MeasurementError(f"{device.name} cannot be trusted: twice 1 gave {product.tolist()}")
        return BlockingDevice(device, device.name, _is_out_of_memory)

    def _session(self, provider: str) -> Any:
        """Return a session in which only the provider runs."""
        options = self._onnxruntime().SessionOptions()
        if provider != CPU:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        with capture_stderr() as written:
            try:
                session = self._inference_session(provider, options)
            except Exception as error:
                if _is_out_of_memory(error):
                    raise
                reason = self._reason(provider, error, onnxruntime_messages(written()))
                raise BackendUnavailableError(f"onnxruntime: {reason}") from error
        if provider not in session.get_providers():
            raise BackendUnavailableError(f"onnxruntime: {provider} fell back to {', '.join(session.get_providers())}")
        return session

    def _reason(self, provider: str, error: Exception, messages: Sequence[str]) -> str:
        """Return why a provider gave no session: it is unavailable, or it cannot run the model."""
        causes = [text for text in messages if _FALLBACK not in text]
        if _FALLBACK not in str(error):
            return f"{provider} cannot be used: {'; '.join([str(error), *causes])}"
        registered = self._inference_session(provider, self._onnxruntime().SessionOptions()).get_providers()
        if provider in registered:
            return f"{provider} is loaded but leaves a matrix product to {CPU}"
        return "; ".join([f"{provider} fell back to {', '.join(registered)}", *causes])

    def _inference_session(self, provider: str, options: Any) -> Any:
        onnxruntime = self._onnxruntime()
        self._pid = os.getpid()
        providers = [(provider, dict(self._options.get(provider, {})))]
        # With enable_fallback, a provider that raises is replaced by the processor, with a print.
        return onnxruntime.InferenceSession(DOUBLING, options, providers=providers, enable_fallback=0)

    def _onnxruntime(self) -> Any:
        if self._module is None:
            with capture_stderr():  # the import looks for GPUs and complains about missing files
                self._module = import_module("onnxruntime")
        return self._module


def _hardware(onnxruntime: Any) -> dict[str, list[dict[str, object]]]:
    """Return the hardware of each provider, as reported by ONNX Runtime 1.22 and later."""
    if not hasattr(onnxruntime, "get_ep_devices"):
        return {}
    hardware: dict[str, list[dict[str, object]]] = {}
    for entry in onnxruntime.get_ep_devices():
        device = entry.device
        kind = str(device.type).rpartition(".")[2].lower()
        facts = without_none(type=kind, vendor=device.vendor or None, metadata=dict(device.metadata) or None)
        hardware.setdefault(entry.ep_name, []).append(facts)
    return hardware


def _is_out_of_memory(error: BaseException) -> bool:
    return says_out_of_memory(error, _PHRASES, classes=(MemoryError,), vendor="onnxruntime")
