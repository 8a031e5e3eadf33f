"""`benchdb trend`: how the level of each benchmark moved over the sessions, and where it changed."""

import os
from pathlib import Path

import click

from pytest_benchdb.cli.decide.pages import HTML, check_page
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.options import parse_share
from pytest_benchdb.model.answer.trend import Trends
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.select.selection import NEWEST
from pytest_benchdb.present.history.trend import trend_csv, trend_json, trend_lines, trend_markdown

_FORMATS = ("table", "md", "html", "json", "csv")

_HELP = f"""Show how the level of each benchmark moved over the sessions, and where it changed for good.

SPEC is a file or folder of sessions, or a session in the database. A series is one benchmark and metric on one machine,
as far back as the benchmark's code and unit are the present ones. Its sessions are in the order of their commits if
this folder is a git checkout that has them all, else in the order of time.

With 12 sessions or more, a lasting change of level of at least --change is reported: its size, the commits between
the last session before it and the first one after, and how sure it is; with fewer than 5 sessions after it, it is
provisional. An anomaly is a single session that stands out and did not last. Noise is the standard deviation from
session to session. Creep is a level that is more than 10 % worse than a pinned baseline.

-f html writes one page that loads nothing, with a chart of each history.

Without --since, --until and --last the newest {NEWEST} sessions are read.

Example: benchdb trend results -k parse --branch main
"""


@reading_command(
    "trend",
    _HELP,
    options.specs_argument,
    options.run_options,
    options.metric_option(
        "Metrics to follow: --metric wall_time,peak_rss, or all. Default: the main time of each benchmark."
    ),
    options.session_options,
    click.option("--branch", metavar="NAME", help="Only sessions of this branch."),
    click.option(
        "--baseline",
        metavar="SPEC",
        shell_complete=complete_specs,
        help="Measure creep against these sessions. Default: the baseline that `benchdb baseline set` pinned last.",
    ),
    click.option(
        "--change", metavar="PERCENT", default="3%", help="The smallest change of level that is to be found [3%]."
    ),
    options.normalize_option,
    click.option("--only-changed", is_flag=True, help="Only series with a change, an anomaly or creep."),
    formats=_FORMATS,
)
def command(call: Call) -> None:
    """Read, follow and show."""
    params, output = call.params, call.output
    check_page(output)
    request = TrendRequest(
        branch=params["branch"],
        only_changed=params["only_changed"],
        baseline=params["baseline"],
        least_change=parse_share(params["change"], "--change"),
        normalize_by=params["normalize_by"],
        root=Path.cwd(),
        environ=os.environ,
    )
    selection = call.selection(params["specs"])
    with call.reading() as feedback:
        trends = build_trends(selection, request, feedback=feedback)
    if output.format == "table":
        output.lines(trend_lines(trends, output.width, ascii_only=output.ascii_only, verbose=output.verbose))
    else:
        output.text(_text(trends, output.format))
    if not trends.series:
        output.say(_nothing(trends, only_changed=params["only_changed"]))


def _text(trends: Trends, name: str) -> str:
    if name == HTML:
        from pytest_benchdb.present.decisions.trend import trend_html

        return trend_html(trends)
    return {"json": trend_json, "csv": trend_csv, "md": trend_markdown}[name](trends)


def _nothing(trends: Trends, *, only_changed: bool) -> str:
    what = "no series has changed" if only_changed else "no series"
    if trends.selection is None:
        there = ", ".join(trends.metrics) or "nothing else"
        return what if only_changed else f"no benchmark has a time; with --metric there are {there}"
    return f"{what} among those that match {trends.selection}" if only_changed else f"{what} matches {trends.selection}"
