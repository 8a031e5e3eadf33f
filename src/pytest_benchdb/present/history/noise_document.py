"""What a score of a machine's noise shows, before a format is chosen."""

from dataclasses import dataclass

from pytest_benchdb.analysis.series.noise import Noise
from pytest_benchdb.model.series import SeriesKey


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseRow:
    """One series.

    Attributes:
        noise: None with too few sessions.
        measured: sessions that have a value.
        wall_per_cpu: median over the sessions; None if it was not measured.
        round_s: median length of a round; None likewise.
        rounds: median number of rounds of a session; None likewise.
    """

    key: SeriesKey
    unit: str
    noise: Noise | None
    measured: int
    wall_per_cpu: float | None
    round_s: float | None
    rounds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseScore:
    """One machine's noise.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        machine: what it is, for people.
        fingerprint: of the machine; None if it is not known.
        rows: the noisiest first.
        sessions: how many sessions the score stands on.
        other_machines: how many were left out because they ran elsewhere.
        commits: how many commits the sessions are of; more than one makes changes of the code look like noise.
        contended: how many of the sessions other work disturbed.
        per_side: numbers of sessions per side that are answered for.
        history: sessions of history that are answered for.
        change: the rise that is to be found, as a share.
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
    change: float
    selection: str | None = None
