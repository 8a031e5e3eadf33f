"""What a backend or a meter says of itself before it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Whether a backend or a meter can be used here.

    Attributes:
        available: whether it can.
        reason: why not, as the skip reason shows it; None if it can.
        versions: versions of its libraries and drivers, by name.
    """

    available: bool
    reason: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
