"""CI output of `compare` and `regress`: JUnit, SARIF, annotations, job summaries, comments, GitLab metrics."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from pytest_benchdb import __version__
from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.operations.exchange.output_file import append_file, why_not_written, write_file

CI_FORMATS = ("junit", "sarif", "github")
"""Formats of `-f` that `ci_text` writes."""

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
_NO_FILE = "-"

Function = TypeVar("Function", bound=Callable[..., Any])


def ci_options(function: Function) -> Function:
    """Add the CI options to a command."""
    for option in reversed(
        (
            click.option(
                "--summary",
                metavar="[FILE]",
                is_flag=False,
                flag_value=_NO_FILE,
                help="Append the outcome in Markdown to FILE; without one, to the job's summary, $GITHUB_STEP_SUMMARY.",
            ),
            click.option("--comment", metavar="FILE", help="Write the body of a pull-request comment to FILE."),
            click.option(
                "--comment-name",
                metavar="NAME",
                default="benchmarks",
                show_default=True,
                help="Name of this comment among those of the pull request, hidden in its first line.",
            ),
            click.option(
                "--gitlab-metrics",
                metavar="FILE",
                help="Write the candidate's values for GitLab's metrics report to FILE.",
            ),
        )
    ):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True, kw_only=True)
class CiOutputs:
    """Files that a command writes in addition to its data; None if not requested. `summary` is appended to."""

    summary: Path | None
    comment: Path | None
    comment_name: str
    gitlab_metrics: Path | None

    def write(self, result: Gate | Comparison, output: Output) -> None:
        """Write the files and report each; raises `ConfigError` if one cannot be written."""
        if self.summary is not None:
            _append_summary(self.summary, result)
            output.say(f"appended to {self.summary}")
        if self.comment is not None:
            from pytest_benchdb.present.verdicts.page import pull_request_comment

            body = pull_request_comment(result, name=self.comment_name)
            write_file(self.comment, [body.encode("utf-8")])
            output.say(f"wrote {self.comment}")
        if self.gitlab_metrics is not None:
            from pytest_benchdb.present.verdicts.gitlab import gitlab_metrics

            write_file(self.gitlab_metrics, [gitlab_metrics(result).encode("utf-8")])
            output.say(f"wrote {self.gitlab_metrics}")


def read_ci_outputs(params: Mapping[str, Any]) -> CiOutputs:
    """Return the files that a command's options request; call it before the work begins.

    Raises:
        ConfigError: `--summary` has no file, or swallowed another argument.
    """
    return CiOutputs(
        summary=_summary_file(params["summary"], os.environ),
        comment=_path(params["comment"]),
        comment_name=params["comment_name"],
        gitlab_metrics=_path(params["gitlab_metrics"]),
    )


def ci_text(result: Gate | Comparison, format_name: str, folder: Path | None = None) -> str:
    """Return a result in one of `CI_FORMATS`; `folder` contains the benchmarks' code, None for the working folder."""
    from pytest_benchdb.operations.compare.locate import locate
    from pytest_benchdb.present.verdicts.findings import comparison_of

    locations = locate({row.key.fullname for row in comparison_of(result).rows}, folder or Path.cwd())
    if format_name == "junit":
        from pytest_benchdb.present.verdicts.junit import junit

        return junit(result, locations)
    if format_name == "sarif":
        from pytest_benchdb.present.verdicts.sarif import sarif

        return sarif(result, locations, version=__version__)
    from pytest_benchdb.present.verdicts.github import github_annotations

    return github_annotations(result, locations)


def _append_summary(path: Path, result: Gate | Comparison) -> None:
    from pytest_benchdb.present.verdicts.page import MOST_BYTES, job_summary

    try:
        there = path.stat().st_size if path.is_file() else 0
        text = job_summary(result, size=MOST_BYTES - there)
        append_file(path, text.encode("utf-8"))
    except OSError as error:
        raise ConfigError(f"--summary {path} {why_not_written(error)}") from error


def _summary_file(option: str | None, environ: Mapping[str, str]) -> Path | None:
    if option is None:
        return None
    if option == _NO_FILE:
        if not environ.get(_STEP_SUMMARY):
            raise ConfigError(f"--summary: {_STEP_SUMMARY} is not set; name a file: --summary=summary.md")
        return Path(environ[_STEP_SUMMARY])
    path = Path(option)
    # In `benchdb compare --summary main`, main is the branch: a file name needs a suffix or a folder.
    if not path.suffix and path.name == option:
        raise ConfigError(f"--summary {option}: not a file name; write --summary=./{option}, or put --summary last")
    return path


def _path(option: str | None) -> Path | None:
    return Path(option) if option else None
