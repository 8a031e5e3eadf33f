from pathlib import Path

from tests.analysis.profiles.profiled import profile_of_source

from pytest_benchdb.analysis.profiles.flame import flame_boxes

BASE = "def a():\n    return [i for i in range(30)]\n\ndef b():\n    return 1\n\ndef work():\n    a()\n    b()\n"


def test_boxes_hold_what_they_call_and_fill_the_width(tmp_path: Path) -> None:
    base = profile_of_source(BASE, tmp_path / "base")
    head = profile_of_source(BASE.replace("    b()\n", "").replace("30", "60"), tmp_path / "head")

    boxes = {None if box.function is None else box.function.name: box for box in flame_boxes(base, head)}

    assert (boxes[None].base, boxes[None].head, boxes[None].width) == (base.total, head.total, 1.0)
    assert boxes["b"].head == 0 < boxes["b"].base  # what is gone keeps its place
    assert boxes["b"].width > 0
    assert boxes["a"].head > boxes["a"].base
    for name in ("a", "b"):
        assert boxes["work"].left <= boxes[name].left
        assert boxes[name].left + boxes[name].width <= boxes["work"].left + boxes["work"].width + 1e-9
        assert boxes[name].depth == boxes["work"].depth + 1
