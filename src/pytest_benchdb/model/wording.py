"""Wording shared by the messages of every layer."""


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
