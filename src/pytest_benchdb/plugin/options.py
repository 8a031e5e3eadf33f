"""The table of all recording options: their names on the command line, in variables, pyproject and ini.

PYTEST_DONT_REWRITE
"""

from typing import Any, NamedTuple

ISOLATED_VARIABLE = "BENCHDB_ISOLATED"
RERUN_VARIABLE = "BENCHDB_RERUN"
"""Environment variables that give a pytest process what to run: an isolated test, or suspects of the gate."""
COUNTING_VARIABLE = "BENCHDB_COUNTING"
"""Environment variable that makes a pytest process count instructions instead of timing; `benchdb count` sets it."""


class Option(NamedTuple):
    """An option, and how users write it.

    Attributes:
        flag: on the command line.
        key: in ``[tool.benchdb]``; the ini key is ``benchdb_<key>``, the variable ``BENCHDB_<KEY>``.
            None for an option of the command line only.
        kind: `text`, `flag`, `path` or `spec` (the value may be left out), or `list` (may be repeated; in a variable or
            an ini file, one per line).
        metavar: name of the value in the help.
        help: one sentence.
        records: whether it turns recording on where it is on the command line; elsewhere none but `record` does.
    """

    flag: str
    key: str | None
    kind: str
    metavar: str | None
    help: str
    records: bool = True

    @property
    def dest(self) -> str:
        """The name under which pytest keeps the value."""
        return self.flag.lstrip("-").replace("-", "_")


OPTIONS = (
    Option(
        "--benchdb",
        "db",
        "path",
        "PATH",
        "Record every benchmark of this run into PATH: a folder (one DuckDB file per session) or a .duckdb file "
        "(default: .benchdb/). Write it with '='.",
    ),
    Option("--no-benchdb", None, "flag", None, "Record nothing, whatever the configuration says.", records=False),
    Option("--benchdb-label", "label", "text", "TEXT", "Name this session."),
    Option("--benchdb-tag", "tags", "list", "K=V", "Tag this session; may be repeated."),
    Option("--benchdb-note", "note", "text", "TEXT", "Keep a free text with this session."),
    Option(
        "--benchdb-backends",
        "backends",
        "text",
        "LIST",
        "Devices that bench_each runs on, comma-separated: cpu,cuda:0,... (default: auto, all hardware that is there).",
        records=False,
    ),
    Option(
        "--benchdb-passes",
        "passes",
        "text",
        "LIST",
        "What is measured besides times: memory, memray, energy, counters, instructions, series, profile, "
        "allocations (default: nothing).",
    ),
    Option(
        "--benchdb-grid-gco2-per-kwh",
        "grid_gco2_per_kwh",
        "text",
        "GRAMS",
        "Store the CO2 of measured energy too, at this many grams for each kWh of the electricity grid (default: off).",
    ),
    Option("--benchdb-all", "all", "flag", None, "Record plain tests too, one round each."),
    Option(
        "--benchdb-serial",
        "serial",
        "flag",
        None,
        "Under pytest-xdist, run benchmarks after the other tests, one at a time and while no other test runs.",
    ),
    Option("--benchdb-raw", "raw", "flag", None, "Keep every round of a benchmark (default)."),
    Option("--no-benchdb-raw", None, "flag", None, "Keep the statistics of the rounds only."),
    Option(
        "--benchdb-compare",
        "compare",
        "spec",
        "SPEC",
        "Compare this session with another one at the end of the run: latest~1 (default), label:before, main, ... "
        "Write it with '='.",
    ),
    Option(
        "--benchdb-columns",
        "columns",
        "text",
        "NAMES",
        "Columns of the table at the end of the run, comma-separated: benchmark,median,change,relative,ops,... "
        "(default: what was measured, and the change since the last run).",
    ),
    Option(
        "--benchdb-report",
        "report",
        "list",
        "FILE",
        "Write the report of this session to FILE (.md, .json, .csv or .html); may be repeated.",
    ),
    Option("--benchdb-json", "json", "text", "FILE", "Write this session in pytest-benchmark's JSON format too."),
    Option(
        "--benchdb-fail-on",
        "fail_on",
        "list",
        "LIMIT",
        "Fail the run if a metric became worse than its history allows: time:5%, memory[backend=cuda]:64MiB; or is "
        "beyond a budget: 'time<500ms', 'throughput>1000/s'; may be repeated (default: no gate).",
    ),
    Option(
        "--benchdb-alert-improvement",
        "alert_improvement",
        "flag",
        None,
        "Fail the run if a limited metric improved beyond its limit, too, until it is accepted with benchdb accept.",
        records=False,
    ),
    Option(
        "--benchdb-baseline",
        "baseline",
        "text",
        "SPEC",
        "What --benchdb-fail-on compares with (default: auto).",
        records=False,
    ),
    Option(
        "--benchdb-confirm",
        "confirm",
        "text",
        "N",
        "Run what looks worse N times again in fresh processes, and fail only on what all of them repeat; 0 for none "
        "(default: count or run both commits where the checkout has them, else 2).",
        records=False,
    ),
    Option(
        "--benchdb-strict",
        "strict",
        "flag",
        None,
        "Fail the run when the results cannot be stored or judged (default: warn and keep the journal).",
    ),
)

CONFIG_ONLY = (
    Option("record", "record", "flag", None, "Record every run, as if --benchdb were given."),
    Option("project", "project", "text", "NAME", "Name of the project (default: [project] name, or the git remote's)."),
)
"""Settings without a command-line option; they are named like the others elsewhere."""


def add_options(parser: Any) -> None:
    """Register the options and their ini keys with pytest."""
    group = parser.getgroup("benchdb", "benchmark database (pytest-benchdb)")
    for option in OPTIONS:
        text = option.help.replace("%", "%%")  # argparse interpolates it
        if option.kind == "flag":
            group.addoption(option.flag, action="store_true", default=None, help=text)
        elif option.kind == "list":
            group.addoption(option.flag, action="append", metavar=option.metavar, help=text)
        elif option.kind in {"path", "spec"}:
            group.addoption(option.flag, nargs="?", const="", metavar=option.metavar, help=text)
        else:
            group.addoption(option.flag, metavar=option.metavar, help=text)
    for option in (*OPTIONS, *CONFIG_ONLY):
        if option.key is not None:
            ini_type = {"list": "linelist"}.get(option.kind, "string")
            parser.addini(f"benchdb_{option.key}", option.help, type=ini_type, default=None)
