import pytest

from pytest_benchdb.measure.distributed.exchange import RankReport
from pytest_benchdb.measure.distributed.run import End, Stderr, why_failed

SECOND = 1_000_000_000
FINE = [RankReport(rank=0), RankReport(rank=1)]
ENDED = [End(rank=0, code=0, ended_ns=1), End(rank=1, code=0, ended_ns=2)]
NO_STDERR = Stderr(last={})

TORCHRUN_STDERR = """
Root Cause (first observed failure):
[0]:
  time      : 2026-11-21_07:18:00
  host      : localhost
  rank      : 1 (local_rank: 1)
  exitcode  : -9 (pid: 4242)
  error_file: <N/A>
  traceback : Signal 9 (SIGKILL) received by PID 4242
"""


def failed(rank: int, error: str, at_s: float) -> RankReport:
    return RankReport(rank=rank, error=error, failed_ns=round(at_s * SECOND))


def died(rank: int, code: int, at_s: float) -> End:
    return End(rank=rank, code=code, ended_ns=round(at_s * SECOND))


def stopped(rank: int | None) -> End:
    return End(rank=rank, code=None, ended_ns=None)


def test_ranks_that_all_ended_did_not_fail() -> None:
    assert why_failed(ENDED, FINE, NO_STDERR, timeout_s=9) is None


def test_rank_that_failed_first_is_blamed() -> None:
    reports = [failed(0, "RuntimeError: Connection closed by peer", 5.1), failed(1, "ValueError: boom", 5.0)]
    ends = [died(0, 1, 5.2), died(1, 1, 5.3)]

    assert why_failed(ends, reports, NO_STDERR, timeout_s=9) == "rank 1 of 2 failed: ValueError: boom"


def test_rank_that_died_without_a_word_is_blamed_before_those_that_lost_it() -> None:
    reports = [failed(0, "RuntimeError: Connection closed by peer", 5.0), None]
    ends = [died(0, 1, 5.2), died(1, -9, 5.1)]

    reason = why_failed(ends, reports, Stderr(last={1: "last words"}), timeout_s=9)

    assert reason == "rank 1 of 2 was killed by SIGKILL: last words"


def test_rank_that_died_long_after_another_failed_is_not_blamed() -> None:
    reports = [failed(0, "ValueError: boom", 5.0), None]
    ends = [died(0, 1, 5.1), died(1, -6, 6.0)]

    assert why_failed(ends, reports, NO_STDERR, timeout_s=9) == "rank 0 of 2 failed: ValueError: boom"


@pytest.mark.parametrize(
    ("code", "text"),
    [(3, "ended with exit code 3"), (-6, "was killed by SIGABRT"), (-99, "was killed by signal 99")],
)
def test_rank_that_died_says_how(code: int, text: str) -> None:
    assert why_failed([died(0, code, 1)], [None], NO_STDERR, timeout_s=9) == f"rank 0 of 1 {text}"


def test_rank_that_crashed_after_its_report_failed() -> None:
    reason = why_failed([ENDED[0], died(1, -11, 1)], FINE, NO_STDERR, timeout_s=9)

    assert reason == "rank 1 of 2 was killed by SIGSEGV"


def test_ranks_that_hung_are_named_with_their_last_words() -> None:
    reports = [RankReport(rank=0), None, None]
    ends = [ENDED[0], stopped(1), stopped(2)]

    reason = why_failed(ends, reports, Stderr(last={2: "waiting"}), timeout_s=30)

    assert reason == "rank 1 of 3 and rank 2 of 3 did not end within 30 s and was stopped: waiting"


def test_rank_that_hung_after_its_report_is_named() -> None:
    reason = why_failed([ENDED[0], stopped(1)], FINE, NO_STDERR, timeout_s=1.5)

    assert reason == "rank 1 of 2 did not end within 1.5 s and was stopped"


def test_rank_stopped_because_another_failed_is_not_blamed() -> None:
    reports = [None, failed(1, "ValueError: boom", 1.0)]

    assert why_failed([stopped(0), died(1, 1, 1)], reports, NO_STDERR, timeout_s=9) == (
        "rank 1 of 2 failed: ValueError: boom"
    )


def test_rank_that_ended_without_a_report_failed() -> None:
    assert why_failed(ENDED, [FINE[0], None], NO_STDERR, timeout_s=9) == "rank 1 of 2 ended without a report"


def test_rank_that_torchrun_blames_comes_first() -> None:
    reports = [failed(0, "RuntimeError: Connection closed by peer", 5.0), None]
    stderr = Stderr(last={1: "last words"}, launcher=TORCHRUN_STDERR)

    reason = why_failed([End(rank=None, code=1, ended_ns=1)], reports, stderr, timeout_s=9)

    assert reason == "rank 1 of 2 was killed by SIGKILL: last words"


def test_rank_that_torchrun_blames_and_that_reported_its_error_is_quoted() -> None:
    reports = [failed(0, "RuntimeError: Connection closed by peer", 5.1), failed(1, "ValueError: boom", 5.0)]

    reason = why_failed(
        [End(rank=None, code=1, ended_ns=1)], reports, Stderr(last={}, launcher=TORCHRUN_STDERR), timeout_s=9
    )

    assert reason == "rank 1 of 2 failed: ValueError: boom"


def test_launcher_that_hung_names_the_ranks_without_a_report() -> None:
    reason = why_failed([stopped(None)], [FINE[0], None], Stderr(last={1: "waiting"}), timeout_s=9)

    assert reason == "rank 1 of 2 did not end within 9 s and was stopped: waiting"


def test_launcher_that_failed_by_itself_is_named() -> None:
    assert why_failed([End(rank=None, code=2, ended_ns=1)], FINE, NO_STDERR, timeout_s=9) == (
        "the launcher of 2 ranks ended with exit code 2"
    )
