"""Takes user names, passwords and tokens out of URLs."""

import re

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = re.compile(r"^[^:]*(?::\d*)?$")


def without_credentials(url: str) -> str | None:
    """Return a URL without user name, password, query and fragment; None where it cannot be told.

    >>> without_credentials("https://oauth2:glpat-x@gitlab.com/a/b.git?private_token=y")
    'https://gitlab.com/a/b.git'
    >>> without_credentials("git@github.com:a/b.git")
    'github.com:a/b.git'
    """
    url = url.strip()
    if match := _SCHEME.match(url):
        rest = re.split(r"[?#]", url[match.end() :], maxsplit=1)[0]
        return match.group() + _without_user(rest)
    if "::" in url:  # `ext::command`, `codecommit::region://profile@repository`: a program's own words
        return None
    host, separator, path = url.partition(":")
    if separator and "/" not in host and "\\" not in host:
        return f"{host.rpartition('@')[2]}:{path}"
    return url or None


def _without_user(rest: str) -> str:
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        return authority.rpartition("@")[2] + slash + path
    if "@" in path and not _PORT.match(authority):
        # `user:pass/word@host`: an unescaped slash within the password.
        return path.rpartition("@")[2]
    return rest
