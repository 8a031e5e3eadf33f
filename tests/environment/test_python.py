import importlib.metadata
import platform
import re
import sys
from pathlib import Path

import pytest

from pytest_benchdb.environment.python import (
    VARIABLES,
    WATCHED,
    build_flags,
    read_python,
    read_versions,
    speed_variables,
)


def test_python_text_names_implementation_version_and_build() -> None:
    python = read_python({})

    assert python.text.startswith(f"{platform.python_implementation()} {platform.python_version()} (")
    assert python.text.endswith(f"{', '.join(python.build)})")
    assert python.version == sys.version_info[:2]


def test_python_details_record_how_it_was_built_and_started() -> None:
    details = read_python({}).details

    assert details["compiler"] == platform.python_compiler()
    assert details["gc_enabled"] is True


@pytest.mark.parametrize("enabled", [True, False])
def test_build_flags_show_whether_the_gil_is_on(monkeypatch: pytest.MonkeyPatch, *, enabled: bool) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: enabled, raising=False)

    assert build_flags()[0] == ("GIL" if enabled else "free-threaded")


def test_variables_outside_the_list_are_not_stored() -> None:
    environ = {"OMP_NUM_THREADS": "4", "AWS_SECRET_ACCESS_KEY": "hunter2", "OMP_TOKEN": "hunter2"}

    assert speed_variables(environ) == {"OMP_NUM_THREADS": "4"}


def test_variables_are_shortened() -> None:
    assert len(speed_variables({"OMP_PLACES": "{0}," * 1000})["OMP_PLACES"]) == 200


def test_no_listed_variable_sounds_secret() -> None:
    secret = re.compile("TOKEN(?!IZERS)|SECRET|PASS|KEY|AUTH|CRED")

    assert not [name for name in VARIABLES if secret.search(name)]


def test_versions_of_this_python_equal_importlib_metadata() -> None:
    versions = read_versions(sys.path)

    assert versions
    assert versions == {name: importlib.metadata.version(name) for name in versions}


def test_no_installed_watched_package_is_missed() -> None:
    installed = {re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower() for found in importlib.metadata.distributions()}

    assert set(read_versions(sys.path)) == installed & WATCHED


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("numpy-2.3.4.dist-info", {"numpy": "2.3.4"}),
        ("torch-2.11.0+cu126.dist-info", {"torch": "2.11.0+cu126"}),
        ("scikit_learn-1.7.0rc1.dist-info", {"scikit-learn": "1.7.0rc1"}),
        ("Cython-3.1.0.dist-info", {"cython": "3.1.0"}),
        ("scipy-1.9.0-py3.10.egg-info", {"scipy": "1.9.0"}),
        ("onnxruntime_gpu-1.20.1.dist-info", {"onnxruntime-gpu": "1.20.1"}),
        ("numpy.egg-info", {}),
        ("numpy-2.3.4.data", {}),
        ("left_pad-1.0.dist-info", {}),
        ("-info", {}),
    ],
)
def test_version_is_read_from_the_name_of_the_metadata(tmp_path: Path, folder: str, expected: dict[str, str]) -> None:
    (tmp_path / folder).mkdir()

    assert read_versions([str(tmp_path)]) == expected


def test_first_copy_on_the_path_is_the_one_that_is_imported(tmp_path: Path) -> None:
    for place, version in (("first", "2.0"), ("second", "1.0")):
        (tmp_path / place / f"numpy-{version}.dist-info").mkdir(parents=True)

    assert read_versions([str(tmp_path / "first"), str(tmp_path / "second")]) == {"numpy": "2.0"}


def test_path_that_is_no_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "python311.zip").write_bytes(b"PK")

    assert read_versions([str(tmp_path / "python311.zip"), str(tmp_path / "missing")]) == {}


def test_watched_names_are_in_normal_form() -> None:
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in WATCHED} == WATCHED
