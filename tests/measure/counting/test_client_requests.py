import mmap
import sys

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.counting import client_requests
from pytest_benchdb.measure.counting.client_requests import (
    RUNNING_ON_VALGRIND,
    is_under_valgrind,
    requests,
    unsupported,
)

here = pytest.mark.skipif(unsupported() is not None, reason=unsupported() or "")


@here
def test_a_request_outside_valgrind_does_nothing() -> None:
    assert requests()(RUNNING_ON_VALGRIND, 1, 2, 3, 4, 5)() == 0
    assert not is_under_valgrind()


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("win32", "AMD64"), ("linux", "riscv64")])
def test_platforms_without_requests_say_so(system: str, machine: str) -> None:
    why = unsupported(system=system, machine=machine)

    assert why == f"instructions are counted on Linux with x86-64 or aarch64, and this is {system} with {machine}"


@here
def test_a_system_that_allows_no_new_code_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(mmap, "mmap", refuse)
    client_requests.requests.cache_clear()

    with pytest.raises(MeasurementError, match="allows no new code, which counting needs: Permission denied"):
        requests()
    assert not is_under_valgrind()


@pytest.mark.skipif(sys.maxsize <= 1 << 32, reason="requests are those of 64-bit processors")
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_both_processors_have_their_sequence(machine: str) -> None:
    assert unsupported(system="linux", machine=machine) is None
