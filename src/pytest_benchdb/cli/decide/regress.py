"""`benchdb regress`: the CI gate."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click

from pytest_benchdb.cli.decide.ci_outputs import CI_FORMATS, ci_options, ci_text, read_ci_outputs
from pytest_benchdb.cli.decide.explanation import explain_gate_result, explain_option, explanations_of, write_explained
from pytest_benchdb.cli.decide.pages import HTML, check_page, gate_trends, write_gate
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.failure import ended_like_an_interrupt
from pytest_benchdb.cli.frame.options import CommandWithProgram, passthrough_args
from pytest_benchdb.cli.frame.output import Output, command_feedback, make_output
from pytest_benchdb.cli.frame.project import find_db, project_table
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Gate
from pytest_benchdb.operations.gate.allowances import read_allow_file
from pytest_benchdb.operations.gate.policy import Override, Rules, parse_overrides
from pytest_benchdb.operations.gate.request import AUTO, ConfirmBy, GateRequest
from pytest_benchdb.operations.gate.run import gate
from pytest_benchdb.operations.pytest_run import PAUSE_S, PAUSE_VARIABLE
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds
from pytest_benchdb.operations.select.selection import make_selection
from pytest_benchdb.operations.select.spec.syntax import names_database, sides_of

_FORMATS = ("table", "md", "html", "json", *CI_FORMATS)
_KEY = "thresholds"

_HELP = """Fail if a session became worse than its baseline: the gate of CI.

SPEC is the session to judge, by default the newest one; A..B judges B by A. It is compared with the last 20 sessions
that the same machine measured up to the baseline; with fewer than 5 nothing fails yet. Several sessions on both sides
are compared with each other.

LIMIT is METRIC:LIMIT or METRIC[FILTER]:LIMIT: time:5%, memory[backend=cuda]:64MiB, throughput:5.5%, wall_time:200us.
METRIC<LIMIT and METRIC>LIMIT are budgets, which need no history: 'time<500ms', 'peak_rss<200MiB', 'throughput>1000/s'.
Without one, wall time and Python's memory are gated by their defaults; with one, only what is named is gated.
[tool.benchdb.thresholds] of pyproject.toml and @pytest.mark.benchdb(max_regression=0.10, gate=False) override it.

Suspects are checked before they fail: the baseline's commit and the candidate run in turn, as you ran them here or by
the command after --. Where that is not possible, the candidate alone runs in two fresh pytest processes, and only what
both repeat is a regression; --confirm N does that N times. What cannot be run at all, because it was imported or
recorded elsewhere, fails as it is, and the last line says that it is not confirmed.

Exit status: 0 passed, 1 regressed, 2 wrong usage, 3 something is missing, 4 undecided, 5 a problem with the
database, 130 interrupted.

Example: benchdb regress --threshold time:5% -- pytest tests/bench
"""


@click.command(
    "regress",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
    options_metavar="[OPTIONS]",
)
@click.argument("spec", metavar="[SPEC]", required=False)
@options.database_option
@click.option(
    "--baseline",
    metavar="SPEC",
    shell_complete=complete_specs,
    default=AUTO,
    help="What to compare with: auto, branch:main, label:before, HEAD~3, ... [auto].",
)
@click.option(
    "--threshold", "thresholds", metavar="LIMIT", multiple=True, help="What may become how much worse; may be repeated."
)
@click.option("--confirm", metavar="N", type=click.IntRange(0, 20), help="Run suspects N times again [2].")
@click.option(
    "--confirm-by",
    type=click.Choice(get_args(ConfirmBy)),
    help="How to check suspects: both commits in turn, re-runs of the candidate alone, or the best that is possible "
    "[auto; rerun if --confirm says how often].",
)
@click.option(
    "--pythonpath",
    metavar="DIR",
    multiple=True,
    help="Folder of each commit that Python looks into first, relative to the working folder [src or ., where packages "
    "are]. May be repeated.",
)
@click.option(
    "--confirm-pause",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    envvar=PAUSE_VARIABLE,
    show_envvar=True,
    help=f"Wait between re-runs, so that what disturbs the machine passes [{PAUSE_S:g}].",
)
@click.option("--fdr", metavar="Q", type=click.FloatRange(0, 1), help="Doubt regressions whose q-value is above Q.")
@click.option(
    "--missing",
    type=click.Choice(["warn", "fail", "ignore"]),
    default="warn",
    help="How to treat benchmarks of the baseline that this session lacks [warn].",
)
@click.option("--require-baseline", is_flag=True, help="Exit with 3 when there is nothing to compare.")
@click.option(
    "--strict", is_flag=True, help="Exit with 4 when the machine was too disturbed to judge, or a limit limits nothing."
)
@click.option(
    "--alert-improvement",
    is_flag=True,
    help="Exit with 1 when something improved beyond its limit, too, until it is accepted.",
)
@click.option("--allow", metavar="FILE", multiple=True, help="TOML file of regressions that may pass; may be repeated.")
@click.option("--allow-cross", is_flag=True, help="Compare with other machines, devices and Pythons too.")
@explain_option
@options.run_options
@options.format_option(_FORMATS)
@options.output_option
@ci_options
@options.display_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> int:
    """Judge, confirm and show."""
    output = make_output(params, formats=_FORMATS)
    extras = read_ci_outputs(params)
    check_page(output)
    if params["spec"] and names_database(params["spec"]):
        params["db"], params["spec"] = params["spec"], None
    request = _request(params, passthrough_args(context), Path.cwd())
    paths = make_selection([], find_db(params["db"], Path.cwd())).paths
    with ended_like_an_interrupt(), command_feedback(output, "Reading new sessions") as feedback:
        decided = gate(paths, request, feedback=feedback, say=output.say)
    explain = partial(explain_gate_result, decided, request, params, output)
    together = output.format in {"json", HTML}  # one document holds both
    explained = explain() if together else None
    if output.format == HTML:
        write_gate(decided, gate_trends(decided, paths, output), explained, output)
    else:
        _present(decided, output, explanations_of(explained, params))
    extras.write(decided, output)
    write_explained(explained if together else explain(), params, output)
    return decided.exit_status


def _request(params: Mapping[str, Any], words: list[str] | None, folder: Path) -> GateRequest:
    rules = Rules(thresholds=parse_thresholds(params["thresholds"]), overrides=_overrides(folder))
    allowances = tuple(allowance for path in params["allow"] for allowance in read_allow_file(Path(path)))
    baseline, candidate = _sides(params["spec"], params["baseline"])
    return GateRequest(
        candidate=candidate,
        baseline=baseline,
        keyword=params["keyword"],
        where=params["where"],
        rules=rules,
        confirms=params["confirm"],
        confirm_by=params["confirm_by"],
        pythonpath=params["pythonpath"],
        fdr=params["fdr"],
        missing=params["missing"],
        require_baseline=params["require_baseline"],
        strict=params["strict"],
        alert_improvement=params["alert_improvement"],
        allow_cross=params["allow_cross"],
        allowances=allowances,
        words=None if words is None else tuple(words),
        folder=folder,
        environ=_environ(params["confirm_pause"]),
    )


def _sides(spec: str | None, baseline: str) -> tuple[str, str | None]:
    """Return the SPECs of the baseline and the candidate; a range names both."""
    if spec is None:
        return baseline, None
    *bases, candidate = sides_of([spec])
    if bases and baseline != AUTO:
        raise ConfigError(f"{spec} names a baseline, and so does --baseline {baseline}; leave one of them out")
    return (bases[0] if bases else baseline), candidate


def _environ(pause_s: float | None) -> Mapping[str, str]:
    return os.environ if pause_s is None else {**os.environ, PAUSE_VARIABLE: f"{pause_s:g}"}


def _overrides(folder: Path) -> tuple[Override, ...]:
    table, file = project_table(folder)
    thresholds = table.get(_KEY, {})
    if not isinstance(thresholds, dict):
        raise ConfigError(
            f"{file}: [tool.benchdb] {_KEY} is {thresholds!r}; give a table of globs: '*::test_io*' = 'time:20%'"
        )
    return parse_overrides(thresholds, f"{file}: [tool.benchdb.{_KEY}]")


def _present(decided: Gate, output: Output, more: Mapping[str, object]) -> None:
    if output.format in CI_FORMATS:
        output.text(ci_text(decided, output.format))
    elif output.format == "json":
        from pytest_benchdb.present.verdicts.json_ import gate_json

        output.text(gate_json(decided, more))
    elif output.format == "md":
        from pytest_benchdb.present.verdicts.markdown import gate_markdown

        output.text(gate_markdown(decided, everything=output.verbose))
    else:
        from pytest_benchdb.present.verdicts.gate import gate_lines
        from pytest_benchdb.present.verdicts.table import RenderOptions

        render = RenderOptions(total=output.width, ascii_only=output.ascii_only, verbose=output.verbose)
        output.lines(gate_lines(decided, render))
