"""Writes a command line down without the secrets in it."""

import re
import shlex
from collections.abc import Sequence

_MASK = "***"
_SECRET = (
    r"(?:token|secret|passw(?:or)?d|passwd|passphrase|pwd|credentials?|auth|bearer|signature|apikey"
    r"|(?:^|[-_.\[])(?:key|pat|pw|sas|dsn)(?=$|[-_.\]=\s]))"
)
_NAME = re.compile(_SECRET, re.IGNORECASE)
_PAIR = re.compile(r"""(?P<name>[\w.-]+)=(?P<value>"[^"]*"|'[^']*'|[^\s&;,'"]+)""")
_USER = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@(?:[^\s/]*@)?|[^\s/:@]+:[^\s@]*@)", re.IGNORECASE)
_HEADER = re.compile(r"(?P<name>\b(?:authorization\s*:\s*)?(?:bearer|basic)\s+)\S+", re.IGNORECASE)
# Tokens that say what they are: GitHub, GitLab, Slack, AWS, OpenAI and its like, Hugging Face, PyPI, JWT.
_SHAPE = re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|sk-|hf_|pypi-|eyJ[\w-]{8,}\.)[\w.~+/=-]{8,}")


def sanitized_command(argv: Sequence[str]) -> str:
    """Return a command line as the shell reads it, secrets replaced by ``***``.

    Masked are the values of options and assignments whose name sounds secret (``--token X``,
    ``password=X``), the user part of URLs, and tokens of known shapes. Masking too much is the
    lesser evil: the text is for people and is never run.

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
        is_secret = argument.startswith("-") and _NAME.search(name.lstrip("-")) is not None
        words.append(f"{name}={_MASK}" if is_secret and separator else _masked(argument))
        secret_follows = is_secret and not separator
    return shlex.join(words)


def _masked(argument: str) -> str:
    text = _USER.sub(rf"\g<scheme>{_MASK}@", argument)
    text = _PAIR.sub(_masked_pair, text)
    text = _HEADER.sub(rf"\g<name>{_MASK}", text)
    return _SHAPE.sub(_MASK, text)


def _masked_pair(pair: re.Match[str]) -> str:
    return f"{pair['name']}={_MASK}" if _NAME.search(pair["name"]) else pair.group()
