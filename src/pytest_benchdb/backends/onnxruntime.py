"""Execution providers of ONNX Runtime, each a device: CPU, CUDA, TensorRT, DirectML, CoreML, Qualcomm's QNN, ...

`get_available_providers` lists what was compiled in. A session of a provider that cannot be had falls back to the
processor in silence, and even a provider that `session.get_providers` lists may run nothing. So `open` makes a session
in which falling back is an error.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from pytest_benchdb.backends.blocking import OpenBlocking
from pytest_benchdb.backends.device_ids import known, position, with_ids
from pytest_benchdb.backends.installed import forked, package_folder
from pytest_benchdb.backends.memory_errors import says_out_of_memory
from pytest_benchdb.backends.native_errors import held_back, onnxruntime_messages
from pytest_benchdb.backends.onnx_model import DOUBLING
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.probe import Probe

CPU = "CPUExecutionProvider"
_REMOTE = "AzureExecutionProvider"
# It sends operators of its own to a web service and runs no others: no device, though it stands first in the list.
_PHRASES = ("out of memory", "failed to allocate memory", "bad allocation", "bad_alloc")
_FALLBACK = "assigned to the default CPU EP"


class OnnxRuntimeBackend:
    """The execution providers of the installed ONNX Runtime."""

    name = "onnxruntime"
    provenance: Provenance = "measured"

    def __init__(self, module: Any = None, *, path: Sequence[str] | None = None, platform: str = sys.platform) -> None:
        """Make a backend; onnxruntime is imported when it is first needed.

        Args:
            module: stands for onnxruntime; None imports it.
            path: where onnxruntime is looked for, as `sys.path`; None takes `sys.path`.
            platform: `sys.platform`.
        """
        self._module = module
        self._path = path
        self._pid: int | None = None
        self._options: Mapping[str, Mapping[str, str]] = {
            # Without a path older QNN providers load nothing.
            "QNNExecutionProvider": {"backend_path": "QnnHtp.dll" if platform == "win32" else "libQnnHtp.so"}
        }

    def probe(self) -> Probe:
        """Tell whether ONNX Runtime is there; makes no session."""
        if self._module is None and package_folder("onnxruntime", self._path) is None:
            return Probe(available=False, reason="onnxruntime is not installed")
        if self._pid not in {None, os.getpid()}:
            return Probe(available=False, reason=forked("onnxruntime"))
        try:
            version = str(self._onnxruntime().__version__)
        except Exception as error:  # noqa: BLE001 - a library that is missing or broken raises what it likes
            return Probe(available=False, reason=f"onnxruntime cannot be used: {type(error).__name__}: {error}")
        return Probe(available=True, versions={"onnxruntime": version})

    def devices(self) -> Sequence[Device]:
        """Return the providers in ONNX Runtime's order, which is that of preference; that they work is for `open`."""
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
                    details=known(index=index, provider=name, hardware=hardware.get(name)),
                )
                for index, name in enumerate(names)
            ]
        )

    def open(self, device: Device) -> OpenBlocking:
        """Run a product on a provider, and on nothing else.

        Raises:
            BackendUnavailableError: it is not there, its libraries or hardware are missing, or it runs nothing.
            MeasurementError: the product is wrong.
            Exception: whatever running it raised.
        """
        probe = self.probe()
        if not probe.available:
            raise BackendUnavailableError(f"onnxruntime: {probe.reason}")
        present = self.devices()
        device = present[position(device, present)]
        session = self._session(device.name)
        numpy = import_module("numpy")
        told = session.run(None, {"x": numpy.ones((2, 2), numpy.float32)})[0]
        if told.tolist() != [[2.0, 2.0], [2.0, 2.0]]:
            raise MeasurementError(f"{device.name} cannot be trusted: twice 1 gave {told.tolist()}")
        return OpenBlocking(device, device.name, _is_out_of_memory)

    def _session(self, provider: str) -> Any:
        """Return a session in which nothing but the provider runs.

        Raises:
            BackendUnavailableError: there is none, and why.
            Exception: the device's memory ran out.
        """
        options = self._onnxruntime().SessionOptions()
        if provider != CPU:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        with held_back() as written:
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
        """Return why a provider gave no session: it could not be had, or it takes no part of the model."""
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
        wanted = [(provider, dict(self._options.get(provider, {})))]
        # enable_fallback: else a provider that raises is replaced by the processor, with a print.
        return onnxruntime.InferenceSession(DOUBLING, options, providers=wanted, enable_fallback=0)

    def _onnxruntime(self) -> Any:
        if self._module is None:
            with held_back():  # it looks for GPUs when it is imported, and complains of files that are not there
                self._module = import_module("onnxruntime")
        return self._module


def _hardware(onnxruntime: Any) -> dict[str, list[dict[str, object]]]:
    """Return what each provider could run on, as ONNX Runtime 1.22 and later tell it."""
    if not hasattr(onnxruntime, "get_ep_devices"):
        return {}
    found: dict[str, list[dict[str, object]]] = {}
    for one in onnxruntime.get_ep_devices():
        kind = str(one.device.type).rpartition(".")[2].lower()
        facts = known(type=kind, vendor=one.device.vendor or None, metadata=dict(one.device.metadata) or None)
        found.setdefault(one.ep_name, []).append(facts)
    return found


def _is_out_of_memory(error: BaseException) -> bool:
    return says_out_of_memory(error, _PHRASES, classes=(MemoryError,), vendor="onnxruntime")
