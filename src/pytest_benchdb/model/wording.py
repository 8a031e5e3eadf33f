"""Wording shared by the messages of every layer."""

from collections.abc import Iterable

_ALIKE = 0.7
_MOST_NAMES = 3


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "session"), counted(2, "session")
    ('1 session', '2 sessions')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def share_text(share: float | None) -> str:
    """Return a change in percent, signed and without ``%``, for columns that have the unit in their heading.

    >>> share_text(0.0512), share_text(-0.5), share_text(12.0), share_text(-0.00001), share_text(None)
    ('+5.1', '-50.0', '+1200', '0.0', '-')
    """
    if share is None:
        return "-"
    text = f"{share * 100:+.1f}" if abs(share) < 1 else f"{share * 100:+.0f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def percent_text(share: float | None) -> str:
    """Return a change in percent: ``+5.0 %`` for 0.05, ``-`` for None.

    >>> percent_text(0.0512), percent_text(None)
    ('+5.1 %', '-')
    """
    return "-" if share is None else f"{share_text(share)} %"


def listed(words: Iterable[str]) -> str:
    """Return alternatives as a text.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b or c', 'a')
    """
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def nearest(word: str, names: Iterable[str], *, alike: float = _ALIKE) -> list[str]:
    """Return the names that a misspelt word may mean, the nearest first: at most three; `alike` is at most 1.

    >>> nearest("tmie", ["time", "wall_time", "energy"]), nearest("rss", ["peak_rss", "energy"])
    (['time'], ['peak_rss'])
    """
    from difflib import get_close_matches

    known, low = {name.lower(): name for name in names}, word.lower()
    similar = get_close_matches(low, known, _MOST_NAMES, alike)
    parts = [name for name in known if low in name.split("_")]
    return [known[name] for name in dict.fromkeys([*similar, *parts])][:_MOST_NAMES]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a question with the names that a misspelt word may mean, after a semicolon; empty if none is like it.

    >>> did_you_mean("energie", ["energy", "time"]), did_you_mean("x", ["time"])
    ('; did you mean energy?', '')
    """
    near = nearest(word, names)
    return f"; did you mean {listed(near)}?" if near else ""


def normalized_text(reference: str) -> str:
    """Return what was done to the times of results that are normalised by a reference workload."""
    return f"times are normalised: those of each session are divided by its {reference}"
