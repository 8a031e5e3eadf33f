"""The differential flame graph: one SVG file that loads nothing and needs no script.

Each box is a function, as wide as the larger of its costs at both sides. What grew is red and has a plus, what shrank
is blue and has a minus, so that it can be read in grey too. A title, which browsers show under the pointer, has the
figures. Names come from outside: every text is escaped.
"""

from xml.sax.saxutils import escape

from pytest_benchdb.analysis.profiles.flame import Box, flame_boxes
from pytest_benchdb.model.profile import Profile
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.present.writing.text import sanitize

WIDTH = 1200
_ROW = 18
_MARGIN = 10
_ROOM = WIDTH - 2 * _MARGIN
_HEAD = 64
_CHARACTER = 6.6
_LEAST_WIDTH = 0.4
"""Narrower boxes, in pixels, cannot be seen; they are left out."""
_LEAST_TEXT = 3
_MOST_TEXT = 120
_GREY = "#dcdcdc"
_STYLE = (
    "text{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:11px;fill:#111}"
    ".title{font-size:14px;font-weight:bold}rect{stroke:#fff;stroke-width:.5}"
)


def flame_svg(fullname: str, base: Profile, head: Profile, *, styled: bool = True) -> str:
    """Return the flame graph of a benchmark's two profiles as an SVG document; pages that style it do so themselves."""
    boxes = [box for box in flame_boxes(base, head) if not box.depth or box.width * _ROOM >= _LEAST_WIDTH]
    height = _HEAD + _ROW * (max(box.depth for box in boxes) + 1) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        f'role="img" aria-label="{_attribute(f"differential flame graph of {fullname}")}">',
        *([f"<style>{_STYLE}</style>"] if styled else []),
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="{_MARGIN}" y="22">{_text(fullname)}</text>',
        f'<text x="{_MARGIN}" y="40">{_text(_summary(base, head))}</text>',
        f'<text x="{_MARGIN}" y="56">{_text(_LEGEND)}</text>',
        *(_box(box, boxes[0], head.unit) for box in boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


_LEGEND = (
    "red, + : itself grew · blue, - : itself shrank · grey: the same · width: the larger of both sides · callers above"
)


def _summary(base: Profile, head: Profile) -> str:
    share = head.total / base.total - 1 if base.total else None
    return f"{base.total:,} {head.unit} at the base, {head.total:,} at the head ({percent_text(share)})"


def _box(box: Box, whole: Box, unit: str) -> str:
    left, width = _MARGIN + box.left * _ROOM, box.width * _ROOM
    top = _HEAD + box.depth * _ROW
    sign = "+" if box.head_own > box.base_own else "-" if box.head_own < box.base_own else ""
    name = "the benchmark" if box.function is None else box.function.name
    label = _fitted(f"{sign} {name}" if sign else name, width)
    text = f'<text x="{left + 3:.1f}" y="{top + 13}">{_text(label)}</text>' if label else ""
    place = f'x="{left:.2f}" y="{top}" width="{width:.2f}" height="{_ROW - 1}"'
    rectangle = f'<rect {place} fill="{_colour(box, whole)}"/>'
    return f"<g><title>{_text(_title(box, unit))}</title>{rectangle}{text}</g>"


def _title(box: Box, unit: str) -> str:
    name = "the benchmark" if box.function is None else str(box.function)
    own = f"itself {box.base_own:,} before and {box.head_own:,} now"
    return f"{name}: {box.base:,} {unit} before, {box.head:,} now, with all that it calls; {own}"


def _colour(box: Box, whole: Box) -> str:
    """Return a colour by what a box itself did to the whole: half of the growth is the full colour."""
    difference = box.head_own - box.base_own
    if not difference:
        return _GREY
    most = max(abs(whole.head - whole.base), 1) / 2
    light = round(205 - 125 * min(abs(difference) / most, 1.0))
    return f"#ff{light:02x}{light:02x}" if difference > 0 else f"#{light:02x}{light + 20:02x}ff"


def _fitted(text: str, width: float) -> str:
    """Return as much of a text as a box has room for."""
    room = min(int((width - 6) / _CHARACTER), _MOST_TEXT)
    if room < _LEAST_TEXT:
        return ""
    return text if len(text) <= room else text[: room - 1] + "…"


def _text(text: str) -> str:
    return escape(sanitize(text))


def _attribute(text: str) -> str:
    return escape(sanitize(text), {'"': "&quot;"})
