"""Removes secrets from command lines before they are stored."""

import re
import shlex
from collections.abc import Sequence

_MASK = "***"
_NAME_CHARACTERS = 60
# `--tokenizer`, `--max-tokens` and `--author` are not secrets; `AccountKey` and `authorization` are.
_SECRET_NAME = re.compile(
    r"token(?!iz|s)|(?:api|access)[-_]?tokens|secret|passw(?:or)?d|passphrase|pwd|cred(?:ential)?s?(?![a-z])|credential"
    r"|auth(?!ors?(?![a-z]))|bearer|signature|apikey|cookie|jwt|login|(?-i:(?<=[a-z])(?:Key|Pass|Pat|Pw|Sas))(?=$|[-_.])"
    r"|(?:^|[-_.])(?:key|pass|pat|pw|sas|sig|dsn|sid)(?=$|[-_.])",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"""(?P<name>[\w.-]*)["']?\Z""")
_VALUE = re.compile(r"""\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s&;,'"}\]]*)""")
_HEADER_VALUE = re.compile(r"""\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^'"\n]*)""")
_WHOLE_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
"""Headers whose whole value is secret: it has spaces, equals signs and semicolons."""
_SEPARATOR = re.compile(r"=|(?<!:):(?![:/\\])")
_USER_OPTIONS = frozenset({"-u", "--user", "--username", "--proxy-user", "-U"})
"""Options whose value may be ``name:password``."""
_SCHEME_AND_USER = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.]{0,20}://)(?:[^\s/]{0,200}@|[^\s/:@]{1,60}:[^\s]{0,200}@)", re.IGNORECASE
)
_BEARER = re.compile(r"(?P<name>\bbearer\s{1,4}(?=\S{12}))\S+", re.IGNORECASE)
# Tokens with a known prefix, after the public rules of secret scanners: GitHub, GitLab, Slack, AWS, Hugging Face, PyPI,
# npm, OpenAI and its like, Stripe, Google, SendGrid, DigitalOcean, Databricks, Atlassian, Docker, Azure, JWT.
_TOKEN = re.compile(
    r"\b(?:(?:gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|soat|cbt)-|xox[abeprs]-|xapp-|A(?:KIA|SIA)|hf_|pypi-|npm_"
    r"|[sr]k_(?:live|test)_|whsec_|AIza|ya29\.|GOCSPX-|SG\.|do[opr]_v1_|dapi|ATATT|dckr_pat_|rubygems_|shpat_|lin_api_"
    r"|sq0(?:atp|csp)-|EAAA|sntry[su]_|nvapi-|r8_|wandb_v1_)[\w.-]{8,}|sk-[\w-]{20,}|eyJ[\w-]{8,}\.[\w.-]+)"
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
    previous = ""
    for argument in argv:
        name, separator, value = argument.partition("=")
        if previous and not argument.startswith("-"):
            words.append(_without_password(argument) if previous in _USER_OPTIONS else _MASK)
            previous = ""
            continue
        previous = ""
        if name in _USER_OPTIONS:
            words.append(f"{name}={_without_password(value)}" if separator else argument)
            previous = "" if separator else name
        elif name.startswith("-") and _SECRET_NAME.search(name.lstrip("-")):
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
    return _TOKEN.sub(_MASK, text)


def _masked_pairs(text: str) -> str:
    """Mask the values of ``name=value`` and ``name: value`` in a text; one expression for all would be quadratic."""
    parts: list[str] = []
    position = 0
    while separator := _SEPARATOR.search(text, position):
        parts.append(text[position : separator.end()])
        position = separator.end()
        word = _LAST_WORD.search(text[max(0, separator.start() - _NAME_CHARACTERS) : separator.start()].rstrip())
        if word is not None and _SECRET_NAME.search(word["name"]):
            pattern = _HEADER_VALUE if word["name"].lower() in _WHOLE_HEADERS else _VALUE
            value = pattern.match(text, position)
            end = value.end() if value is not None else len(text)
            parts.append((" " if text[position : position + 1] == " " else "") + _MASK)
            position = end
    return "".join([*parts, text[position:]])
