"""Find benchmarks by the part of their name that a user types."""

from collections.abc import Iterable


def short_name(fullname: str) -> str:
    """Return the function of a benchmark with its parameters.

    >>> short_name("tests/test_a.py::TestB::test_c[x::y]")
    'test_c[x::y]'
    """
    head, bracket, params = fullname.partition("[")
    return head.rpartition("::")[2] + bracket + params


def find_benchmarks(name: str, fullnames: Iterable[str]) -> list[str]:
    """Return the benchmarks that a name means, the first of these that fits any.

    The full name; the end of it, from a file, a class or a function on; the same without parameters.

    >>> find_benchmarks("test_c", ["a.py::test_c[1]", "a.py::test_c[2]", "b.py::TestX::test_c"])
    ['b.py::TestX::test_c']
    >>> find_benchmarks("a.py::test_c", ["a.py::test_c[1]", "a.py::test_c[2]", "aa.py::test_c"])
    ['a.py::test_c[1]', 'a.py::test_c[2]']
    """
    names = list(fullnames)
    if name in names:
        return [name]
    ends = tuple(f"{separator}{name}" for separator in ("::", "/"))
    whole = [other for other in names if other.endswith(ends)]
    if whole:
        return whole
    functions = {other: other.partition("[")[0] for other in names}
    return [other for other, function in functions.items() if function == name or function.endswith(ends)]
