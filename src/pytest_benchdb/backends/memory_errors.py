"""Tells from an exception whether memory ran out; libraries say so by class, or only in their text."""

from collections.abc import Iterator, Sequence


def says_out_of_memory(
    error: BaseException, phrases: Sequence[str], *, classes: tuple[type[BaseException], ...] = (), vendor: str = ""
) -> bool:
    """Tell whether an exception, or one that it was raised from, says that memory ran out.

    Args:
        error: what was raised.
        phrases: lower-case texts that say so in a `RuntimeError` or in an exception of the vendor's own; a failed
            `assert "out of memory" not in log` says nothing about memory.
        classes: exceptions that say so by themselves.
        vendor: top-level package of exceptions whose text counts too.
    """
    return any(
        isinstance(one, classes)
        or (
            (isinstance(one, RuntimeError) or type(one).__module__.partition(".")[0] == vendor)
            and any(phrase in str(one).lower() for phrase in phrases)
        )
        for one in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes; a library may raise its own error from that of another."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__
