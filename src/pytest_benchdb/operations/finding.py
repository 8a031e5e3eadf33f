"""One thing that `benchdb doctor` looked at."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: `error` keeps something from working, `warning` makes results worse, `note` is good to know.
        subject: what was looked at.
        message: what was found.
        advice: what to do; None if there is nothing to do.
    """

    severity: Severity
    subject: str
    message: str
    advice: str | None = None
