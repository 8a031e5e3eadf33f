"""How figures look: size, fonts, and marks that differ without colour."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.present.writing.text import sanitize, shorten

Scale = Literal["auto", "linear", "log"]
SCALES: tuple[Scale, ...] = ("auto", "linear", "log")

_CM = 1 / 2.54
_SIZE = re.compile(r"(?P<width>\d+(?:\.\d+)?)(?:x(?P<height>\d+(?:\.\d+)?))?(?P<unit>cm|in)")
_LEAST_IN, _MOST_IN = 0.8, 100.0
LEAST_DPI, MOST_DPI = 30, 2400
LEAST_FONT, MOST_FONT = 3.0, 72.0
_GENERIC = frozenset({"serif", "sans-serif", "monospace"})
_EM = 0.6
"""Width of a character of a name, as a share of the font's size: a little more than the average."""

# Okabe and Ito's colours, as ordered by how well they differ in lightness; yellow is too light for a line.
_COLORS = ("#000000", "#d55e00", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
_GREYS = ("#000000", "#6e6e6e", "#3c3c3c", "#969696")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_DASHES = ("-", "--", "-.", ":")
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++")
FILLS = ("#ffffff", "#d9d9d9", "#b0b0b0", "#eeeeee", "#c4c4c4", "#9a9a9a")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotStyle:
    """How a figure looks.

    Attributes:
        width_in: width in inches.
        height_in: height in inches; None for one that suits the content.
        dpi: dots per inch of PNG, and of the parts of other formats that are images.
        font_size: of the text, in points; smaller parts follow it.
        font: name of an installed font, or ``serif``, ``sans-serif`` or ``monospace``; None for matplotlib's own.
        grey: whether to use greys only.
        scale: of the axis of the figures; ``auto`` takes a logarithmic one if they span a wide range.
        title: text above the figure; None for the name of what is drawn if it is one thing; empty for none.
    """

    width_in: float = 16 * _CM
    height_in: float | None = None
    dpi: int = 300
    font_size: float = 9.0
    font: str | None = None
    grey: bool = False
    scale: Scale = "auto"
    title: str | None = None

    def characters(self, share: float = 1.0) -> int:
        """Return how many characters of a name fit a share of the width."""
        return max(8, int(self.width_in * share * 72 / (self.font_size * _EM)))

    def mark(self, number: int) -> dict[str, Any]:
        """Return colour, marker and dashes of the line with this number."""
        colors = _GREYS if self.grey else _COLORS
        return {
            "color": colors[number % len(colors)],
            "marker": _MARKERS[number % len(_MARKERS)],
            "linestyle": _DASHES[number % len(_DASHES)],
            "markersize": self.font_size * 0.45,
            "linewidth": self.font_size * 0.11,
        }


def parse_size(text: str) -> tuple[float, float | None]:
    """Parse ``16x9cm``, ``3.5x2.4in`` or a width alone, ``8.5cm``; return inches.

    Raises:
        ConfigError: it is not of this form, or out of range.

    >>> parse_size("3.5x2in"), parse_size("3.5in")
    ((3.5, 2.0), (3.5, None))
    """
    match = _SIZE.fullmatch(text.strip().lower().replace(" ", ""))
    if match is None:
        raise ConfigError(f"--size {text}: write width and height with their unit, as in 16x9cm, 3.5x2.4in or 8.5cm")
    factor = _CM if match["unit"] == "cm" else 1.0
    sides = [None if match[name] is None else float(match[name]) * factor for name in ("width", "height")]
    if any(side is not None and not _LEAST_IN <= side <= _MOST_IN for side in sides):
        raise ConfigError(f"--size {text}: each side has to be between 2 and 254 cm, or 0.8 and 100 in")
    width, height = sides
    return width or 0.0, height


def require_matplotlib() -> None:
    """Check that matplotlib is installed.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("plots need matplotlib; install it with: pip install 'pytest-benchdb[plot]'")


def check_font(name: str | None) -> None:
    """Check that a font is installed.

    Raises:
        ConfigError: it is not.
    """
    if name is None or name in _GENERIC:
        return
    from matplotlib import font_manager

    try:
        font_manager.findfont(name, fallback_to_default=False)
    except ValueError as error:
        raise ConfigError(
            f"--font {name}: no such font is installed; use serif, sans-serif, monospace or the name of one that is"
        ) from error


@contextlib.contextmanager
def looking_like(style: PlotStyle) -> Iterator[None]:
    """Draw and save figures in this style, whatever matplotlib is configured to elsewhere.

    Fonts are embedded: as TrueType in PDF, which journals require, and as outlines in SVG, which looks the same
    everywhere.
    """
    import matplotlib as mpl

    size = style.font_size
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                **{f"{name}.labelsize": size for name in ("axes", "xtick", "ytick")},
                "font.size": size,
                "axes.titlesize": size,
                "figure.titlesize": size,
                "legend.fontsize": size * 0.9,
                "axes.linewidth": size * 0.07,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "hatch.linewidth": size * 0.05,
                "pdf.fonttype": 42,
                "svg.fonttype": "path",
                "svg.hashsalt": "pytest-benchdb",
                "text.usetex": False,
            }
        )
        if style.font is not None:
            mpl.rcParams["font.family"] = [style.font]
        yield


def plain(text: str, limit: int | None = None) -> str:
    r"""Return a name from outside as matplotlib shows it literally, shortened in the middle.

    Dollars would begin a formula, and labels that begin with an underscore are left out of legends.

    >>> plain("_a$b$")
    ' _a\\$b\\$'
    """
    text = sanitize(text)
    if limit is not None:
        text = shorten(text, limit)
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")
