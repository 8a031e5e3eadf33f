"""Reads the interpreter (version, build and options) and the versions of packages that affect speed.

No package is imported for its version.
"""

import gc
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_benchdb.environment.files import drop_missing

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
"""The only environment variables whose values are stored: they affect speed and never hold a secret."""

WATCHED = frozenset({
    "accelerate",
    "cffi",
    "cupy",
    "cython",
    "dask",
    "duckdb",
    "fastparquet",
    "jax",
    "jaxlib",
    "llvmlite",
    "mkl",
    "mypyc",
    "numba",
    "numexpr",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "pandas",
    "polars",
    "pyarrow",
    "pydantic-core",
    "pytest",
    "pytest-benchmark",
    "pytest-codspeed",
    "pytest-xdist",
    "scikit-learn",
    "scipy",
    "tensorflow",
    "tokenizers",
    "torch",
    "torch-xla",
    "transformers",
    "triton",
    "uvloop",
    "vllm",
})  # fmt: skip
"""Packages whose versions are stored, in normalized form: lower case, runs of ``-_.`` as one ``-``."""

_VALUE_CHARACTERS = 200
# A folder of metadata is named after its package and version ("Recording installed projects"), so
# that one listing per folder of `sys.path` is enough; parsing each METADATA file costs 0.5 ms.
_METADATA = re.compile(r"(?P<name>[A-Za-z0-9][\w.]*)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """An interpreter.

    Attributes:
        text: ``CPython 3.11.7 (main, GIL)``.
        build: ``GIL`` or ``free-threaded``, then ``debug`` for a debug build.
        details: compiler, optimisations, options and the values of `VARIABLES`.
    """

    text: str
    implementation: str
    version: tuple[int, int]
    build: tuple[str, ...]
    details: Mapping[str, object]


def read_python(environ: Mapping[str, str]) -> Python:
    """Describe the running interpreter."""
    implementation = platform.python_implementation()
    build = build_flags()
    notes = ", ".join(part for part in (platform.python_build()[0], *build) if part)
    return Python(
        text=f"{implementation} {platform.python_version()} ({notes})",
        implementation=implementation,
        version=sys.version_info[:2],
        build=build,
        details=drop_missing(
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
            variables=speed_variables(environ),
        ),
    )


def build_flags() -> tuple[str, ...]:
    """Return the build options that affect the speed of everything: with or without GIL, and debug."""
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    debug = ("debug",) if hasattr(sys, "gettotalrefcount") else ()
    return ("GIL" if enabled else "free-threaded", *debug)


def speed_variables(environ: Mapping[str, str]) -> dict[str, str]:
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


def read_versions(path: Iterable[str], names: frozenset[str] = WATCHED) -> dict[str, str]:
    """Return the versions of the packages in `names` that are installed in the folders of `path`, sorted by name.

    The first of two copies counts, because Python imports that one.
    """
    versions: dict[str, str] = {}
    for folder in dict.fromkeys(path):
        try:
            entries = os.listdir(folder or ".")  # noqa: PTH208 - only names are needed, of thousands
        except OSError:  # a zip file, or a missing folder
            continue
        for entry in entries:
            if entry.endswith("-info") and (match := _METADATA.match(entry)):
                name = re.sub(r"[-_.]+", "-", match["name"]).lower()
                if name in names:
                    versions.setdefault(name, match["version"])
    return dict(sorted(versions.items()))
