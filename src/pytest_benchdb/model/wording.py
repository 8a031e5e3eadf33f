"""Words that messages of every layer share."""


def counted(number: int, noun: str) -> str:
    """Write a number with its noun.

    >>> counted(1, "session"), counted(2, "session")
    ('1 session', '2 sessions')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
