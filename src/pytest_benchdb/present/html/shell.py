"""Render a template of this package as one self-contained page that loads nothing and runs only its own script.

Texts come from outside: Jinja escapes them, and the page's Content-Security-Policy allows only the style sheet and the
script of this package, by hash. Templates have no logic: they get text that is already scaled and safe.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_benchdb import __version__
from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.present.html.svg import LINE_HEIGHT, LINE_WIDTH, STRIP_HEIGHT, STRIP_WIDTH
from pytest_benchdb.present.writing.values import plain_value

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

_JOINTS = re.compile(r"(?<=::)|(?<=/)|(?=\[)")
_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def require_jinja() -> None:
    """Check that Jinja is installed.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("jinja2") is None:
        raise MissingExtraError("HTML reports need Jinja2; install it with: pip install 'pytest-benchdb[html]'")


def render_page(
    template: str, *, scripts: Sequence[str], data: object, styles: Sequence[str] = (), **values: object
) -> str:
    """Return a page.

    Args:
        template: name of a template in `assets`.
        styles: names of style sheets that follow the one of every page.
        scripts: names of the scripts, in the order in which they run; all of them are one.
        data: what the script reads: plain values, as for JSON.
        values: what the template gets.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    require_jinja()
    from markupsafe import Markup

    style = "".join(map(asset, ("page.css", *styles)))
    script = '"use strict";\n' + "".join(map(asset, scripts))
    return (
        _environment()
        .get_template(template)
        .render(
            version=__version__,
            style=Markup(style),  # noqa: S704 - a file of this package; all else is escaped
            style_source=_source(style),
            script=Markup(script),  # noqa: S704 - as above
            script_source=_source(script),
            data=Markup(script_json(data)),  # noqa: S704 - has no character of markup
            **values,
        )
    )


def render_text(template: str, **values: object) -> str:
    """Return a template with everything escaped and nothing put in: a feed, a drawing, a page of a site.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    require_jinja()
    return _environment().get_template(template).render(version=__version__, **values)


def script_json(value: object) -> str:
    r"""Return a value as JSON that cannot end the script element that it is in, nor a line of it.

    >>> script_json({"name": "</script>\u2028", "median_s": float("nan")})
    '{"name":"\\u003c/script\\u003e\\u2028","median_s":null}'
    """
    # ASCII escapes U+2028 and lone surrogates; markup never occurs outside strings.
    return json.dumps(plain_value(value), separators=(",", ":"), allow_nan=False).translate(_MARKUP)


def pack(value: object) -> str:
    """Return a value as compressed JSON in Base64, which the function `unpack` of the scripts reads."""
    text = json.dumps(plain_value(value), separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode("ascii"))).decode("ascii")


def template_macro(template: str, macro: str) -> Callable[..., str]:
    """Return a macro of a template: a function that returns a part of a page as markup."""
    found: Callable[..., str] = getattr(_environment().get_template(template).module, macro)
    return found


@cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(asset),
    )
    environment.filters["breakable"] = _breakable
    environment.globals |= {"strip_size": (STRIP_WIDTH, STRIP_HEIGHT), "line_size": (LINE_WIDTH, LINE_HEIGHT)}
    return environment


@cache
def asset(name: str) -> str:
    """Return a file of `assets`."""
    return (resources.files("pytest_benchdb.present") / "assets" / name).read_text(encoding="utf-8")


def _breakable(name: str) -> "Markup":
    """Allow line breaks between the parts of a benchmark's name."""
    from markupsafe import Markup

    return Markup("<wbr>").join(_JOINTS.split(name))


def _source(text: str) -> str:
    """Return the source expression of a Content-Security-Policy (level 3, section 2.3.1) that allows a text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
