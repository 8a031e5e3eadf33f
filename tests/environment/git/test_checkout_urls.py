import pytest

from pytest_benchdb.environment.git.checkout import without_credentials


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://ghp_SECRET@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://me:SECRET@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://me:SEC@RET@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://me:SEC/RET@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://gitlab-ci-token:SECRET@gitlab.com:8443/a/b.git", "https://gitlab.com:8443/a/b.git"),
        ("https://dev.azure.com/a/_git/b?token=SECRET", "https://dev.azure.com/a/_git/b"),
        ("https://host/a/b.git#SECRET", "https://host/a/b.git"),
        ("https://host:8443/@scope/b", "https://host:8443/@scope/b"),
        ("https://[::1]:8443/b", "https://[::1]:8443/b"),
        ("https://x:SECRET@[::1]/b", "https://[::1]/b"),
        ("HTTPS://x:SECRET@Host/b", "HTTPS://Host/b"),
        ("ssh://git:SECRET@host:2222/a/b.git", "ssh://host:2222/a/b.git"),
        ("git@github.com:a/b.git", "github.com:a/b.git"),
        ("SECRET@host:a@b", "host:a@b"),
        ("/srv/git/me@home:1/b.git", "/srv/git/me@home:1/b.git"),
        ("../b.git", "../b.git"),
        ("file:///srv/git/b.git", "file:///srv/git/b.git"),
        ("ext::sh -c SECRET", None),
        ("codecommit::eu-west-1://SECRET@b", None),
        ("", None),
        ("  ", None),
    ],
)
def test_remote_url_holds_no_credentials(url: str, expected: str | None) -> None:
    cleaned = without_credentials(url)

    assert "SECRET" not in (cleaned or "")
    assert "RET@" not in (cleaned or "")
    assert cleaned == expected
