"""The noise of a machine: how much each series varies between sessions of unchanged code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.answer.notebook import Notebook
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.wording import counted, percent_text

Cause = Literal["contended", "short rounds", "few rounds", "bimodal", "level changed", "exact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How much one series varies while its code stays the same.

    Attributes:
        sessions: number of values since the level last changed; only these count.
        deviation: robust standard deviation of the logarithms between sessions: 0.02 is 2 %.
        worst: largest distance of one session from the median, as a share.
        detectable: smallest increase that is detected in 80 % of cases, as a share, by sessions per side (run in turn;
            one-sided Welch test, p < 0.01, and beyond the default limits).
        detectable_by_history: the same for one session against the last 20, with the gate's re-runs.
        needed: sessions per side that detect the requested change; None if 100 are too few.
        causes: the most serious first.
    """

    sessions: int
    deviation: float
    worst: float
    detectable: dict[int, float]
    detectable_by_history: float
    needed: int | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseRow:
    """One series; medians are None if nothing was measured.

    Attributes:
        noise: None with too few sessions.
        measured: number of sessions with a value.
        wall_per_cpu: wall-clock time per CPU time, median over the sessions.
        round_s: median length of a round.
        rounds: median number of rounds of a session.
        cpu_clock: metric of the benchmark's CPU time, which other work does not lengthen; None without one.
    """

    key: SeriesKey
    unit: str
    noise: Noise | None
    measured: int
    wall_per_cpu: float | None
    round_s: float | None
    rounds: float | None
    cpu_clock: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NoiseScore(Notebook):
    """One machine's noise.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        machine: its processor, system and Python, for people.
        fingerprint: of the machine; None if it is not known.
        rows: the noisiest first.
        sessions: number of sessions that were scored.
        other_machines: number of sessions left out because they ran elsewhere.
        commits: number of commits of the sessions; with more than one, code changes look like noise.
        contended: number of sessions that other work disturbed.
        per_side: numbers of sessions per side for which a detectable change is given.
        history: sessions of history for which a detectable change is given.
        confirms: re-runs that must repeat what one session shows.
        change: the increase to detect, as a share.
    """

    sources: tuple[str, ...]
    machine: str
    fingerprint: str | None
    rows: tuple[NoiseRow, ...]
    sessions: int
    other_machines: int
    commits: int
    contended: int
    per_side: tuple[int, ...]
    history: int
    confirms: int
    change: float
    selection: str | None = None

    def summary(self) -> str:
        """Return the number of series and sessions, and the machine."""
        return f"{len(self.rows)} series over {counted(self.sessions, 'session')} on {self.machine}"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return a row for each series: its noise, and the smallest slowdown that sessions per side find."""
        heads = ("benchmark", "metric", "sessions", "noise", *(f"found by {number} a side" for number in self.per_side))
        rows = []
        for row in self.rows:
            noise = row.noise
            found = [None if noise is None else percent_text(noise.detectable[number]) for number in self.per_side]
            deviation = None if noise is None else f"{noise.deviation * 100:.1f} %"
            rows.append((row.key.fullname, row.key.metric, row.measured, deviation, *found))
        return heads, rows
