from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_benchdb.backends.torch.backend import build_of, parse_version, read_build

CUDA = """\
from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'rocm', 'xpu']
__version__ = '2.13.0+cu130'
debug = False
cuda: Optional[str] = '13.0'
git_version = 'cf30153c4c131c8164ee7798e5022d810682e2cb'
hip: Optional[str] = None
xpu: Optional[str] = None
"""
OLD = "__version__ = '2.1.0'\ndebug = False\ncuda = '12.1'\ngit_version = 'f'\nhip = None\n"


def test_parse_version_of_a_cuda_build_reports_its_toolkits() -> None:
    build = parse_version(CUDA)

    assert build.toolkits == {"cuda": "13.0", "hip": None, "xpu": None}
    assert build.versions == {"torch": "2.13.0+cu130", "cuda": "13.0"}


def test_parse_version_of_an_old_torch_leaves_out_unknown_toolkits() -> None:
    assert parse_version(OLD).toolkits == {"cuda": "12.1", "hip": None}


@pytest.mark.parametrize("source", ["", "cuda = None", "__version__ = version()"], ids=["empty", "without", "computed"])
def test_parse_version_without_a_version_is_an_error(source: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        parse_version(source)


def test_build_of_an_imported_torch_is_that_of_its_file() -> None:
    version = SimpleNamespace(__version__="2.13.0+cu130", cuda="13.0", hip=None, xpu=None, debug=False)

    assert build_of(SimpleNamespace(__version__="2.13.0+cu130", version=version)) == parse_version(CUDA)


def test_build_of_the_installed_torch_is_that_of_its_file() -> None:
    torch = pytest.importorskip("torch")

    assert build_of(torch) == read_build(Path(torch.__file__).parent)
