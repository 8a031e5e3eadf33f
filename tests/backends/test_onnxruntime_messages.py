import os
from collections.abc import Callable

import pytest

from pytest_benchdb.backends.onnxruntime import held_back, onnxruntime_messages


def test_held_back_keeps_what_native_code_writes(capfd: pytest.CaptureFixture[str]) -> None:
    with held_back() as written:
        os.write(2, b"native \xff")
        result = written()
    os.write(2, b"after")

    assert result == "native \ufffd"
    assert capfd.readouterr().err == "after"


def test_held_back_gives_standard_error_back_after_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="wrong"), held_back():
        raise ValueError("wrong")
    os.write(2, b"after")

    assert capfd.readouterr().err == "after"


def test_held_back_leaves_no_descriptor_open() -> None:
    def free() -> int:
        descriptor = os.dup(0)
        os.close(descriptor)
        return descriptor

    before = free()
    with held_back():
        pass

    assert free() == before


def test_held_back_without_standard_error_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> int:
        raise OSError(9, "Bad file descriptor")

    dup: Callable[[int], int] = refuse
    monkeypatch.setattr(os, "dup", dup)

    with held_back() as written:
        assert written() == ""


def test_onnxruntime_messages_of_other_text_are_none() -> None:
    assert onnxruntime_messages("Traceback\n[I:onnxruntime:Default, x.cc:1 F] creating a session\n") == []
