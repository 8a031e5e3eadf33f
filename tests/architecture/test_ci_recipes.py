"""Workflows, `action.yml` and the recipes under ``examples/ci``: their shape, what they may do, and their scripts run.

GitHub's own part, the expressions and the actions that others wrote, cannot be run here.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.present.verdicts import results

from pytest_benchdb.present.verdicts.page import pull_request_comment

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
RECIPES = ROOT / "examples" / "ci"
FILES = [ACTION, *sorted(RECIPES.glob("*.yml"))]
PAGE = ROOT / "docs" / "how-to" / "ci-recipes.md"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SNIPPETS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
USES = re.compile(r"uses: *([\w./-]+)@(\S+)(?: +#(.*))?")
OURS = "OWNER/pytest-benchdb"
# What a workflow may write that follows another and runs no code of the project: comments, or pages.
ALONE_AFTERWARDS = (["pull-requests"], ["id-token", "pages"])

needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for a POSIX shell")


def load(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    # YAML 1.1 reads the key `on` as a boolean.
    return {("on" if key is True else str(key)): value for key, value in document.items()}


def steps(path: Path) -> list[dict[str, Any]]:
    document = load(path)
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document.get("jobs", {}).values() for step in job["steps"]]


def scripts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each shell script."""
    if path.name == "gitlab-ci.yml":
        yield "script", "\n".join(load(path)["benchmarks"]["script"])
    else:
        shells = (step for step in steps(path) if "run" in step and step.get("shell") != "python")
        yield from ((step.get("name", step["run"]), step["run"]) for step in shells)


def script(path: Path, name: str) -> str:
    return dict(scripts(path))[name]


def bash(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub does with ``shell: bash``."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    python = str(Path(sys.executable).parent)
    path = os.pathsep.join([str(folder / "bin"), python, os.environ.get("PATH", "")])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=folder,
        env={**kept, "PATH": path, "GIT_CEILING_DIRECTORIES": str(folder.parent), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@needs_bash
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_are_valid_bash(path: Path, tmp_path: Path) -> None:
    found = dict(scripts(path))

    assert found != {}
    for name, text in found.items():
        result = bash(f"set -n\n{text}", tmp_path)
        assert (result.returncode, result.stderr) == (0, ""), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_hold_no_expressions(path: Path) -> None:
    # GitHub pastes the value of an expression into the script: a branch may be called $(curl ...).
    assert [name for name, text in scripts(path) if "${{" in text] == []


def test_action_declares_the_inputs_that_it_uses() -> None:
    action = load(ACTION)
    text = ACTION.read_text(encoding="utf-8")

    assert action["runs"]["using"] == "composite"
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"])
    assert all(given["description"] and isinstance(given["default"], str) for given in action["inputs"].values())
    assert set(re.findall(r"steps\.([\w-]+)\.", text)) == {step["id"] for step in steps(ACTION) if "id" in step}


def test_action_scripts_use_the_variables_that_they_are_given() -> None:
    for step in steps(ACTION):
        if "run" in step:
            used = set(re.findall(r"\$\{?((?:INPUT|PYTEST|GATE)_[A-Z]+)", step["run"]))
            assert used == set(step.get("env", {})) - {"PYTEST_ADDOPTS"}, step["name"]
            assert step["shell"] == "bash"


def test_action_inputs_are_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name in load(ACTION)["inputs"] if f"`{name}`" not in page] == []


def test_recipe_for_pull_requests_has_no_token_that_writes() -> None:
    recipe = load(RECIPES / "github-actions.yml")

    assert recipe["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in recipe["on"]
    assert all("permissions" not in job for job in recipe["jobs"].values())
    assert "secrets." not in (RECIPES / "github-actions.yml").read_text(encoding="utf-8")
    (checkout,) = (step for step in steps(RECIPES / "github-actions.yml") if "checkout" in step.get("uses", ""))
    assert checkout["with"]["persist-credentials"] is False


def yaml_of_pages() -> Iterator[tuple[str, Any]]:
    """Yield the name of each page and what its YAML snippets hold."""
    for page in SNIPPETS:
        for snippet in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            yield page.name, yaml.safe_load(snippet)


def test_actions_of_others_are_pinned_to_one_commit_of_a_named_version() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in [*FILES, *WORKFLOWS, *SNIPPETS]:
        for name, reference, version in USES.findall(path.read_text(encoding="utf-8")):
            if name != OURS:
                assert re.fullmatch(r"[0-9a-f]{40}", reference), f"{path.name}: {name}@{reference} can be moved"
                assert re.fullmatch(r" v\d+\.\d+\.\d+", version), (
                    f"{path.name}: {name} has no version beside its commit"
                )
                pins.setdefault("/".join(name.split("/")[:2]), set()).add((reference, version))

    assert "actions/checkout" in pins
    assert {name: pinned for name, pinned in pins.items() if len(pinned) > 1} == {}


def test_checkouts_leave_no_token_behind() -> None:
    found = [(path.name, step) for path in [ACTION, *WORKFLOWS, *RECIPES.glob("github-*.yml")] for step in steps(path)]
    for name, snippet in yaml_of_pages():
        if isinstance(snippet, list):
            found += [(name, step) for step in snippet if isinstance(step, dict)]
    checkouts = [(name, step) for name, step in found if "actions/checkout" in step.get("uses", "")]

    assert len(checkouts) >= 3
    assert [name for name, step in checkouts if step.get("with", {}).get("persist-credentials") is not False] == []


@pytest.mark.parametrize("path", [*WORKFLOWS, *sorted(RECIPES.glob("github-*.yml"))], ids=lambda path: path.name)
def test_workflows_may_only_read_unless_they_run_nothing_of_a_pull_request(path: Path) -> None:
    workflow = load(path)

    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in workflow["on"]
    for job in workflow["jobs"].values():
        writes = [name for name, right in job.get("permissions", {}).items() if right != "read"]
        assert writes == [] or (set(workflow["on"]) == {"workflow_run"} and writes in ALONE_AFTERWARDS)


@pytest.mark.parametrize("path", [*FILES, *WORKFLOWS, *SNIPPETS], ids=lambda path: path.name)
def test_tokens_follow_no_redirect(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")

    for command in re.findall(r"curl [^\n;|]*", text):
        follows = re.search(r"--location|(?<= )-\w*L", command)
        assert not (follows and re.search("token|authorization", command, re.IGNORECASE)), command


def test_recipe_for_pull_requests_uses_inputs_that_the_action_has() -> None:
    (step,) = (one for one in steps(RECIPES / "github-actions.yml") if "pytest-benchdb@" in one.get("uses", ""))

    assert set(step["with"]) <= set(load(ACTION)["inputs"])


def test_recipe_for_pages_publishes_what_main_left_and_runs_nothing_of_the_project() -> None:
    path = RECIPES / "github-pages.yml"
    job = load(path)["jobs"]["site"]

    assert load(path)["on"]["workflow_run"]["workflows"] == [load(RECIPES / "github-actions.yml")["name"]]
    assert "event == 'push'" in job["if"]
    assert "head_branch == 'main'" in job["if"]
    assert not any("actions/checkout" in step.get("uses", "") for step in job["steps"])


@needs_bash
def test_recipe_for_pages_writes_a_site(tmp_path: Path) -> None:
    bench = tmp_path / "test_bench.py"
    bench.write_text("def test_sum(bench):\n    bench(sum, range(10))\n", encoding="utf-8")
    recorded = bash("python -m pytest --benchdb=results -q test_bench.py", tmp_path)
    text = (
        script(RECIPES / "github-pages.yml", "Write the site")
        .replace("python -m pip install", ": skip")
        .replace("--branch main ", "")
    )

    result = bash(text, tmp_path, OWNER="me", REPOSITORY="project")

    assert (recorded.returncode, result.returncode) == (0, 0), recorded.stdout + result.stderr
    assert "https://me.github.io/project/feed.xml" in (tmp_path / "public" / "feed.xml").read_text(encoding="utf-8")


def test_recipe_for_comments_follows_the_benchmarks_and_runs_nothing_of_theirs() -> None:
    recipe = load(RECIPES / "github-comment.yml")

    assert recipe["on"]["workflow_run"]["workflows"] == [load(RECIPES / "github-actions.yml")["name"]]
    assert recipe["permissions"] == {}
    assert recipe["jobs"]["comment"]["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert [step["uses"].partition("@")[0] for step in steps(RECIPES / "github-comment.yml") if "uses" in step] == [
        "actions/download-artifact"
    ]


def test_history_is_kept_by_events_that_no_fork_starts() -> None:
    (keep,) = (step for step in steps(ACTION) if "cache/save" in step.get("uses", ""))

    assert '"push", "schedule", "workflow_dispatch"' in keep["if"]
    assert "pull_request" not in keep["if"]


# ---------------------------------------------------------------- the script that posts comments, with a stub of `gh`
STUB = """\
#!/bin/bash
echo "$@" >> "$CALLS"
case "$*" in
  *"/pulls "*) printf '%s' "$NUMBER" ;;
  *--paginate*) printf '%b' "$IDS" ;;
esac
"""
MARKED = "<!-- benchdb:linux -->\n### Benchmarks\n"


def own_comments() -> list[str]:
    """Return comments as `benchdb regress` and `benchdb compare` write them, of names that fight back as well."""
    return [
        pull_request_comment(
            results.gate([results.row(), results.row("regressed", "t.py::b", reason="50 % (limit 5 %)")])
        ),
        pull_request_comment(results.comparison([results.row("missing", "t.py::a", baseline=None)])),
        pull_request_comment(results.hostile(), name=results.HOSTILE),
        pull_request_comment(results.many(10_000, "tests/test_{file}.py::test_{n}[a-{n}]", reason="{n} @octocat")),
    ]


@pytest.fixture
def posted(tmp_path: Path) -> Any:
    """Return the calls of `gh` that post, for a comment file and answers of GitHub."""
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "gh"
    stub.write_text(STUB, encoding="utf-8")
    stub.chmod(0o755)
    folder = tmp_path / "comments" / "benchdb-comment-linux"
    folder.mkdir(parents=True)
    calls = tmp_path / "calls"
    (check,) = (step["run"] for step in steps(RECIPES / "github-comment.yml") if step.get("shell") == "python")

    def post(body: str | None, number: str = "7", ids: str = "") -> list[str]:
        if body is not None:
            (folder / "comment.md").write_text(body, encoding="utf-8")
        checked = subprocess.run(
            [sys.executable, "-c", check], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr
        variables = {"HEAD_OWNER": "fork", "HEAD_BRANCH": "x", "HEAD_SHA": "abc", "REPOSITORY": "o/r"}
        text = script(RECIPES / "github-comment.yml", "Post or replace the comments")
        result = bash(text, tmp_path, CALLS=str(calls), NUMBER=number, IDS=ids, **variables)
        assert result.returncode == 0, result.stderr
        return [line for line in calls.read_text(encoding="utf-8").splitlines() if "--silent" in line]

    return post


FILE = "body=@comments/benchdb-comment-linux/comment.md"


@needs_bash
def test_comment_script_without_a_comment_posts_one(posted: Any) -> None:
    assert posted(MARKED) == [f"api --silent --method POST repos/o/r/issues/7/comments -F {FILE}"]


@needs_bash
def test_comment_script_with_a_comment_replaces_the_first(posted: Any) -> None:
    assert posted(MARKED, ids="41\\n42\\n") == [f"api --silent --method PATCH repos/o/r/issues/comments/41 -F {FILE}"]


@needs_bash
@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "hello",
        '<!-- benchdb:a") or true -->\n',
        "<!-- benchdb:$(touch owned) -->\n",
        "x" * 300_000,
        MARKED + "x" * 300_000,
        MARKED.replace("linux", "x" * 61),
        MARKED + "\n<p>thanks @octocat</p>\n",
        MARKED + "\n<p>thanks &#64;octocat</p>\n",
        MARKED + "\n<p>thanks &commat;octocat</p>\n",
        MARKED + "\n<p>closes #1</p>\n",
        MARKED + "\n<p>see GH-1</p>\n",
        MARKED + "\n<p>see https://example.org</p>\n",
        MARKED + "\n<p>see www.example.org</p>\n",
        MARKED + '\n<p><a href="//example.org">here</a></p>\n',
        MARKED + '\n<p><img src="//example.org/x.png"></p>\n',
        MARKED + '\n<p onclick="x">text</p>\n',
        MARKED + "\n<!-- benchdb:other -->\n",
        MARKED + "\nread [this](//example.org)\n",
        MARKED + "\nread <code>[this](//example.org)</code>\n",
        MARKED + "\n<p>x</p>\n \n[this](//example.org)\n",
        MARKED + "\n<p>x</p>\r\r[this](//example.org)\n",
        MARKED.replace("Benchmarks", "Benchmarks of @octocat"),
        MARKED.replace("Benchmarks", "<code>[this](//example.org)</code>"),
        MARKED + "\n<p><code>a\n\n[this](//example.org)</code></p>\n",
    ],
    ids=lambda body: "no file" if body is None else body[-40:].strip() or "empty",
)
def test_comment_script_with_what_is_no_comment_posts_nothing(posted: Any, tmp_path: Path, body: str | None) -> None:
    assert posted(body) == []
    assert not (tmp_path / "owned").exists()


@needs_bash
@pytest.mark.parametrize("number", range(4), ids=["gate", "comparison", "hostile names", "many rows"])
def test_comment_script_posts_what_benchdb_wrote(posted: Any, tmp_path: Path, number: int) -> None:
    assert posted(own_comments()[number]) == [f"api --silent --method POST repos/o/r/issues/7/comments -F {FILE}"]


@needs_bash
def test_comment_script_with_a_link_posts_nothing(posted: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(MARKED, encoding="utf-8")
    (tmp_path / "comments" / "benchdb-comment-linux" / "comment.md").symlink_to(tmp_path / "secret")

    assert posted(None) == []


@needs_bash
def test_comment_script_without_a_pull_request_posts_nothing(posted: Any) -> None:
    assert posted(MARKED, number="") == []


# ---------------------------------------------------------------- GitLab's history, with a stub of `curl`
CURL = """\
#!/bin/bash
echo "$@" >> "$CALLS"
case "$*" in
  *JOB-TOKEN*) printf '%s' "$MOVED"; if [ -z "$MOVED" ]; then cp "$ZIP" history.zip; fi ;;
  *) cp "$ZIP" history.zip ;;
esac
"""


@needs_bash
@pytest.mark.parametrize("moved", ["", "https://storage.example.org/a.zip?signed"], ids=["direct", "moved"])
def test_gitlab_history_is_restored_and_its_token_goes_to_gitlab_only(tmp_path: Path, moved: str) -> None:
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "curl"
    stub.write_text(CURL, encoding="utf-8")
    stub.chmod(0o755)
    with zipfile.ZipFile(tmp_path / "kept.zip", "w") as kept:
        kept.writestr(".benchdb/a.duckdb", "a session")
        kept.writestr("conftest.py", "raise SystemExit")
    text = next(part for part in load(RECIPES / "gitlab-ci.yml")["benchmarks"]["script"] if "JOB-TOKEN" in part)
    variables = {"CALLS": "calls", "MOVED": moved, "ZIP": "kept.zip", "CI_JOB_TOKEN": "s3cret", "CI_JOB_NAME": "b"}
    variables |= {"CI_API_V4_URL": "https://gitlab.example.org/api", "CI_PROJECT_ID": "1", "CI_DEFAULT_BRANCH": "main"}

    result = bash(text, tmp_path, **variables)

    assert result.returncode == 0, result.stderr
    assert (tmp_path / ".benchdb" / "a.duckdb").read_text(encoding="utf-8") == "a session"
    assert not (tmp_path / "conftest.py").exists()
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert len(calls) == (2 if moved else 1)
    assert [call for call in calls if "s3cret" in call and "https://gitlab.example.org/api/" not in call] == []


@needs_bash
def test_gitlab_without_a_history_goes_on(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "curl"
    stub.write_text("#!/bin/bash\nexit 22\n", encoding="utf-8")
    stub.chmod(0o755)
    text = next(part for part in load(RECIPES / "gitlab-ci.yml")["benchmarks"]["script"] if "JOB-TOKEN" in part)

    result = bash(text, tmp_path, CI_JOB_TOKEN="s3cret")

    assert (result.returncode, result.stdout) == (0, "no history yet\n")


# ---------------------------------------------------------------- the action's own scripts
@pytest.mark.parametrize(
    ("mode", "pytest_status", "gate_status", "status"),
    [
        ("history", "0", "0", 0),
        ("history", "0", "1", 1),
        ("history", "1", "0", 1),
        ("history", "1", "1", 1),
        ("history", "2", "", 2),
        ("history", "0", "5", 5),
        ("history", "0", "", 70),
        ("duet", "", "0", 0),
        ("duet", "", "1", 1),
        ("count", "", "2", 2),
        ("count", "", "", 70),
    ],
)
@needs_bash
def test_last_step_ends_with_the_worst_status(
    mode: str, pytest_status: str, gate_status: str, status: int, tmp_path: Path
) -> None:
    text = script(ACTION, "Fail on failed tests and on regressions")
    variables = {"INPUT_MODE": mode, "PYTEST_STATUS": pytest_status, "GATE_STATUS": gate_status}

    assert bash(text, tmp_path, **variables).returncode == status


@needs_bash
@pytest.mark.parametrize(
    ("mode", "status"), [("history", 0), ("count", 0), ("duet", 0), ("counts", 2), ("$(false)", 2)]
)
def test_unknown_mode_is_refused_first(mode: str, status: int, tmp_path: Path) -> None:
    assert steps(ACTION)[0]["name"] == "Check the mode"
    assert bash(script(ACTION, "Check the mode"), tmp_path, INPUT_MODE=mode).returncode == status


class Runner:
    """Runs the scripts of the action on a copy of the example suite, as GitHub's runner would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "github_output"
        self.summary = folder / "summary.md"
        shutil.copytree(
            ROOT / "examples" / "suite", folder / "suite", ignore=shutil.ignore_patterns("__pycache__", ".*")
        )

    def run(self, name: str, **inputs: str) -> tuple[str, str]:
        """Run a step; return the status that it hands to later steps, and what it printed."""
        given = {
            "INPUT_DATABASE": ".benchdb",
            "INPUT_PATHS": "suite/test_sorting.py\n",
            "INPUT_BASELINE": "auto",
            "INPUT_THRESHOLDS": "time:5%\nmemory:10%\n",
            "INPUT_CONFIRM": "1",
            "INPUT_COMMENT": "true",
            "INPUT_NAME": "linux",
            "PYTEST_ADDOPTS": "--benchmark-max-time=0.01 --benchmark-min-rounds=2 -p no:cacheprovider -p no:randomly",
        }
        self.output.write_text("", encoding="utf-8")
        files = {"GITHUB_OUTPUT": self.output, "GITHUB_STEP_SUMMARY": self.summary, "RUNNER_TEMP": self.folder / "temp"}
        outputs = {name: str(path) for name, path in files.items()}
        result = bash(script(ACTION, name), self.folder, GITHUB_ACTIONS="true", **{**given, **inputs}, **outputs)
        assert result.returncode == 0, result.stdout + result.stderr
        status = self.output.read_text(encoding="utf-8").strip().removeprefix("status=")
        return status, result.stdout + result.stderr


@needs_bash
@pytest.mark.long
def test_action_scripts_record_judge_and_tell(tmp_path: Path) -> None:
    runner = Runner(tmp_path)

    for _ in range(2):
        status, printed = runner.run("Run the benchmarks")
        assert status == "0", printed
    status, printed = runner.run("Compare with the history")

    assert status == "0", printed
    assert len(list((tmp_path / ".benchdb").glob("*.duckdb"))) >= 2
    assert runner.summary.read_text(encoding="utf-8").startswith("### ")
    comment = (tmp_path / "temp" / "benchdb-comment" / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- benchdb:linux -->\n### ")
    assert "test_sort_random[100]" in comment


@needs_bash
@pytest.mark.long
def test_action_scripts_with_hostile_inputs_run_none_of_them(tmp_path: Path) -> None:
    runner = Runner(tmp_path)

    status, _ = runner.run("Run the benchmarks", INPUT_PATHS="$(touch owned)\n; touch owned\n`touch owned`")
    assert status == "4"
    runner.run("Run the benchmarks")
    status, _ = runner.run(
        "Compare with the history", INPUT_THRESHOLDS="$(touch owned)", INPUT_BASELINE="'; touch owned"
    )

    assert status == "2"
    assert not (tmp_path / "owned").exists()


PROJECT = {
    "src/shop.py": "def total(n):\n    return sum(number * number for number in range(n))\n",
    "tests/test_shop.py": "from shop import total\n\ndef test_total(bench_cpu):\n    bench_cpu(total, 2000)\n",
    "pytest.ini": "[pytest]\n",
}
SLOWER = {"src/shop.py": PROJECT["src/shop.py"].replace("range(n)", "range(2 * n)")}


def commit(folder: Path, files: dict[str, str]) -> None:
    """Write files and commit them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    author = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for words in (["init", "-q"], ["add", *files], [*author, "commit", "-q", "-m", "Change"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


@needs_bash
@pytest.mark.long
@pytest.mark.parametrize("mode", ["duet", "count"])
def test_action_compares_with_the_commit_before(mode: str, tmp_path: Path) -> None:
    if mode == "count" and shutil.which("valgrind") is None:
        pytest.skip("needs valgrind")
    runner = Runner(tmp_path)
    commit(tmp_path, PROJECT)
    commit(tmp_path, SLOWER)
    inputs = {"INPUT_MODE": mode, "INPUT_BASE": "", "INPUT_PATHS": "tests\n", "INPUT_PYTHONPATH": "src\n"}

    status, printed = runner.run("Compare with another commit", **inputs, INPUT_THRESHOLDS="", PYTEST_ADDOPTS="")

    assert status == "1", printed
    assert "::error file=tests/test_shop.py" in printed
    assert (tmp_path / "temp" / "benchdb-comment" / "comment.md").exists()
