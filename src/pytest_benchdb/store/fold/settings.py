"""What the process that folds a session is told; both sides load it, so it loads nothing."""

from typing import NamedTuple


class Settings(NamedTuple):
    """What the process is told.

    Attributes:
        journal: the journal of the session that ended.
        path: what `--benchdb` named.
        spool: where journals and fresh session files are; another folder than `path` for a single file.
        cache: folder of templates; None without.
        row_limit: how many rows of the report to print.
        wait_s: how long to wait for locks.
    """

    journal: str
    path: str
    spool: str
    cache: str | None
    row_limit: int
    wait_s: float
