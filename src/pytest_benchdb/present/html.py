"""A report as one HTML file: it loads nothing, runs only its own script, and says in words what it colours.

Names and reasons come from outside: Jinja escapes them, and the page's Content-Security-Policy lets nothing but
the style sheet and the script of this package in, by their hashes.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_benchdb import __version__
from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.present.columns import Column
from pytest_benchdb.present.document import Report
from pytest_benchdb.present.page import page_part
from pytest_benchdb.present.units import FigureKind, Unit

if TYPE_CHECKING:
    from markupsafe import Markup

_JOINTS = re.compile(r"(?<=::)|(?<=/)|(?=\[)")


def require_jinja() -> None:
    """Refuse to go on without Jinja.

    Raises:
        MissingExtraError: it is not installed.
    """
    if find_spec("jinja2") is None:
        raise MissingExtraError("HTML reports need Jinja2; install it with: pip install 'pytest-benchdb[html]'")


def report_html(
    report: Report, columns: Sequence[Column] | None, group_by: str | None, units: Mapping[FigureKind, Unit]
) -> str:
    """Write a report as one self-contained page.

    Args:
        report: the sessions.
        columns: columns to show; None chooses them for each session.
        group_by: what to group by, ``none`` for nothing; None chooses for each session.
        units: units that the user asked for.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    require_jinja()
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = _breakable
    parts = [page_part(shown, report, columns, group_by, units) for shown in report.sessions]
    style, script = _asset("report.css"), _asset("report.js")
    return environment.from_string(_asset("report.html.jinja")).render(
        title=", ".join(dict.fromkeys(part.title for part in parts)) or "Benchmarks",
        parts=parts,
        version=__version__,
        style=Markup(style),  # noqa: S704 - a file of this package; all else is escaped
        style_source=_source(style),
        script=Markup(script),  # noqa: S704 - as above
        script_source=_source(script),
    )


def _asset(name: str) -> str:
    return (resources.files("pytest_benchdb.present") / "assets" / name).read_text(encoding="utf-8")


def _breakable(name: str) -> "Markup":
    """Let the name of a benchmark break into lines at its joints."""
    from markupsafe import Markup

    return Markup("<wbr>").join(_JOINTS.split(name))


def _source(text: str) -> str:
    """Return the expression by which a Content-Security-Policy (level 3, section 2.3.1) lets a text in."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
