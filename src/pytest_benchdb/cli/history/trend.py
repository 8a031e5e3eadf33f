"""`benchdb trend`: how the level of each benchmark moved over the sessions, and where it changed."""

import os
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import Output, make_output
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.model.answer.trend import Trends
from pytest_benchdb.operations.history.trend import Checkout, Wish, build_trends
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.series import NEWEST, SeriesChoice, parse_metrics
from pytest_benchdb.operations.select.sessions import split_specs

_HELP = f"""Show how the level of each benchmark moved over the sessions, and where it changed for good.

SPEC is a file or folder of sessions, or a session in the database. A series is one benchmark and metric on one machine,
as far back as the benchmark's code and unit are what they are now. Its sessions stand in the order of their commits if
this folder is a git checkout that has them all, else in that of time.

A change of level is told from 12 sessions on, if it is lasting and at least 3 %: with its size, the commits between the
last session before it and the first one after, and how sure it is; with fewer than 5 sessions after it, it is
provisional. An anomaly is a single session that stands out and did not last. Noise is the standard deviation from
session to session. Creep is a level that is more than 10 % worse than a pinned baseline.

Without --since, --until and --last the newest {NEWEST} sessions are looked at.

Example: benchdb trend results -k parse --branch main
"""


@click.command("trend", context_settings=options.CONTEXT, help=_HELP, short_help="Show levels over time, and changes.")
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@options.database_option
@options.run_options
@click.option(
    "--metric",
    metavar="NAMES",
    multiple=True,
    help="Metrics to follow: --metric wall_time,peak_rss, or all. Default: the main time of each benchmark.",
)
@options.session_options
@click.option("--branch", metavar="NAME", help="Only sessions of this branch.")
@click.option(
    "--baseline",
    metavar="SPEC",
    help="Measure creep against these sessions. Default: the baseline that `benchdb baseline set` pinned last.",
)
@click.option("--only-changed", is_flag=True, help="Only series with a change, an anomaly or creep.")
@options.format_option()
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Read, look and show."""
    output = make_output(given)
    source = split_specs(given["specs"], find_db(given["db"], Path.cwd()))
    wish = Wish(
        selection=Selection(since=given["since"], until=given["until"], last=given["last"]),
        choice=SeriesChoice(metrics=parse_metrics(given["metric"]), keyword=given["keyword"], where=given["where"]),
        branch=given["branch"],
        only_changed=given["only_changed"],
        baseline=given["baseline"],
    )
    checkout = Checkout(root=Path.cwd(), environ=os.environ)
    with feedback_of(output, "Reading new sessions") as feedback:
        trends = build_trends(source, wish, checkout, feedback=feedback)
    _present(trends, output)
    if not trends.series:
        output.say(_nothing(trends, only_changed=given["only_changed"]))


def _nothing(trends: Trends, *, only_changed: bool) -> str:
    what = "no series has changed" if only_changed else "no series"
    if trends.selection is None:
        return what if only_changed else "no benchmark has a time; --metric all shows what there is"
    return f"{what} among those that match {trends.selection}" if only_changed else f"{what} matches {trends.selection}"


def _present(trends: Trends, output: Output) -> None:
    if output.format == "table":
        from pytest_benchdb.present.history.trend import trend_lines

        output.lines(trend_lines(trends, output.width, ascii_only=output.ascii_only, all_changes=output.verbose))
        return
    from pytest_benchdb.present.history.trend import trend_csv, trend_json, trend_markdown

    writers = {"json": trend_json, "csv": trend_csv, "md": trend_markdown}
    output.text(writers[output.format](trends))
