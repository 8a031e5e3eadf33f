import pytest

from pytest_benchdb.analysis.profiles.allocations import LEAST_BYTES, THE_BENCHMARK, compare_allocations
from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.model.allocations import Allocations, Held, Line, allocations_json, read_allocations

KIB = 1024
ROW = Line("shop.py", 2, "row", "return [i] * 100")
DROPS = Line("shop.py", 8, "total", "count += len(row(i))")
KEEPS = Line("shop.py", 9, "total", "rows.append(row(i))")
TEST = Line("test_shop.py", 4, "test_total", "bench(total)")


def allocations(*held: tuple[tuple[Line, ...], int], again: int = 0) -> Allocations:
    """Return the allocations of paths with their bytes; a second call has a peak that differs by `again`."""
    lines = list(dict.fromkeys(line for path, _ in held for line in path))
    peak = sum(size for _, size in held)
    return Allocations(
        metric="python_peak",
        method="tracemalloc",
        peak_bytes=peak,
        again_bytes=peak + again,
        lines=lines,
        held=[Held(path=tuple(map(lines.index, path)), size_bytes=size, blocks=1) for path, size in held],
    )


def test_list_that_is_kept_names_the_line_that_allocates_and_the_one_that_keeps() -> None:
    base = allocations(((ROW, DROPS, TEST), KIB))
    head = allocations(((ROW, KEEPS, TEST), 100 * KIB), ((KEEPS, TEST), 8 * KIB))

    found = compare_allocations(base, head)

    assert found.culprit is not None
    assert found.culprit.line == ROW
    assert (found.culprit.base_bytes, found.culprit.head_bytes) == (KIB, 100 * KIB)
    assert found.culprit.callers == (KEEPS, TEST)
    assert found.culprit.keeper == KEEPS
    assert sum(one.growth for one in found.lines) == found.growth == 107 * KIB


def test_lines_that_moved_are_the_same_lines() -> None:
    base = allocations(((ROW, TEST), 50 * KIB), ((DROPS,), KIB))
    head = allocations(
        ((ROW._replace(line=70, file="moved.py"), TEST), 50 * KIB), ((DROPS._replace(line=90),), 9 * KIB)
    )

    found = compare_allocations(base, head)

    assert [one.growth for one in found.lines] == [8 * KIB]
    assert found.culprit is not None
    assert found.culprit.line == DROPS._replace(line=90)


def test_line_whose_text_changed_is_compared_with_what_it_was() -> None:
    small, large = (ROW._replace(text=f"return bytes({size})") for size in (KIB, 9 * KIB))

    found = compare_allocations(allocations(((small,), KIB)), allocations(((large,), 9 * KIB)))

    assert found.culprit is not None
    assert (found.culprit.base_bytes, found.culprit.head_bytes) == (KIB, 9 * KIB)


def test_memory_of_a_library_belongs_to_the_line_that_called_it() -> None:
    inner = Line("copy.py", 203, "_deepcopy_list", "y = []", is_own=False)

    found = compare_allocations(allocations(), allocations(((inner, KEEPS, TEST), 9 * KIB)))

    assert found.culprit is not None
    assert (found.culprit.line, found.culprit.within, found.culprit.callers) == (KEEPS, inner, (TEST,))


@pytest.mark.parametrize(
    ("head_bytes", "again"), [(9 * KIB, 0), (8 * KIB, 0), (9 * KIB + LEAST_BYTES - 1, 0), (20 * KIB, 11 * KIB)]
)
def test_peak_that_did_not_grow_by_more_than_it_varies_has_no_culprit(head_bytes: int, again: int) -> None:
    found = compare_allocations(allocations(((ROW,), 9 * KIB)), allocations(((ROW,), head_bytes), again=again))

    assert found.culprit is None


def test_what_the_benchmark_itself_holds_has_no_line() -> None:
    found = compare_allocations(allocations(), allocations(((), 9 * KIB)))

    assert found.culprit is not None
    assert found.culprit.line == THE_BENCHMARK


def test_allocations_are_read_as_they_were_written() -> None:
    written = allocations(((ROW, KEEPS, TEST), KIB), ((), 7))

    assert read_allocations(allocations_json(written), "it") == written


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema": "benchdb.allocations/2"}', allocations_json(allocations(((ROW,), -1)))],
)
def test_file_that_holds_no_allocations_is_refused(text: str) -> None:
    with pytest.raises(ImportFormatError, match="it are not of the schema"):
        read_allocations(text, "it")
