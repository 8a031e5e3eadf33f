"""What the processor says that it can do, as a program sees it: libraries choose their code by that.

Under valgrind this is the processor that valgrind imitates, which is the same on many real ones.
"""

import ctypes
import hashlib
import platform

from pytest_benchdb.measure.counting.client_requests import executable

# void cpuid(uint32_t words[4]): gets leaf and subleaf, returns eax, ebx, ecx and edx.
_CPUID = bytes.fromhex("53 8b07 8b4f08 0fa2 8907 895f04 894f08 89570c 5b c3")
_LEAVES = ((0, 0), (1, 0), (7, 0), (7, 1), (0x80000001, 0))
_HWCAPS = (16, 26)  # AT_HWCAP and AT_HWCAP2
_HEX_DIGITS = 12


def cpu_features() -> str:
    """Return a hash of the processor's features, equal where libraries choose the same code.

    Raises:
        MeasurementError: the system allows no new code.
    """
    machine = platform.machine()
    words = _cpuid_words() if machine == "x86_64" else _hwcap_words()
    digest = hashlib.blake2b(" ".join(f"{word:x}" for word in words).encode(), digest_size=_HEX_DIGITS // 2)
    return f"{machine}-{digest.hexdigest()}"


def _cpuid_words() -> list[int]:
    function, _memory = executable(_CPUID, ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint32)))
    words: list[int] = []
    for leaf, subleaf in _LEAVES:
        registers = (ctypes.c_uint32 * 4)(leaf, 0, subleaf, 0)
        function(registers)
        eax, ebx, ecx, edx = registers
        if leaf == 1:
            ebx = 0  # among others the number of the core
            ecx &= ~(1 << 27)  # set by the system
        words += (eax, ebx, ecx, edx)
    return words


def _hwcap_words() -> list[int]:
    getauxval = ctypes.CDLL(None).getauxval
    getauxval.restype, getauxval.argtypes = ctypes.c_ulong, (ctypes.c_ulong,)
    return [getauxval(kind) for kind in _HWCAPS]
