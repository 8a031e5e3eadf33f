"""Finds the versions of the packages that matter to speed, without importing any of them."""

import os
import re
from collections.abc import Iterable

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
"""Names in the normal form of the packaging specifications: lower case, runs of ``-_.`` as one ``-``."""

# A folder of metadata is called after its package and version ("Recording installed projects"), so
# that one listing per folder of `sys.path` is enough; parsing each METADATA file costs 0.5 ms.
_METADATA = re.compile(r"(?P<name>[A-Za-z0-9][\w.]*)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$")


def read_versions(path: Iterable[str], names: frozenset[str] = WATCHED) -> dict[str, str]:
    """Return the versions of the installed ones among `names`, sorted by name.

    Args:
        path: folders as in `sys.path`; of two copies of a package the first is imported.
        names: normalised names of the packages that are looked for.
    """
    versions: dict[str, str] = {}
    for folder in dict.fromkeys(path):
        try:
            entries = os.listdir(folder or ".")  # noqa: PTH208 - names are all that is wanted of thousands
        except OSError:  # a zip file, or a folder that is not there
            continue
        for entry in entries:
            if entry.endswith("-info") and (match := _METADATA.match(entry)):
                name = re.sub(r"[-_.]+", "-", match["name"]).lower()
                if name in names:
                    versions.setdefault(name, match["version"])
    return dict(sorted(versions.items()))
