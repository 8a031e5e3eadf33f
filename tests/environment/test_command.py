import shlex

import pytest

from pytest_benchdb.environment.command import sanitized_command
from pytest_benchdb.environment.secret_forms import PREFIXES, SHAPES


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
        "--pass=SECRET",
        "--db-pass=SECRET",
        "--creds=SECRET",
        "--jwt=SECRET",
        "--login=SECRET",
        "--user=admin:SECRET",
        "X-Api-Key: SECRET",
        "--header=X-Api-Key: SECRET",
        "Cookie: a=SECRET; b=SECRET",
        "--header=Cookie: session=SECRET",
        '{"user": "me", "password": "SECRET"}',
        '{"api_key":"SECRET with words"}',
        "{'token': 'SECRET'}",
        "password: SECRET",
        "user: me, secret: SECRET",
        "sk_live_SECRET0123456789",
        "rk_test_SECRET0123456789",
        "npm_SECRET0123456789",
        "AIzaSECRET0123456789",
        "SG.SECRET0123456789.x",
        "ya29.SECRET0123456789",
        "ASIASECRET0123456789",
        "xapp-1-SECRET0123456789",
        "glrt-SECRET0123456789",
        "dapiSECRET0123456789",
        "dop_v1_SECRET0123456789",
        "GOCSPX-SECRET0123456789",
        "https://account.blob.core.windows.net/c?sv=1&sig=SECRET%3D&se=2",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=SECRET==;EndpointSuffix=x",
        "Authorization=Bearer SECRET",
        "--authorization=SECRET",
        "Proxy-Authorization: Basic SECRET",
        "redis://:SECRET@host:6379/0",
        "mongodb+srv://me:SECRET@cluster/x",
    ],
)
def test_secret_is_masked(argument: str) -> None:
    command = sanitized_command(["pytest", argument, "tests"])

    assert "SECRET" not in command
    assert "***" in command
    assert shlex.split(command)[-1] == "tests"


FILL = "0123456789abcdef" * 6
"""No example below is anybody's secret."""
EXAMPLES = {
    "1Password secret key": "A3-A0B1C2-D0E1F2-A0B1C-A0B1C-A0B1C",
    "Cloudflare": f"v1.0-{FILL[:24]}-{FILL[:64]}",
    "JSON Web Token in Base64": f"ZXlK{FILL[:40]}",
    "Octopus Deploy": f"API-{FILL[:26].upper()}",
    "Airtable": f"patAbCdEfGh012345.{FILL[:64]}",
    "Azure client secret": f"abc8Q~{FILL[:34]}",
    "Discord token": f"M{FILL[:24]}.{FILL[:6]}.{FILL[:38]}",
    "Discord webhook": f"https://discord.com/api/webhooks/123456789/{FILL[:68]}",
    "JSON Web Token": f"eyJhbGciOiJI.{FILL[:20]}.{FILL[:20]}",
    "Mailchimp": f"{FILL[:32]}-us12",
    "Mailgun": f"key-{FILL[:32]}",
    "Notion": f"secret_{FILL[:43]}",
    "OpenAI, Anthropic and others": f"sk-ant-api03-{FILL[:32]}",
    "private key": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{FILL}\n-----END OPENSSH PRIVATE KEY-----",
    "Slack webhook": f"https://hooks.slack.com/services/T0123/B0123/{FILL[:24]}",
    "Teams webhook": f"https://example.webhook.office.com/webhookb2/{FILL[:32]}@x/IncomingWebhook/{FILL[:32]}",
    "Telegram": f"123456789:AA{FILL[:33]}",
    "Terraform": f"{FILL[:14]}.atlasv1.{FILL[:64]}",
    "Twilio": f"SK{FILL[:32]}",
}


def test_every_shape_of_a_token_has_an_example() -> None:
    assert EXAMPLES.keys() == SHAPES.keys()


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("place", ["{}", "--option={}", "x {} y", '--json={{"a": "{}"}}'])
def test_token_of_a_known_shape_is_masked(example: str, place: str) -> None:
    command = sanitized_command(["pytest", place.format(example), "tests"])

    assert "***" in command
    assert FILL[:14].lower() not in command.lower()
    assert "A0B1C" not in command
    assert shlex.split(command)[-1] == "tests"


@pytest.mark.parametrize("prefix", [prefix for prefixes in PREFIXES.values() for prefix in prefixes])
def test_token_with_a_known_prefix_is_masked(prefix: str) -> None:
    for argument in (prefix + FILL[:24], f"--option={prefix}{FILL[:24]}", f"see {prefix}{FILL[:24]}, please"):
        command = sanitized_command(["pytest", argument, "tests"])

        assert "***" in command
        assert FILL[:12] not in command


OPTIONS = ["--token", "--db-password", "--api-key", "--private-key", "--auth", "--pass", "--creds", "--jwt", "--login"]


@pytest.mark.parametrize("option", OPTIONS)
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
        ["pytest", "-u", "me", "--passes=2", "--bypass=1", "--credit=3", "--authors=a", "--pattern=x"],
        ["pytest", "--benchdb-passes=memory,energy", "--signal=2", "--design=a", "--side=b"],
        ["pytest", "--benchdb-fail-on=time:5%", "tests/test_pass.py::test_login::x"],
        ["pytest", "--url=http://localhost:8000/keys:list?page=2"],
        [
            "pytest",
            "hf_models_of_vision/test_all.py",
            "npm_packages/tests",
            "pypi-statistics",
            "dapiler",
            "xai-methods",
        ],
        ["pytest", "secret_manager/tests/test_rotation.py", "sk-learn/tests", "key-value/test_store.py", "SG.py"],
        [
            "pytest",
            "--commit=0123456789abcdef0123456789abcdef01234567",
            "ico-n",
            "pat.py",
            "sat.d/a.py",
            "tk-us-test",
            "--pinned=1",
            "--spin=2",
            "--option=a.b.c",
        ],
    ],
)
def test_command_without_secrets_stays_as_it_is(argv: list[str]) -> None:
    assert shlex.split(sanitized_command(argv)) == argv


def test_option_without_a_value_does_not_mask_the_next_option() -> None:
    assert sanitized_command(["pytest", "--no-auth", "--benchdb=x"]) == "pytest --no-auth --benchdb=x"


@pytest.mark.parametrize("option", ["-u", "--user"])
def test_password_after_a_user_is_masked(option: str) -> None:
    assert sanitized_command(["pytest", option, "admin:SECRET", "tests"]) == f"pytest {option} 'admin:***' tests"


def test_line_breaks_are_quoted() -> None:
    assert shlex.split(sanitized_command(["pytest", "-k", "a\nb"])) == ["pytest", "-k", "a\nb"]


@pytest.mark.parametrize(
    "piece", ["x", "a=", "a-", "x://", "token", "'", "Bearer ", "a:", "key: ", '"key": "', "Cookie: "], ids=repr
)
def test_very_long_argument_is_read_once(piece: str) -> None:
    # A test id may have 10,000 characters and more; anything quadratic takes minutes here.
    argument = piece * 20_000

    assert sanitized_command(["pytest", argument]).startswith("pytest ")
