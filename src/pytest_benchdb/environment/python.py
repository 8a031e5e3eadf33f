"""Reads the interpreter: version, how it was built and how it was started."""

import gc
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_benchdb.environment.files import known

VARIABLES = (
    "BLIS_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "GLIBC_TUNABLES",
    "HIP_VISIBLE_DEVICES",
    "MALLOC_ARENA_MAX",
    "MKL_DYNAMIC",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_DYNAMIC",
    "OMP_NUM_THREADS",
    "OMP_PLACES",
    "OMP_PROC_BIND",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "PYTHONDEVMODE",
    "PYTHONHASHSEED",
    "PYTHONMALLOC",
    "PYTHONOPTIMIZE",
    "PYTHON_GIL",
    "PYTHON_JIT",
    "RAYON_NUM_THREADS",
    "ROCR_VISIBLE_DEVICES",
    "TOKENIZERS_PARALLELISM",
    "VECLIB_MAXIMUM_THREADS",
)
"""The only environment variables whose values are stored: they change speed, and hold no secret."""

_VALUE_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """An interpreter.

    Attributes:
        text: ``CPython 3.11.7 (main, GIL)``.
        build: ``GIL`` or ``free-threaded``, then ``debug`` where it is one.
        details: compiler, optimisations, options and the environment variables of `VARIABLES`.
    """

    text: str
    implementation: str
    version: tuple[int, int]
    build: tuple[str, ...]
    details: Mapping[str, object]


def read_python(environ: Mapping[str, str]) -> Python:
    """Read the interpreter that runs this."""
    implementation = platform.python_implementation()
    build = build_flags()
    notes = ", ".join(part for part in (platform.python_build()[0], *build) if part)
    return Python(
        text=f"{implementation} {platform.python_version()} ({notes})",
        implementation=implementation,
        version=sys.version_info[:2],
        build=build,
        details=known(
            compiler=platform.python_compiler(),
            optimized_build=_configured("--enable-optimizations"),
            link_time_optimized=_configured("--with-lto"),
            jit=_jit(),
            gc_enabled=gc.isenabled(),
            gc_threshold=list(gc.get_threshold()),
            hash_randomization=bool(sys.flags.hash_randomization),
            optimize=sys.flags.optimize or None,
            dev_mode=sys.flags.dev_mode or None,
            traced=sys.gettrace() is not None or None,
            affinity=_affinity(),
            variables=chosen_variables(environ),
        ),
    )


def build_flags() -> tuple[str, ...]:
    """Return what changes the speed of every function: whether the GIL is on, and a debug build."""
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    debug = ("debug",) if hasattr(sys, "gettotalrefcount") else ()
    return ("GIL" if enabled else "free-threaded", *debug)


def chosen_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `VARIABLES` that are set."""
    return {name: environ[name][:_VALUE_CHARACTERS] for name in VARIABLES if name in environ}


def _configured(option: str) -> bool | None:
    import sysconfig

    arguments = sysconfig.get_config_var("CONFIG_ARGS")
    return option in arguments if isinstance(arguments, str) else None


def _jit() -> bool | None:
    jit = getattr(sys, "_jit", None)
    return None if jit is None else bool(jit.is_enabled())


def _affinity() -> list[int] | None:
    affinity = getattr(os, "sched_getaffinity", None)
    if affinity is None:
        return None
    usable = sorted(affinity(0))
    return usable if len(usable) < (os.cpu_count() or 0) else None
