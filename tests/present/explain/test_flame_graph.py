import re
from xml.sax import handler, parseString

from pytest_benchdb.model.profile import Call, Frame, Function, Profile
from pytest_benchdb.present.explain.flame_graph import flame_svg


def profile(cost: int, name: str = "total") -> Profile:
    return Profile(
        unit="instructions",
        method="",
        python="",
        functions=[Function(file="shop.py", name=name, line=3)],
        frames=[Frame(parent=None, function=0, calls=1, cost=cost)],
        calls=[Call(caller=None, callee=0, calls=1)],
    )


def is_xml(text: str) -> bool:
    parseString(text.encode("utf-8"), handler.ContentHandler())  # noqa: S317 - our own text; it raises
    return True


def test_graph_says_in_words_and_colour_what_grew() -> None:
    svg = flame_svg("test_total", profile(100), profile(300))

    titles = re.findall("<title>(.*?)</title>", svg)
    assert (
        "total (shop.py:3): 100 instructions before, 300 now, with all that it calls; itself 100 before and 300 now"
        in (titles)
    )
    assert "+ total" in svg
    assert 'fill="#ff5050"' in svg


def test_graph_of_what_shrank_is_blue_and_has_a_minus() -> None:
    svg = flame_svg("test_total", profile(300), profile(100))

    assert "- total" in svg
    assert 'fill="#5064ff"' in svg


def test_names_from_outside_are_escaped() -> None:
    svg = flame_svg('"><script>alert(1)</script>', profile(1), profile(2, "<lambda>&\x00"))

    assert is_xml(svg)
    assert "<script" not in svg


def test_empty_profile_has_a_graph() -> None:
    empty = Profile(unit="instructions", method="", python="", functions=[], frames=[], calls=[])

    assert is_xml(flame_svg("test_total", empty, empty))
