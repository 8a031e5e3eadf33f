"""Removes secrets from command lines before they are stored."""

import re
import shlex
from collections.abc import Sequence

_MASK = "***"
_NAME_CHARACTERS = 60
# `--tokenizer`, `--max-tokens` and `--author` are not secrets.
_SECRET_NAME = re.compile(
    r"token(?!iz|s)|(?:api|access)[-_]?tokens|secret|passw(?:or)?d|passphrase|pwd|credential|auth(?!or)|bearer"
    r"|signature|apikey|(?:^|[-_.])(?:key|pat|pw|sas|dsn)(?=$|[-_.])",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"[\w.-]*\Z")
_VALUE = re.compile(r"""\s*(?:"[^"]*"|'[^']*'|[^\s&;,'"]*)""")
_SCHEME_AND_USER = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.]{0,20}://)(?:[^\s/]{0,200}@|[^\s/:@]{1,60}:[^\s]{0,200}@)", re.IGNORECASE
)
_HEADER = re.compile(
    r"(?P<name>\bauthorization\s{0,4}:\s{0,4}(?:\w+\s{1,4})?|\bbearer\s{1,4}(?=\S{12}))\S+", re.IGNORECASE
)
# Tokens with a known prefix: GitHub, GitLab, Slack, AWS, Hugging Face, PyPI, OpenAI and its like, JWT.
_TOKEN = re.compile(
    r"\b(?:(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|hf_|pypi-)[\w-]{8,}|sk-[\w-]{20,}|eyJ[\w-]{8,}\.[\w.-]+)"
)


def sanitized_command(argv: Sequence[str]) -> str:
    """Return a command line in shell syntax, with secrets replaced by ``***``.

    The values of options and assignments with a secret-sounding name (``--token X``, ``password=X``), the user part of
    URLs, and tokens with a known prefix are masked. Masking too much is the lesser evil: people read the text, nothing
    runs it.

    >>> sanitized_command(["pytest", "--token=abc", "--db-password", "x", "https://me:pw@host/a"])
    "pytest '--token=***' --db-password '***' 'https://***@host/a'"
    """
    words: list[str] = []
    secret_follows = False
    for argument in argv:
        if secret_follows and not argument.startswith("-"):
            words.append(_MASK)
            secret_follows = False
            continue
        name, separator, _ = argument.partition("=")
        is_secret = name.startswith("-") and _SECRET_NAME.search(name.lstrip("-")) is not None
        words.append(f"{name}={_MASK}" if is_secret and separator else _masked(argument))
        secret_follows = is_secret and not separator
    return shlex.join(words)


def _masked(argument: str) -> str:
    text = argument
    if "://" in text:
        text = _SCHEME_AND_USER.sub(rf"\g<scheme>{_MASK}@", text)
    text = _HEADER.sub(rf"\g<name>{_MASK}", _masked_pairs(text))
    return _TOKEN.sub(_MASK, text)


def _masked_pairs(text: str) -> str:
    """Mask the values of ``name=value`` within a text; one regular expression for both would be quadratic."""
    parts: list[str] = []
    position = 0
    while (equals := text.find("=", position)) >= 0:
        parts.append(text[position : equals + 1])
        position = equals + 1
        name = _LAST_WORD.search(text[max(0, equals - _NAME_CHARACTERS) : equals].rstrip())
        if name is not None and _SECRET_NAME.search(name.group()):
            value = _VALUE.match(text, position)
            parts.append(_MASK)
            position = value.end() if value is not None else len(text)
    return "".join([*parts, text[position:]])
