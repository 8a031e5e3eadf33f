"""Annotations of results: points of reference, accepted changes, exclusions, notes. Times are ISO 8601 in UTC."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A named point of reference.

    Attributes:
        spec: as the user wrote it.
        session_id: the session that `spec` named when it was set; the newest if it named several.
        removed_at: when it was removed; None while it is in force.
    """

    baseline_id: str
    project: str
    name: str
    spec: str
    session_id: str | None
    created_at: str
    removed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An accepted change of level: sessions before it no longer count as a baseline.

    Attributes:
        benchmark_id: the benchmark; None for all that match `pattern`.
        pattern: glob of full names.
        metric: name of the metric; None for all.
        fingerprint: the machine; None for all.
        since_session_id: first session of the new level.
        expires_at: when it stops counting; None for never.
    """

    acceptance_id: str
    benchmark_id: str | None = None
    pattern: str | None = None
    metric: str | None = None
    fingerprint: str | None = None
    since_session_id: str | None = None
    reason: str
    author: str | None = None
    created_at: str
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Sessions that are not part of the history any more, or are again.

    Attributes:
        spec: as the user wrote it.
        removed_at: when they became part of it again; None while they are excluded.
    """

    exclusion_id: str
    session_ids: tuple[str, ...]
    spec: str
    reason: str
    author: str | None = None
    created_at: str
    removed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Free text about a session, a run or a benchmark."""

    note_id: str
    session_id: str | None = None
    run_id: str | None = None
    benchmark_id: str | None = None
    author: str | None = None
    created_at: str
    text: str


Annotation = Baseline | Acceptance | Exclusion | Note
