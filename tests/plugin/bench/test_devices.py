"""The limit rings in the main thread, and leaves the alarms of others as it found them."""

import signal
import threading
import time
from types import FrameType

import pytest

from pytest_benchdb.plugin.bench.devices import LimitPassedError, time_limit

if not hasattr(signal, "setitimer"):
    pytest.skip("no alarms on this platform", allow_module_level=True)


def test_time_limit_that_passes_interrupts_what_waits() -> None:
    with pytest.raises(LimitPassedError, match=r"within 0\.01 s"), time_limit(0.01):
        time.sleep(60)

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_time_limit_that_does_not_pass_gives_the_handler_back() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with time_limit(60):
        assert signal.getsignal(signal.SIGALRM) is not before

    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize(("others_s", "taken_over"), [(500.0, True), (20.0, False)], ids=["later", "earlier"])
def test_time_limit_beside_anothers_alarm_lets_that_go_on(others_s: float, taken_over: bool) -> None:
    def theirs(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError

    before = signal.signal(signal.SIGALRM, theirs)
    signal.setitimer(signal.ITIMER_REAL, others_s)
    try:
        with time_limit(60):
            assert (signal.getsignal(signal.SIGALRM) is not theirs) is taken_over

        assert signal.getsignal(signal.SIGALRM) is theirs
        assert others_s - 10 < signal.getitimer(signal.ITIMER_REAL)[0] <= others_s
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_time_limit_in_another_thread_does_nothing() -> None:
    before = signal.getsignal(signal.SIGALRM)
    seen = []

    def work() -> None:
        with time_limit(60):
            seen.append(signal.getsignal(signal.SIGALRM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [before]
