"""`benchdb compare`: compare two sides, or the values of one dimension, benchmark by benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.analysis.decide import Decision
from pytest_benchdb.cli.decide.ci_outputs import CI_FORMATS, ci_options, ci_text, read_ci_outputs
from pytest_benchdb.cli.decide.pages import HTML, check_page, metrics_of_page, write_comparisons
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_metrics, complete_specs
from pytest_benchdb.cli.frame.options import CommandWithProgram
from pytest_benchdb.cli.frame.output import Output, command_feedback, make_output
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.answer.explanation import Explanations
from pytest_benchdb.model.comparison import Comparison, ComparisonRow
from pytest_benchdb.operations.compare.decide import decide_comparisons, read_rules
from pytest_benchdb.operations.compare.run import CompareRequest, compare_named, compared_anything, parse_limits
from pytest_benchdb.operations.select.series import parse_metrics
from pytest_benchdb.operations.select.spec.syntax import sides_of
from pytest_benchdb.present.verdicts.rows import ORDERS, shown_rows
from pytest_benchdb.present.writing.grid import Line, Span

_SIDES = 2
FORMATS = ("table", "md", "html", "json", "csv", *CI_FORMATS)

_HELP = """Compare two sides, benchmark by benchmark: both values, the change with its interval, the test, a verdict.

BASE and HEAD are SPECs: latest~1, label:before, branch:main~3, tag:v1*, commit:0123abc, window:5, last-good,
merge-base, HEAD~3 or what else git takes for a commit, a session file or a folder of them (all its sessions). A range
A..B names both sides. Without HEAD the newest session is the candidate; without BASE, the one before is the baseline.

With --axis the values of one dimension are compared instead: backend, model, precision, device, implementation, python,
branch, or any parameter or tag, within the newest session, or within the sessions that the SPECs name. Benchmarks are
matched by everything but that dimension.

With three sessions or more a side the verdict is Welch's test on the logarithms of one figure for each session; with
fewer, a rough interval by the rounds is shown and only what no disturbance explains is called a change. Unchanged means
that the whole interval lies within the limit; otherwise a row is inconclusive. Sides of other machines, other code of
the benchmark or another number of results are incomparable. The exit status is 0 whatever the verdicts are: `benchdb
regress` is the gate.

-f html writes one page that loads nothing: the changes as intervals on one axis, and with --axis a chart of each metric
over the axis.

With --interleave N the commits BASE and HEAD are run instead, in turn; `benchdb duet` does the same with more options.

Example: benchdb compare label:before label:after --only-changed --sort worst
"""

comparison_options = options.combine(
    click.option(
        "--metric",
        "metrics",
        metavar="NAME",
        multiple=True,
        shell_complete=complete_metrics,
        help="What to compare; may be repeated. Default: wall_time.",
    ),
    click.option("--only-changed", is_flag=True, help="Leave out what did not change or is not sure to have."),
    click.option("--sort", "order", type=click.Choice(ORDERS), help="Order within groups. Default: as recorded."),
    options.format_option(FORMATS),
    options.output_option,
    ci_options,
    options.display_options,
)


@click.command(
    "compare",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
)
@click.argument("specs", metavar="[BASE [HEAD]]", nargs=-1, shell_complete=complete_specs)
@options.database_option
@click.option("--axis", metavar="DIM", help="Compare the values of a dimension: backend, model, param:n, tag:os, ...")
@click.option("--baseline-value", metavar="VALUE", help="The value of --axis that the others are compared with.")
@options.run_options
@click.option(
    "--threshold",
    "thresholds",
    metavar="LIMIT",
    multiple=True,
    help="Smallest change that counts: 5%, or for one metric 'wall_time:200us', 'memory[backend=cuda]:64MiB'.",
)
@options.normalize_option
@click.option("--allow-cross", is_flag=True, help="Compare other machines, other Pythons and changed benchmarks too.")
@click.option("--decide", metavar="FILE", help="Judge each candidate by the rules of a TOML file.")
@click.option(
    "--interleave",
    metavar="N",
    type=click.IntRange(min=1),
    help="Run the commits BASE and HEAD in turn, N times each, and compare that: --interleave 5 -- pytest tests.",
)
@click.option(
    "--pythonpath",
    metavar="DIR",
    multiple=True,
    help="With --interleave: folder of each side that Python looks into first, such as src. May be repeated.",
)
@click.option("--require-baseline", is_flag=True, help="Exit with 3 when there is nothing to compare.")
@comparison_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> int:
    """Read, compare and show.

    Raises:
        ConfigError: an option is not valid.
        NoBaselineError: there is nothing to compare with, and `--require-baseline` was not given.
    """
    output = make_output(params, formats=FORMATS)
    writer = ComparisonWriter(params, output)
    if params["baseline_value"] is not None and params["axis"] is None:
        raise ConfigError("--baseline-value is a value of --axis; say which, as in --axis backend")
    request = replace(read_request(params), optional=metrics_of_page(output, params["axis"]))
    if params["interleave"] is not None:
        return writer.write((_interleaved(context, params, request, output),), output)
    try:
        with command_feedback(output, "Reading new sessions") as feedback:
            comparisons = compare_named(
                params["specs"] if params["axis"] else sides_of(params["specs"]),
                find_db(params["db"], Path.cwd()),
                request,
                axis=params["axis"],
                baseline_value=params["baseline_value"],
                feedback=feedback,
            )
    except NoBaselineError as error:
        if not params["require_baseline"]:
            raise
        output.say(f"nothing was compared: {error}")
        return exit_status.NO_BASELINE
    return writer.write(comparisons, output)


def read_request(params: Mapping[str, Any]) -> CompareRequest:
    """Return the request of a command's options, with defaults for options that the command lacks.

    Raises:
        ConfigError: an option is not valid.
    """
    share, thresholds = parse_limits(params["thresholds"])
    return CompareRequest(
        metrics=parse_metrics(params["metrics"]),
        keyword=params.get("keyword"),
        where=params.get("where"),
        share=share,
        thresholds=thresholds,
        allow_cross=bool(params.get("allow_cross")),
        normalize_by=params.get("normalize_by"),
    )


class ComparisonWriter:
    """Writes comparisons, and the extra files, as a command's options request."""

    def __init__(self, params: Mapping[str, Any], output: Output) -> None:
        """Check the options first, so that a mistake ends the command before any work.

        Raises:
            ConfigError: an option is not valid.
            MissingExtraError: a format needs a package that is not installed.
        """
        check_page(output)
        self._params = params
        self._extras = read_ci_outputs(params)
        self._rules = read_rules(Path(params["decide"])) if params.get("decide") else None

    def write(
        self,
        comparisons: Sequence[Comparison],
        output: Output,
        more: Mapping[str, object] | None = None,
        explanations: Explanations | None = None,
    ) -> int:
        """Write comparisons and return the exit status; `more` is added to JSON, explanations to a page.

        Raises:
            ConfigError: a format cannot represent several comparisons.
        """
        decisions = decide_comparisons(comparisons, self._rules) if self._rules is not None else ()
        if output.format == HTML:
            rows = _rows(comparisons, self._params)
            write_comparisons(comparisons, rows, output, self._params, decisions, explanations)
        else:
            _present(comparisons, decisions, output, self._params, more)
        if any(self._params[name] is not None for name in ("summary", "comment", "gitlab_metrics")):
            self._extras.write(_only(comparisons, "--summary, --comment and --gitlab-metrics"), output)
        if self._params.get("require_baseline") and not any(map(compared_anything, comparisons)):
            output.say("nothing was compared: no benchmark has a usable value on both sides")
            return exit_status.NO_BASELINE
        return exit_status.FINE


def _interleaved(
    context: click.Context, params: Mapping[str, Any], request: CompareRequest, output: Output
) -> Comparison:
    from pytest_benchdb.cli.decide.duet_run import read_duet, run_and_compare, words_of

    specs = params["specs"]
    if params["axis"] is not None or not 1 <= len(specs) <= _SIDES:
        raise ConfigError("--interleave runs one commit against another, or against the working tree: name one or two")
    base, head = [*specs, None][:_SIDES]
    from_line = context.get_parameter_source("db") is click.core.ParameterSource.COMMANDLINE
    duet_options = {
        "base": base,
        "head": head,
        "pairs": params["interleave"],
        "pythonpath": params["pythonpath"],
        "db": params["db"] if from_line else None,
    }
    return run_and_compare(read_duet(duet_options, words_of(context, output)), request, output)


def _rows(comparisons: Sequence[Comparison], params: Mapping[str, Any]) -> list[list[ComparisonRow]]:
    """Return the rows that the options ask for, in their order."""
    return [
        shown_rows(comparison.rows, only_changed=params["only_changed"], order=params["order"])
        for comparison in comparisons
    ]


def _present(
    comparisons: Sequence[Comparison],
    decisions: Sequence[Decision],
    output: Output,
    params: Mapping[str, Any],
    more: Mapping[str, object] | None = None,
) -> None:
    rows = _rows(comparisons, params)
    if output.format in CI_FORMATS:
        output.text(ci_text(_only(comparisons, f"-f {output.format}"), output.format))
    elif output.format == "json":
        from pytest_benchdb.present.verdicts.json_ import comparisons_json

        output.text(comparisons_json(comparisons, rows, decisions, more))
    elif output.format == "csv":
        from pytest_benchdb.present.verdicts.json_ import comparisons_csv

        output.text(comparisons_csv(comparisons, rows))
    elif output.format == "md":
        from pytest_benchdb.present.verdicts.markdown import comparisons_markdown

        output.text(comparisons_markdown(comparisons, rows, decisions, verbose=output.verbose))
    else:
        output.lines(_lines(comparisons, rows, decisions, output, factors=bool(params.get("axis") or decisions)))


def _lines(
    comparisons: Sequence[Comparison],
    rows: Sequence[Sequence[Any]],
    decisions: Sequence[Decision],
    output: Output,
    *,
    factors: bool,
) -> list[Line]:
    from pytest_benchdb.present.verdicts.decision import decision_lines
    from pytest_benchdb.present.verdicts.table import RenderOptions, comparison_lines

    render = RenderOptions(total=output.width, ascii_only=output.ascii_only, verbose=output.verbose, factors=factors)
    lines: list[Line] = []
    for number, (comparison, shown) in enumerate(zip(comparisons, rows, strict=True)):
        lines += [(Span(""),), (Span(""),)] if number else []
        lines += comparison_lines(comparison, shown, render)
        if decisions:
            lines += decision_lines(decisions[number], output.width, ascii_only=output.ascii_only)
    return lines


def _only(comparisons: Sequence[Comparison], what: str) -> Comparison:
    """Return the single comparison; CI formats cannot represent an axis with more than two values."""
    if len(comparisons) != 1:
        raise ConfigError(
            f"{what} can show one candidate, and --axis found {len(comparisons)}; leave two values with -w"
        )
    return comparisons[0]
