"""Links to commits on the web, from the URL of a git remote."""

import re

_REMOTE = re.compile(
    r"(?:https?://|ssh://)?(?:[\w.-]+@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+(?=/))?[:/](?P<path>[\w.~-]+(?:/[\w.~-]+)+?)"
    r"/?"
)
_SHA = re.compile(r"[0-9a-f]{7,64}")
# How sites spell the page of a commit; where we do not know, there is no link rather than a broken one.
_COMMITS = {"github": "commit", "gitlab": "-/commit", "bitbucket": "commits", "codeberg": "commit", "gitea": "commit"}


def commit_prefix(remote_url: str | None) -> str | None:
    """Return the beginning of the address of each commit's page; None if the site is not known.

    >>> commit_prefix("git@github.com:aio-libs/yarl.git")
    'https://github.com/aio-libs/yarl/commit/'
    """
    found = _REMOTE.fullmatch(remote_url or "")
    if found is None:
        return None
    host = found["host"].lower()
    words = next((words for name, words in _COMMITS.items() if name in host.split(".")), None)
    return None if words is None else f"https://{host}/{found['path'].removesuffix('.git')}/{words}/"


def commit_url(remote_url: str | None, sha: str | None) -> str | None:
    """Return the address of a commit's page; None if it is not known."""
    prefix = commit_prefix(remote_url)
    return f"{prefix}{sha}" if prefix is not None and _SHA.fullmatch(sha or "") else None


def web_url(text: str | None) -> str | None:
    """Return a text if it is an address that a page may link to; anything but http and https could run code."""
    return text if text is not None and re.fullmatch(r"https?://[^\s\"'<>]+", text, re.ASCII) else None
