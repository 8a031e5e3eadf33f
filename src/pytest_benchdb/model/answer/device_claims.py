"""What the documentation claims of devices, and whether it holds on one of them."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["holds", "fails", "untested"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """A claim and whether it holds on a device.

    Attributes:
        expected: when it holds, in words.
        measured: in words; why it could not be measured, if it is untested.
    """

    claim: str
    expected: str
    measured: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClaims:
    """The claims about one device.

    Attributes:
        device: the vendor's name of it; as the user wrote it if it is missing.
    """

    device: str
    results: tuple[ClaimResult, ...]
