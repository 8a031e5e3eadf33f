"""Progress bars: only for what takes longer than half a second, only where they may be shown."""

from collections.abc import Iterator

import pytest

from pytest_benchdb.cli.frame.output import PATIENCE_S, Bar, progress_bar


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bar(clock: Clock) -> Iterator[Bar]:
    made = Bar("Reading", clock)
    yield made
    made.stop()


def test_progress_of_quick_work_shows_nothing(bar: Bar, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    clock.now += PATIENCE_S

    bar(1, 10)
    bar(10, 10)
    bar.stop()

    assert capsys.readouterr() == ("", "")


def test_progress_of_slow_work_shows_on_standard_error(
    bar: Bar, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    clock.now += PATIENCE_S + 0.1

    bar(5, 10)
    bar(7, 10)
    bar.stop()

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Reading" in captured.err
    assert "70%" in captured.err


def test_progress_that_ends_late_does_not_begin(bar: Bar, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    clock.now += 10 * PATIENCE_S

    bar(10, 10)
    bar.stop()

    assert capsys.readouterr() == ("", "")


def test_progress_that_may_not_be_shown_is_none() -> None:
    with progress_bar("Reading", shown=False) as progress:
        assert progress is None
