import platform
import re
import sys

import pytest

from pytest_benchdb.environment.python import VARIABLES, build_flags, chosen_variables, read_python


def test_python_text_names_implementation_version_and_build() -> None:
    python = read_python({})

    assert python.text.startswith(f"{platform.python_implementation()} {platform.python_version()} (")
    assert python.text.endswith(f"{', '.join(python.build)})")
    assert python.version == sys.version_info[:2]


def test_python_details_tell_how_it_was_built_and_started() -> None:
    details = read_python({}).details

    assert details["compiler"] == platform.python_compiler()
    assert details["gc_enabled"] is True


@pytest.mark.parametrize("enabled", [True, False])
def test_build_flags_tell_whether_the_gil_is_on(monkeypatch: pytest.MonkeyPatch, *, enabled: bool) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: enabled, raising=False)

    assert build_flags()[0] == ("GIL" if enabled else "free-threaded")


def test_variables_outside_the_list_are_not_stored() -> None:
    environ = {"OMP_NUM_THREADS": "4", "AWS_SECRET_ACCESS_KEY": "hunter2", "OMP_TOKEN": "hunter2"}

    assert chosen_variables(environ) == {"OMP_NUM_THREADS": "4"}


def test_variables_are_shortened() -> None:
    assert len(chosen_variables({"OMP_PLACES": "{0}," * 1000})["OMP_PLACES"]) == 200


def test_no_listed_variable_sounds_secret() -> None:
    secret = re.compile("TOKEN(?!IZERS)|SECRET|PASS|KEY|AUTH|CRED")

    assert not [name for name in VARIABLES if secret.search(name)]
