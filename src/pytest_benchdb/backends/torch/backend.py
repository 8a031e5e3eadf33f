"""Base class of torch backends; `vendors` has one subclass for each vendor.

torch is imported only if its build, which we read from ``version.py``, could have the device. Only `devices` and `open`
touch a device: both initialise the vendor's runtime, after which a forked child cannot use it (torch's "poison fork").
`probe` does not if the vendor's management library is available.
"""

import ast
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_benchdb.backends.libraries import find_device, forked_reason, package_folder, with_ids, without_none
from pytest_benchdb.backends.torch.device import OpenTorchDevice, TorchParts, capture_graph
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe

_TOOLKITS = ("cuda", "hip", "xpu")
NVML_CHECK = "PYTORCH_NVML_BASED_CUDA_CHECK"
"""If this variable is 1, `torch.cuda.is_available` uses NVML first, and the process may fork afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuild:
    """One build of torch.

    Attributes:
        version: including its local part: ``2.13.0+cpu``.
        toolkits: version of each toolkit (``cuda``, ``hip``, ``xpu``); None if it was built without. A toolkit that
            ``version.py`` does not mention is left out: older versions do not know ``xpu``.
    """

    version: str
    toolkits: Mapping[str, str | None]

    @property
    def versions(self) -> dict[str, str]:
        """Versions of torch and of its toolkits, by name."""
        return {"torch": self.version, **{name: text for name, text in self.toolkits.items() if text is not None}}


def parse_version(source: str) -> TorchBuild:
    r"""Parse the source of ``torch/version.py``.

    Raises:
        ValueError: it has no version.

    >>> parse_version("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None").toolkits
    {'cuda': None}
    """
    variables: dict[str, object] = {}
    for node in ast.parse(source).body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(value, ast.Constant):
            variables.update({target.id: value.value for target in targets if isinstance(target, ast.Name)})
    return _build(variables.get("__version__"), variables)


def read_build(folder: Path) -> TorchBuild:
    """Return the build of torch in a folder, without importing it.

    Raises:
        OSError: ``version.py`` cannot be read.
        ValueError: it has no version.
    """
    return parse_version((folder / "version.py").read_text(encoding="utf-8"))


def build_of(torch: Any) -> TorchBuild:
    """Return the build of an imported torch.

    Raises:
        ValueError: it has no version.
    """
    return _build(torch.__version__, vars(torch.version))


def _build(version: object, variables: Mapping[str, object]) -> TorchBuild:
    if version is None:
        raise ValueError("torch/version.py has no version")
    values = {name: variables[name] for name in _TOOLKITS if name in variables}
    toolkits = {name: None if value is None else str(value) for name, value in values.items()}
    return TorchBuild(version=str(version), toolkits=toolkits)


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchFacts:
    """Facts about a device besides its name and memory; None means not reported.

    Attributes:
        uuid: as the vendor's meter writes it, to match a device with its energy counter.
        driver: version of the driver.
        cache_bytes: size of the last cache before the device's memory.
        details: everything else.
    """

    uuid: str | None
    driver: str | None
    cache_bytes: int | None
    details: Mapping[str, object]


class TorchBackend:
    """Base class of torch backends.

    Attributes:
        kind: torch's name of the device type; `torch.get_device_module` gives its module.
        least_flush_bytes: smallest buffer for `flush_cache`. triton's `do_bench` clears as much: the cache of a GPU
            with two partitions may hold a line in each, and the reported size may leave out a cache behind the L2.
    """

    name: str
    kind: str
    least_flush_bytes = 256 << 20
    provenance: Provenance = "measured"

    def __init__(
        self,
        module: Any = None,
        *,
        path: Sequence[str] | None = None,
        root: Path = Path("/"),
        platform: str = sys.platform,
    ) -> None:
        """Take a stand-in for the module, a search path like `sys.path`, a replacement of ``/``, and `sys.platform`.

        torch is imported when it is first needed; versions of drivers are read from files below `root`.
        """
        self._module = module
        self._path = path
        self._root = root
        self._platform = platform

    def probe(self) -> Probe:
        """Return whether torch has this kind of device; imports torch only if it was built for it."""
        try:
            return self._probe()
        except Exception as error:  # noqa: BLE001 - a missing or broken library may raise anything
            return Probe(available=False, reason=f"torch cannot be used: {type(error).__name__}: {error}")

    def devices(self) -> Sequence[Device]:
        """Return the visible devices in the order of the vendor's runtime; this starts the runtime.

        Raises:
            Exception: the runtime does not start; the message comes from the driver.
        """
        if not self.probe().available:
            return []
        torch = self._torch()
        return with_ids([self.describe(torch, index) for index in range(self.module(torch).device_count())])

    def open(self, device: Device) -> OpenTorchDevice:
        """Start using a device and run an addition on it.

        Raises:
            BackendUnavailableError: the device is missing.
            Exception: raised by the addition.
        """
        index, present = find_device(self, device)
        torch = self._torch()
        return OpenTorchDevice(torch, present, self.parts(torch, index))

    def module(self, torch: Any) -> Any:
        """Return torch's module for this kind: `torch.cuda`."""
        return torch.get_device_module(self.kind)

    def why_unsupported(self, build: TorchBuild) -> str | None:
        """Return why a build of torch can never have this kind of device; None if it can."""
        raise NotImplementedError

    def why_no_device(self, torch: Any) -> str:
        """Return the likely reason why a torch that was built for this kind sees no device."""
        return f"torch {torch.__version__} sees no device: torch.{self.kind}.is_available() is False"

    def is_available(self, torch: Any) -> bool:
        """Return whether torch sees a device, not only whether it was built for one."""
        return bool(self.module(torch).is_available())

    def facts(self, properties: Any) -> TorchFacts:
        """Return the facts in this vendor's device properties."""
        raise NotImplementedError

    def describe(self, torch: Any, index: int) -> Device:
        """Return a device without its id."""
        properties = self.module(torch).get_device_properties(index)
        facts = self.facts(properties)
        return Device(
            device_id="",
            backend=self.name,
            name=properties.name,
            uuid=facts.uuid,
            memory_bytes=properties.total_memory or None,
            driver=facts.driver,
            details=without_none(
                index=index, device=f"{self.kind}:{index}", l2_bytes=facts.cache_bytes, **facts.details
            ),
        )

    def parts(self, torch: Any, index: int) -> TorchParts:
        """Return how to wait for a device, time it and read its memory."""
        module = self.module(torch)
        handle = torch.device(self.kind, index)
        return TorchParts(
            handle=handle,
            sync_mode=f"torch.{self.kind}.synchronize",
            barrier=lambda: module.synchronize(index),
            # Not the module's Event, which records on the current device.
            new_event=lambda: torch.Event(device=handle, enable_timing=True),
            # memory_stats is empty while the allocator is not initialised; max_memory_allocated would return 0.
            stats=lambda: module.memory_stats(index),
            reset_peaks=lambda: module.reset_peak_memory_stats(index),
            # Not public, but torch's own tests use it, and nothing public keeps a device busy without its memory.
            spin=getattr(module, "_sleep", None),
            current=lambda: module.device(index),
            capture=lambda function: capture_graph(module, index, function),
            ranges=getattr(module, "nvtx", None),
            flush_bytes=self.flush_bytes(self.facts(module.get_device_properties(index)).cache_bytes),
        )

    def flush_bytes(self, cache_bytes: int | None) -> int | None:
        """Return the size of the buffer that empties the caches; None if their size is not known."""
        return None if cache_bytes is None else max(self.least_flush_bytes, 2 * cache_bytes)

    def read_driver(self, path: str) -> str | None:
        """Return the driver version in a file below `root`; None if it cannot be read."""
        try:
            return (self._root / path).read_text(encoding="utf-8", errors="replace").strip() or None
        except OSError:
            return None

    def _probe(self) -> Probe:
        torch = self._module
        if torch is None and self._path is None:
            torch = sys.modules.get("torch")
        if torch is None:
            folder = package_folder("torch", self._path)
            if folder is None:
                return Probe(available=False, reason="torch is not installed")
            build = read_build(folder)
            if reason := self.why_unsupported(build):
                return Probe(available=False, reason=reason, versions=build.versions)
            torch = self._torch()
        build = build_of(torch)
        reason = self.why_unsupported(build) or self._unavailable(torch)
        return Probe(available=reason is None, reason=reason, versions=build.versions)

    def _unavailable(self, torch: Any) -> str | None:
        module = self.module(torch)
        if module._is_in_bad_fork():  # noqa: SLF001 - unchanged since torch 1.x; there is no public function
            return forked_reason(f"torch.{self.kind}")
        with warnings.catch_warnings(record=True) as caught, _variable(NVML_CHECK, "1"):
            warnings.simplefilter("always")
            if self.is_available(torch):
                return None
        # torch warns about a driver that is too old or broken; the warning is the real reason.
        texts = [str(warning.message).strip().splitlines()[0] for warning in caught]
        return texts[0] if texts else self.why_no_device(torch)

    def _torch(self) -> Any:
        if self._module is None:
            self._module = import_module("torch")
        return self._module


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable temporarily, unless the user has set it."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
