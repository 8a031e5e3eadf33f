"""Identifies the CI job from the variables that each service documents.

Only the variables named here are read; a URL is stored without user name, password and query.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from pytest_benchdb.environment.git.checkout import without_credentials
from pytest_benchdb.model.environment import CiJob

Environ = Mapping[str, str]
_EVENT_BYTES = 1 << 22


PAST_BRANCH = "BENCHDB_PAST_BRANCH"
"""Variable that is set while a past commit is measured: the branch that it is on, empty if that is not known."""


def read_ci(environ: Environ) -> CiJob:
    """Return the CI job that `environ` describes; all None outside CI.

    While a past commit is measured, the commit, branch and pull request of the job are not the session's.
    """
    job = _job(environ)
    past_branch = environ.get(PAST_BRANCH)
    return job if past_branch is None else replace(job, sha=None, branch=past_branch or None, pull_request=None)


def _job(environ: Environ) -> CiJob:
    for variable, read in _PROVIDERS.items():
        if environ.get(variable, "").lower() not in {"", "0", "false"}:
            return read(environ)
    return CiJob()


def _github(environ: Environ) -> CiJob:
    sha, branch, number = _first(environ, "GITHUB_SHA"), _first(environ, "GITHUB_HEAD_REF"), None
    if environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request"):
        number, head = _github_pull_request(environ.get("GITHUB_EVENT_PATH"))
        if environ["GITHUB_EVENT_NAME"] == "pull_request":
            # GITHUB_SHA is a merge commit that will never be on a branch.
            sha = head or sha
    if number is None and (match := re.match(r"refs/pull/(\d+)/", environ.get("GITHUB_REF", ""))):
        number = match[1]
    if branch is None and environ.get("GITHUB_REF_TYPE", "branch") == "branch" and number is None:
        branch = _branch(environ.get("GITHUB_REF"))
    return CiJob(provider="github", url=_github_url(environ), pull_request=number, branch=branch, sha=sha)


def _github_url(environ: Environ) -> str | None:
    server, repository = _url(environ, "GITHUB_SERVER_URL"), _first(environ, "GITHUB_REPOSITORY")
    run, attempt = _first(environ, "GITHUB_RUN_ID"), _first(environ, "GITHUB_RUN_ATTEMPT")
    if not (server and repository and run):
        return None
    again = f"/attempts/{attempt}" if attempt and attempt != "1" else ""
    return f"{server.rstrip('/')}/{repository}/actions/runs/{run}{again}"


def _github_pull_request(path: str | None) -> tuple[str | None, str | None]:
    """Return number and head commit of the pull request in the event file."""
    try:
        with Path(path or "").open("rb") as file:
            pull_request = json.loads(file.read(_EVENT_BYTES))["pull_request"]
        number, sha = pull_request["number"], pull_request["head"]["sha"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None, None
    return str(number), sha if isinstance(sha, str) else None


def _gitlab(environ: Environ) -> CiJob:
    return CiJob(
        provider="gitlab",
        url=_url(environ, "CI_JOB_URL", "CI_PIPELINE_URL"),
        pull_request=_first(environ, "CI_MERGE_REQUEST_IID"),
        branch=_first(environ, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH"),
        # Only merged-results pipelines set it; their CI_COMMIT_SHA is a merge commit that is on no branch.
        sha=_first(environ, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"),
    )


def _jenkins(environ: Environ) -> CiJob:
    branch = _first(environ, "CHANGE_BRANCH", "GIT_BRANCH", "BRANCH_NAME")
    return CiJob(
        provider="jenkins",
        url=_url(environ, "BUILD_URL"),
        pull_request=_first(environ, "CHANGE_ID"),
        branch=branch.removeprefix("origin/") if branch else None,
        sha=_first(environ, "GIT_COMMIT"),
    )


def _azure(environ: Environ) -> CiJob:
    collection = _url(environ, "SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")
    project, build = _first(environ, "SYSTEM_TEAMPROJECT"), _first(environ, "BUILD_BUILDID")
    url = None
    if collection and project and build:
        url = f"{collection.rstrip('/')}/{quote(project)}/_build/results?buildId={build}"
    return CiJob(
        provider="azure",
        url=url,
        pull_request=_first(environ, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"),
        branch=_branch(_first(environ, "SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH")),
        sha=_first(environ, "SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"),
    )


def _buildkite(environ: Environ) -> CiJob:
    number, sha = _first(environ, "BUILDKITE_PULL_REQUEST"), _first(environ, "BUILDKITE_COMMIT")
    return CiJob(
        provider="buildkite",
        url=_url(environ, "BUILDKITE_BUILD_URL"),
        pull_request=None if number == "false" else number,
        branch=_first(environ, "BUILDKITE_BRANCH"),
        sha=None if sha == "HEAD" else sha,
    )


def _circleci(environ: Environ) -> CiJob:
    # CIRCLE_PULL_REQUEST is the URL of the pull request; CIRCLE_PR_NUMBER is set for forks only.
    number = (_first(environ, "CIRCLE_PULL_REQUEST") or "").rpartition("/")[2]
    return CiJob(
        provider="circleci",
        url=_url(environ, "CIRCLE_BUILD_URL"),
        pull_request=number or _first(environ, "CIRCLE_PR_NUMBER"),
        branch=_first(environ, "CIRCLE_BRANCH"),
        sha=_first(environ, "CIRCLE_SHA1"),
    )


def _other(_environ: Environ) -> CiJob:
    return CiJob(provider="other")


# Nearly all of them set CI, so it comes last.
_PROVIDERS: dict[str, Callable[[Environ], CiJob]] = {
    "GITHUB_ACTIONS": _github,
    "GITLAB_CI": _gitlab,
    "JENKINS_URL": _jenkins,
    "TF_BUILD": _azure,
    "BUILDKITE": _buildkite,
    "CIRCLECI": _circleci,
    "CI": _other,
}


def _first(environ: Environ, *names: str) -> str | None:
    return next((value for name in names if (value := environ.get(name))), None)


def _url(environ: Environ, *names: str) -> str | None:
    url = _first(environ, *names)
    return without_credentials(url) if url else None


def _branch(ref: str | None) -> str | None:
    if ref and ref.startswith("refs/"):
        return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None
    return ref or None
