import json
from pathlib import Path

import pytest

from pytest_benchdb.environment.ci import PAST_BRANCH, read_ci
from pytest_benchdb.model.environment import CiJob

HEAD = "1" * 40
MERGE = "2" * 40
GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "org/project",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_SHA": MERGE,
}


def write_event(path: Path, content: object) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def test_github_push_is_its_branch_and_commit() -> None:
    job = read_ci(
        {
            **GITHUB,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": "refs/heads/feature/x",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_RUN_ATTEMPT": "3",
        }
    )

    assert job == CiJob(
        provider="github",
        url="https://github.com/org/project/actions/runs/42/attempts/3",
        branch="feature/x",
        sha=MERGE,
    )


def test_github_pull_request_is_its_head_and_not_the_merge_commit(tmp_path: Path) -> None:
    event = write_event(tmp_path / "event.json", {"pull_request": {"number": 7, "head": {"sha": HEAD}}})

    job = read_ci(
        {
            **GITHUB,
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": event,
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_HEAD_REF": "fix",
        }
    )

    assert job == CiJob(
        provider="github",
        url="https://github.com/org/project/actions/runs/42",
        pull_request="7",
        branch="fix",
        sha=HEAD,
    )


@pytest.mark.parametrize(("branch", "recorded"), [("main", "main"), ("", None)])
def test_past_commit_has_neither_commit_nor_branch_nor_pull_request_of_the_job(
    tmp_path: Path, branch: str, recorded: str | None
) -> None:
    event = write_event(tmp_path / "event.json", {"pull_request": {"number": 7, "head": {"sha": HEAD}}})
    pull_request = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": event, "GITHUB_HEAD_REF": "fix"}

    job = read_ci({**GITHUB, **pull_request, PAST_BRANCH: branch})

    assert (job.provider, job.sha, job.pull_request, job.branch) == ("github", None, None, recorded)


def test_github_pull_request_target_runs_the_base(tmp_path: Path) -> None:
    event = write_event(tmp_path / "event.json", {"pull_request": {"number": 7, "head": {"sha": HEAD}}})

    job = read_ci({**GITHUB, "GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_EVENT_PATH": event})

    assert (job.pull_request, job.sha) == ("7", MERGE)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pull_request": null}', '{"pull_request": {"number": 1}}'])
def test_github_pull_request_with_a_damaged_event_falls_back_to_the_ref(tmp_path: Path, content: str) -> None:
    event = tmp_path / "event.json"
    event.write_text(content)

    job = read_ci(
        {
            **GITHUB,
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REF": "refs/pull/7/merge",
        }
    )

    assert (job.pull_request, job.sha, job.branch) == ("7", MERGE, None)


def test_github_tag_is_no_branch() -> None:
    job = read_ci({**GITHUB, "GITHUB_REF": "refs/tags/v1", "GITHUB_REF_TYPE": "tag"})

    assert job.branch is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param(
            {
                "GITLAB_CI": "true",
                "CI_JOB_URL": "https://gitlab.com/a/b/-/jobs/1",
                "CI_COMMIT_BRANCH": "main",
                "CI_COMMIT_SHA": HEAD,
            },
            CiJob(provider="gitlab", url="https://gitlab.com/a/b/-/jobs/1", branch="main", sha=HEAD),
            id="gitlab-branch",
        ),
        pytest.param(
            {
                "GITLAB_CI": "true",
                "CI_JOB_URL": "https://gitlab.com/a/b/-/jobs/1",
                "CI_MERGE_REQUEST_IID": "5",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
                "CI_COMMIT_SHA": MERGE,
            },
            CiJob(provider="gitlab", url="https://gitlab.com/a/b/-/jobs/1", pull_request="5", branch="fix", sha=HEAD),
            id="gitlab-merged-results",
        ),
        pytest.param(
            {"GITLAB_CI": "true", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "", "CI_COMMIT_SHA": HEAD},
            CiJob(provider="gitlab", sha=HEAD),
            id="gitlab-merge-request-without-merged-results",
        ),
        pytest.param(
            {
                "JENKINS_URL": "https://ci.example.org/",
                "BUILD_URL": "https://me:SECRET@ci.example.org/job/x/9/",
                "GIT_BRANCH": "origin/main",
                "GIT_COMMIT": HEAD,
            },
            CiJob(provider="jenkins", url="https://ci.example.org/job/x/9/", branch="main", sha=HEAD),
            id="jenkins",
        ),
        pytest.param(
            {
                "JENKINS_URL": "https://ci.example.org/",
                "BRANCH_NAME": "PR-3",
                "CHANGE_ID": "3",
                "CHANGE_BRANCH": "fix",
            },
            CiJob(provider="jenkins", pull_request="3", branch="fix"),
            id="jenkins-change",
        ),
        pytest.param(
            {
                "TF_BUILD": "True",
                "SYSTEM_COLLECTIONURI": "https://dev.azure.com/org/",
                "SYSTEM_TEAMPROJECT": "My Project",
                "BUILD_BUILDID": "12",
                "BUILD_SOURCEBRANCH": "refs/heads/main",
                "BUILD_SOURCEVERSION": HEAD,
            },
            CiJob(
                provider="azure",
                url="https://dev.azure.com/org/My%20Project/_build/results?buildId=12",
                branch="main",
                sha=HEAD,
            ),
            id="azure",
        ),
        pytest.param(
            {
                "TF_BUILD": "True",
                "SYSTEM_PULLREQUEST_PULLREQUESTID": "900",
                "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "8",
                "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/fix",
                "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD,
                "BUILD_SOURCEBRANCH": "refs/pull/8/merge",
                "BUILD_SOURCEVERSION": MERGE,
            },
            CiJob(provider="azure", pull_request="8", branch="fix", sha=HEAD),
            id="azure-pull-request",
        ),
        pytest.param(
            {
                "BUILDKITE": "true",
                "BUILDKITE_BUILD_URL": "https://buildkite.com/org/x/builds/4",
                "BUILDKITE_PULL_REQUEST": "false",
                "BUILDKITE_BRANCH": "main",
                "BUILDKITE_COMMIT": "HEAD",
            },
            CiJob(provider="buildkite", url="https://buildkite.com/org/x/builds/4", branch="main"),
            id="buildkite",
        ),
        pytest.param(
            {"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "6", "BUILDKITE_COMMIT": HEAD},
            CiJob(provider="buildkite", pull_request="6", sha=HEAD),
            id="buildkite-pull-request",
        ),
        pytest.param(
            {
                "CIRCLECI": "true",
                "CIRCLE_BUILD_URL": "https://circleci.com/gh/org/x/3",
                "CIRCLE_PULL_REQUEST": "https://github.com/org/x/pull/11",
                "CIRCLE_BRANCH": "fix",
                "CIRCLE_SHA1": HEAD,
            },
            CiJob(
                provider="circleci", url="https://circleci.com/gh/org/x/3", pull_request="11", branch="fix", sha=HEAD
            ),
            id="circleci",
        ),
        pytest.param({"CI": "true"}, CiJob(provider="other"), id="other"),
        pytest.param({"CI": "false"}, CiJob(), id="ci-false"),
        pytest.param({"GITHUB_ACTIONS": "false", "HOME": "/root"}, CiJob(), id="outside"),
        pytest.param({}, CiJob(), id="nothing"),
    ],
)
def test_job_is_read_from_the_services_variables(environ: dict[str, str], expected: CiJob) -> None:
    assert read_ci(environ) == expected


@pytest.mark.parametrize("flag", ["GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD", "BUILDKITE", "CIRCLECI"])
def test_service_without_any_other_variable_gives_its_name_only(flag: str) -> None:
    job = read_ci({flag: "true"})

    assert job == CiJob(provider=job.provider)
    assert job.provider not in {None, "other"}
