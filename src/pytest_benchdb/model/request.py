"""One request of a token stream, as it was seen by the client."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Events of one request; times in seconds since the start of the stream's block.

    Attributes:
        index: 0, 1, 2, ... in the order of sending.
        due_s: when the arrival process wanted it sent; None in a closed loop.
        sent_s: when it was sent; None if it never was.
        chunk_s: when each chunk with text came, rising.
        tokens_in: tokens of the prompt; None if not told.
        tokens_out: tokens of the answer; None if not told.
        ok: whether the answer came whole.
        slo_ok: whether it met every objective; None without objectives.
        error: why it failed; None if it did not.
        phase: named part of the run; None for the whole.
    """

    index: int
    due_s: float | None
    sent_s: float | None
    chunk_s: Sequence[float]
    tokens_in: int | None
    tokens_out: int | None
    ok: bool
    slo_ok: bool | None = None
    error: str | None = None
    phase: str | None = None
