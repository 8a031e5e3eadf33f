"""Removes secrets from command lines before they are stored; `secret_forms` lists what secrets look like."""

import re
import shlex
from collections.abc import Sequence

from pytest_benchdb.environment.secret_forms import SECRET_NAME, TOKEN, USER_OPTIONS, WHOLE_HEADERS

_MASK = "***"
_NAME_CHARACTERS = 60
_LAST_WORD = re.compile(r"""(?P<name>[\w.-]*)["']?\Z""")
_VALUE = re.compile(r"""\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s&;,'"}\]]*)""")
_HEADER_VALUE = re.compile(r"""\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^'"\n]*)""")
_SEPARATOR = re.compile(r"=|(?<!:):(?![:/\\])")
_SCHEME_AND_USER = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.]{0,20}://)(?:[^\s/]{0,200}@|[^\s/:@]{1,60}:[^\s]{0,200}@)", re.IGNORECASE
)
_BEARER = re.compile(r"(?P<name>\bbearer\s{1,4}(?=\S{12}))\S+", re.IGNORECASE)


def sanitized_command(argv: Sequence[str]) -> str:
    """Return a command line in shell syntax, with secrets replaced by ``***``.

    The values of options and assignments with a secret-sounding name (``--token X``, ``password=X``), the user part of
    URLs, and tokens of known issuers are masked. Masking too much is the lesser evil: people read the text, nothing
    runs it.

    >>> sanitized_command(["pytest", "--token=abc", "--db-password", "x", "https://me:pw@host/a"])
    "pytest '--token=***' --db-password '***' 'https://***@host/a'"
    """
    words: list[str] = []
    previous = ""
    for argument in argv:
        name, separator, value = argument.partition("=")
        if previous and not argument.startswith("-"):
            words.append(_without_password(argument) if previous in USER_OPTIONS else _MASK)
            previous = ""
            continue
        previous = ""
        if name in USER_OPTIONS:
            words.append(f"{name}={_without_password(value)}" if separator else argument)
            previous = "" if separator else name
        elif name.startswith("-") and SECRET_NAME.search(name.lstrip("-")):
            words.append(f"{name}={_MASK}" if separator else argument)
            previous = "" if separator else name
        else:
            words.append(_masked(argument))
    return shlex.join(words)


def _without_password(user: str) -> str:
    """Mask what follows the colon of ``name:password``."""
    name, colon, _ = user.partition(":")
    return f"{name}:{_MASK}" if colon else _masked(user)


def _masked(argument: str) -> str:
    text = argument
    if "://" in text:
        text = _SCHEME_AND_USER.sub(rf"\g<scheme>{_MASK}@", text)
    text = _BEARER.sub(rf"\g<name>{_MASK}", _masked_pairs(text))
    return TOKEN.sub(_MASK, text)


def _masked_pairs(text: str) -> str:
    """Mask the values of ``name=value`` and ``name: value`` in a text; one expression for all would be quadratic."""
    parts: list[str] = []
    position = 0
    while separator := _SEPARATOR.search(text, position):
        parts.append(text[position : separator.end()])
        position = separator.end()
        word = _LAST_WORD.search(text[max(0, separator.start() - _NAME_CHARACTERS) : separator.start()].rstrip())
        if word is not None and SECRET_NAME.search(word["name"]):
            pattern = _HEADER_VALUE if word["name"].lower() in WHOLE_HEADERS else _VALUE
            value = pattern.match(text, position)
            end = value.end() if value is not None else len(text)
            parts.append((" " if text[position : position + 1] == " " else "") + _MASK)
            position = end
    return "".join([*parts, text[position:]])
