"""What changed since the newest earlier run of each benchmark: for the summary at the end of a run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.analysis.rules.effect_size import change_of
from pytest_benchdb.analysis.rules.few_sessions import BEYOND_DISTURBANCE
from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.model.report import EarlierTime

Size = Literal["small", "counts", "large"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change of a time since one earlier run: rough, because one session a side cannot show what is noise.

    Attributes:
        run_id: the run.
        share: candidate / baseline - 1, of the same figure as `benchdb compare` shows.
        size: ``small`` within the limits; ``counts`` beyond them; ``large`` if hardly a disturbance explains it.
    """

    run_id: str
    metric: str
    phase: str | None
    share: float
    size: Size
    session_id: str

    @property
    def is_worse(self) -> bool:
        """Whether it takes longer."""
        return self.share > 0


def changes_of(times: Iterable[EarlierTime]) -> list[Change]:
    """Return the changes since earlier runs; times of 0 have none."""
    changes = []
    for time in times:
        policy = default_policy(time.metric, time.unit, "lower", sessions=1)
        both = [(side[policy.statistic], side["value"]) for side in (time.before, time.now)]
        before, after = (
            (figure for figure, _ in both) if None not in (both[0][0], both[1][0]) else (both[0][1], both[1][1])
        )
        share = None if before is None or after is None else change_of(before, after)
        if share is None or before is None or after is None:
            continue
        size: Size = "counts" if policy.exceeded(before, after) else "small"
        changes.append(
            Change(
                run_id=time.run_id,
                metric=time.metric,
                phase=time.phase,
                share=share,
                size="large" if size == "counts" and abs(share) > BEYOND_DISTURBANCE else size,
                session_id=time.session_id,
            )
        )
    return changes
