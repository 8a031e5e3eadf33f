import json

from pytest_benchdb.model.allocations import Line
from pytest_benchdb.model.answer.explanation import AllocationChange, Explanation, Explanations, MemoryChange
from pytest_benchdb.present.explain.page import explanation_html, explanation_json, explanation_markdown
from pytest_benchdb.present.explain.text import explanation_lines, memory_sentences

KEEPS = Line("shop.py", 9, "total", "rows.append(<row>)")
INNER = Line("copy.py", 203, "_deepcopy_list", "y = []", is_own=False)
CALLER = Line("test_shop.py", 4, "test_total", "bench(total)")
CULPRIT = AllocationChange(
    line=KEEPS,
    base_bytes=1024,
    head_bytes=9216,
    base_blocks=1,
    head_blocks=9,
    callers=(CALLER,),
    keeper=CALLER,
    within=INNER,
)
ITSELF = AllocationChange(
    line=Line("", 0, "the benchmark itself"), base_bytes=0, head_bytes=2048, base_blocks=0, head_blocks=0
)
GREW = MemoryChange(
    metric="python_peak", base_peak=2048, head_peak=12288, lines=(CULPRIT, ITSELF), culprit=CULPRIT, variation=0
)
SAME = MemoryChange(metric="python_peak", base_peak=2048, head_peak=2048, lines=(), culprit=None)


def explanations(*changes: MemoryChange) -> Explanations:
    benchmarks = [
        Explanation(fullname=f"test_{number}", metric="python_peak", memory=change)
        for number, change in enumerate(changes)
    ]
    return Explanations(base="v1", head="v2", benchmarks=benchmarks)


def test_sentences_name_the_line_its_bytes_and_its_callers() -> None:
    assert memory_sentences(GREW) == [
        "python_peak: holds 12,288 B at its peak instead of 2,048 B (+500 %)",
        "because of total (shop.py:9), which has 80 % of the growth:",
        "  rows.append(<row>)",
        "  holds 9,216 B in 9 blocks instead of 1,024 B in 1 block",
        "  allocated for it by _deepcopy_list (copy.py:203)",
        "  called by test_total (test_shop.py:4), for which nothing was held before: bench(total)",
        "also the benchmark itself: 2,048 B instead of 0 B",
    ]
    assert memory_sentences(SAME)[1:] == ["no line is the cause"]


def test_terminal_shows_what_grew_and_counts_the_rest() -> None:
    lines = explanation_lines(explanations(GREW, SAME), 100)

    text = "\n".join("".join(span.text for span in line) for line in lines)
    assert "because of total (shop.py:9)" in text
    assert "test_1" not in text
    assert text.endswith("v2 against v1: 2 benchmarks, 1 without a line that holds more")


def test_pages_escape_the_source() -> None:
    html = explanation_html(explanations(GREW))
    assert "rows.append(&lt;row&gt;)" in html
    assert "Why v2 holds more" in html
    assert "<row>" not in explanation_markdown(explanations(GREW))


def test_json_has_every_line_with_its_share() -> None:
    [one] = json.loads(explanation_json(explanations(GREW)))["benchmarks"]

    assert one["metric"] == "python_peak"
    assert one["memory"]["culprit"]["text"] == KEEPS.text
    assert [line["share"] for line in one["memory"]["lines"]] == [0.8, 0.2]
