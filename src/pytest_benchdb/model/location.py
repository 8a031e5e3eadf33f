"""Where the code of a benchmark stands in a checkout."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A line of a file.

    Attributes:
        file: path from the root of the checkout, with forward slashes.
        line: counted from 1: the line of ``def``.
    """

    file: str
    line: int
