"""`--explain` of the commands that judge: why each benchmark that regressed became slower or larger."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.decide.ci_outputs import read_ci_outputs
from pytest_benchdb.cli.decide.duet_run import DUET_DB, run_feedback
from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.model.answer.explanation import Explanations
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.operations.duet.plan import Duet
from pytest_benchdb.operations.exchange.output_file import append_file
from pytest_benchdb.operations.gate.request import GateRequest

explain_option = click.option(
    "--explain",
    is_flag=True,
    help="Run both commits once more and say which functions or lines made each regression; also in --comment, "
    "--summary and -f json.",
)


def explain_gate_result(
    decided: Gate, request: GateRequest, params: Mapping[str, Any], output: Output
) -> Explanations | None:
    """Return why benchmarks failed a gate; None if none did, or that was not asked for."""
    from pytest_benchdb.operations.explain.regressions import explain_gate

    if not params["explain"]:
        return None
    with run_feedback("Counting", output) as feedback:
        return explain_gate(decided, request, Path(DUET_DB), feedback)


def explain_duet_result(
    comparison: Comparison, duet: Duet, params: Mapping[str, Any], output: Output
) -> Explanations | None:
    """Return why benchmarks became slower or larger in a duet; None if none did, or that was not asked for."""
    from pytest_benchdb.operations.explain.regressions import explain_comparison

    if not params["explain"]:
        return None
    with run_feedback("Counting", output) as feedback:
        return explain_comparison(comparison, lambda: duet, Path.cwd(), os.environ, feedback)


def explanations_of(explanations: Explanations | None, params: Mapping[str, Any]) -> Mapping[str, object]:
    """Return what JSON has more with `--explain`."""
    from pytest_benchdb.present.explain.page import explanation_values

    if not params["explain"]:
        return {}
    return {"explanations": [] if explanations is None else explanation_values(explanations)}


def write_explained(explanations: Explanations | None, params: Mapping[str, Any], output: Output) -> None:
    """Write explanations below the verdicts, and into the files of CI; nothing without any.

    Raises:
        ConfigError: a file cannot be written.
    """
    from pytest_benchdb.cli.decide.explain import write_explanations
    from pytest_benchdb.present.explain.page import explanation_markdown

    if explanations is None:
        return
    if output.path is None and output.format in {"table", "md"}:
        write_explanations(explanations, output)
    extras = read_ci_outputs(params)
    for path in (extras.comment, extras.summary):
        if path is not None:
            text = "\n" + explanation_markdown(explanations, heading="###")
            append_file(path, text.encode("utf-8", "backslashreplace"))
