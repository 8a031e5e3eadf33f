import os
from collections.abc import Callable

import pytest

from pytest_benchdb.backends.onnxruntime import capture_stderr, onnxruntime_messages


def test_capture_stderr_captures_native_code(capfd: pytest.CaptureFixture[str]) -> None:
    with capture_stderr() as written:
        os.write(2, b"native \xff")
        result = written()
    os.write(2, b"after")

    assert result == "native \ufffd"
    assert capfd.readouterr().err == "after"


def test_capture_stderr_gives_standard_error_back_after_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="wrong"), capture_stderr():
        raise ValueError("wrong")
    os.write(2, b"after")

    assert capfd.readouterr().err == "after"


def test_capture_stderr_leaves_no_descriptor_open() -> None:
    def free() -> int:
        descriptor = os.dup(0)
        os.close(descriptor)
        return descriptor

    before = free()
    with capture_stderr():
        pass

    assert free() == before


def test_capture_stderr_without_standard_error_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> int:
        raise OSError(9, "Bad file descriptor")

    dup: Callable[[int], int] = refuse
    monkeypatch.setattr(os, "dup", dup)

    with capture_stderr() as written:
        assert written() == ""


def test_onnxruntime_messages_of_other_text_are_none() -> None:
    assert onnxruntime_messages("Traceback\n[I:onnxruntime:Default, x.cc:1 F] creating a session\n") == []
