"""Links: only to sites whose addresses are known, and never to anything that could run code."""

import pytest

from pytest_benchdb.present.writing.links import commit_url, web_url

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:aio-libs/yarl.git", f"https://github.com/aio-libs/yarl/commit/{SHA}"),
        ("https://github.com/aio-libs/yarl", f"https://github.com/aio-libs/yarl/commit/{SHA}"),
        ("ssh://git@gitlab.example.org:2222/a/b/c.git", f"https://gitlab.example.org/a/b/c/-/commit/{SHA}"),
        ("https://bitbucket.org/a/b.git", f"https://bitbucket.org/a/b/commits/{SHA}"),
        ("https://git.example.org/a/b.git", None),
        ("/srv/repositories/github/a", None),
        ("javascript:alert(1)//github.com/a/b", None),
        ('https://github.com/a/b"onclick="x', None),
        (None, None),
    ],
)
def test_commit_url(remote: str | None, address: str | None) -> None:
    assert commit_url(remote, SHA) == address


@pytest.mark.parametrize("sha", [None, "", "x", "0123456/../../evil"])
def test_commit_url_of_what_is_not_a_commit_is_none(sha: str | None) -> None:
    assert commit_url("https://github.com/a/b", sha) is None


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "file:///etc/passwd", "https://a b", 'https://a"b', "//a", None]
)
def test_web_url_of_what_may_not_be_linked_is_none(text: str | None) -> None:
    assert web_url(text) is None


def test_web_url_of_a_job_is_itself() -> None:
    assert web_url("https://ci.example.org/job/1?x=2#y") == "https://ci.example.org/job/1?x=2#y"
