"""Reads the machine on macOS and Windows, which have no ``/proc``; loaded only there."""

import os
import platform as platform_module
import sys

from pytest_benchdb.environment.files import drop_missing
from pytest_benchdb.environment.machine.cpu import Cpu

_REGISTRY_CPU = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"


def read_cpu(platform: str) -> Cpu:
    """Read the processor through the operating system's interface."""
    model = {"darwin": _darwin_model, "win32": _windows_model}.get(platform, lambda: None)()
    online = os.cpu_count()
    cores = _physical_cores()
    smt = None if cores is None or online is None else online > cores
    return Cpu(
        model=model or platform_module.processor() or None,
        cores=cores,
        online=online,
        details=drop_missing(online=online, smt=smt, vendor=platform_module.processor()),
    )


def ram_bytes() -> int | None:
    """Return the memory of the machine; None without psutil."""
    try:
        import psutil

        return int(psutil.virtual_memory().total)
    except (ImportError, OSError, RuntimeError):
        return None


def os_name(platform: str) -> str:
    """Return the name of the operating system without its version."""
    return {"darwin": "macOS", "win32": "Windows"}.get(platform) or platform_module.system() or platform


def os_version(platform: str) -> str | None:
    """Return the version of the operating system."""
    if platform == "darwin":
        return platform_module.mac_ver()[0] or None
    return platform_module.version() or None


def _physical_cores() -> int | None:
    try:
        import psutil

        cores = psutil.cpu_count(logical=False)
    except (ImportError, OSError, RuntimeError):
        return None
    return None if cores is None else int(cores)


def _darwin_model() -> str | None:
    # sysctlbyname(3) of the C library: running the `sysctl` program would cost milliseconds.
    import ctypes

    try:
        library = ctypes.CDLL(None)
        buffer, size = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
        failed = library.sysctlbyname(b"machdep.cpu.brand_string", buffer, ctypes.byref(size), None, 0)
    except (AttributeError, OSError, TypeError):
        return None
    return None if failed else buffer.value.decode("utf-8", "replace") or None


def _windows_model() -> str | None:
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _REGISTRY_CPU) as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip() or None
        except OSError:
            return None
    return None
