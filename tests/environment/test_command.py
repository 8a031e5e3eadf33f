import shlex

import pytest

from pytest_benchdb.environment.command import sanitized_command


@pytest.mark.parametrize(
    "argument",
    [
        "--token=SECRET",
        "--db-password=SECRET",
        "--api-key=SECRET with words",
        "--apikey=SECRET",
        "--key=SECRET",
        "-oauth_token=SECRET",
        "API_KEY=SECRET",
        "password=SECRET",
        "password=a=SECRET==",
        "--api-tokens=SECRET",
        "ducklake:postgres:host=db user=me password=SECRET dbname=x",
        "ducklake:postgres:password='SECRET with words'",
        "postgresql://me:SECRET@db/x",
        "postgresql://me:SEC/SECRET@db/x",
        "postgresql://me:a@SECRET@db/x",
        "--url=https://SECRET@host/path",
        "https://host/x?a=1&access_token=SECRET&b=2",
        "https://host/x?sig=1&X-Amz-Signature=SECRET",
        "--header=Authorization: Bearer SECRET",
        "X: bearer SECRET0123456789",
        "Authorization: Basic SECRET",
        "--benchdb-tag=secret=SECRET",
        "ghp_SECRET0123456789",
        "--benchdb-note=see glpat-SECRET0123456789",
        "AKIASECRET0123456789",
        "sk-SECRET-0123456789-0123456789",
        "eyJhbGciOiJI.SECRET0.x",
    ],
)
def test_secret_is_masked(argument: str) -> None:
    command = sanitized_command(["pytest", argument, "tests"])

    assert "SECRET" not in command
    assert "***" in command
    assert shlex.split(command)[-1] == "tests"


@pytest.mark.parametrize("option", ["--token", "--db-password", "--api-key", "--private-key", "--auth"])
def test_value_that_follows_its_option_is_masked(option: str) -> None:
    assert sanitized_command(["pytest", option, "SECRET", "tests"]) == f"pytest {option} '***' tests"


@pytest.mark.parametrize(
    "argv",
    [
        ["pytest", "--benchdb=results/", "-k", "fast and not slow"],
        ["pytest", "tests/test_token.py::test_password[x=1-key]", "-x"],
        ["pytest", "tests/test_auth.py::TestSecret::test_key"],
        ["pytest", "--benchdb-tag", "runner=large", "--benchmark-sort=name"],
        ["pytest", "--rootdir=C:\\work", "-p", "no:cacheprovider"],
        ["pytest", "--url=http://localhost:8000/a/b"],
        ["pytest", "--keyword=fast", "--monkey=1"],
        ["pytest", "--tokenizer=bert", "--max-tokens=128", "--author=me"],
        ["pytest", "-k", "basic and bearer or tokens"],
        ["pytest", "-n", "2", "--dist=loadgroup"],
    ],
)
def test_command_without_secrets_stays_as_it_is(argv: list[str]) -> None:
    assert shlex.split(sanitized_command(argv)) == argv


def test_option_without_a_value_does_not_mask_the_next_option() -> None:
    assert sanitized_command(["pytest", "--no-auth", "--benchdb=x"]) == "pytest --no-auth --benchdb=x"


def test_line_breaks_are_quoted() -> None:
    assert shlex.split(sanitized_command(["pytest", "-k", "a\nb"])) == ["pytest", "-k", "a\nb"]


@pytest.mark.parametrize("piece", ["x", "a=", "a-", "x://", "token", "'", "Bearer "], ids=repr)
def test_very_long_argument_is_read_once(piece: str) -> None:
    # A test id may have 10,000 characters and more; anything quadratic takes minutes here.
    argument = piece * 20_000

    assert sanitized_command(["pytest", argument]).startswith("pytest ")
