"""Reads options, environment, pyproject and ini into one frozen `Settings`.

Precedence: command line, then ``BENCHDB_*``, then ``[tool.benchdb]``, then the ini file, then the default.

PYTEST_DONT_REWRITE
"""

import contextlib
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_benchdb.environment.toml_files import benchdb_table
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.plugin.options import CONFIG_ONLY, COUNTING_VARIABLE, OPTIONS, Option

DEFAULT_PATH = ".benchdb"
LAST_SESSION = "latest~1"
CHANGE = "change"
"""The column of the summary that no report has."""
INSTRUCTIONS = "instructions"
PASSES = ("memory", "memray", "energy", "counters", INSTRUCTIONS, "series", "profile", "allocations")
"""Names that ``--benchdb-passes`` accepts besides ``time``, which always runs."""
MOST_CONFIRMS = 20
TABLES = frozenset({"thresholds"})
"""Keys of ``[tool.benchdb]`` that are tables; the code that uses them reads them."""
OVERRIDES_KEY = pytest.StashKey[Mapping[str, Any]]()
"""Settings by key that override all others, in the process of a re-run."""
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_OF_THE_GATE = frozenset({"baseline", "confirm", "alert_improvement"})
_NOT_IDLE = frozenset({"db", "record", "project"})
"""Keys that the commands read as well, or that say whether to record."""
_BY_KEY = {option.key: option for option in (*OPTIONS, *CONFIG_ONLY) if option.key is not None}


class Settings(NamedTuple):
    """What this run records and where; paths are as the user wrote them.

    Attributes:
        path: PATH of ``--benchdb=PATH``.
        project: name to store; None takes the name of the checkout.
        tags: values of ``--benchdb-tag`` by key.
        everything: record plain tests too.
        keep_rounds: keep raw rounds, not only their statistics.
        reports: files to write the session's report to.
        json_path: file to write pytest-benchmark's JSON to.
        strict: fail the run when the results cannot be stored or judged.
        backends: selected devices; empty means ``auto``.
        passes: passes to make after timing.
        fail_on: limits of the gate at the end of the run; empty for no gate.
        baseline: what the gate compares with.
        confirm: how many re-runs must repeat a regression; None for the gate's default.
        serial: whether benchmarks run alone under xdist.
        alert_improvement: whether an improvement beyond its limit fails the gate too.
        grid_gco2_per_kwh: grams of CO2 that the electricity grid emits for each kWh; None stores no CO2.
        compare: SPEC to compare this session with; None for no comparison.
        columns: names of the columns of the table at the end of the run; empty for the usual ones.
    """

    path: str
    project: str | None
    label: str | None
    tags: Mapping[str, str]
    note: str | None
    everything: bool
    keep_rounds: bool
    reports: tuple[str, ...]
    json_path: str | None
    strict: bool
    backends: tuple[str, ...]
    passes: tuple[str, ...]
    fail_on: tuple[str, ...] = ()
    baseline: str = "auto"
    confirm: int | None = None
    alert_improvement: bool = False
    serial: bool = False
    grid_gco2_per_kwh: float | None = None
    compare: str | None = None
    columns: tuple[str, ...] = ()


class Sources:
    """The sources of settings, in order of precedence."""

    def __init__(self, config: Any, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = environ
        self._overrides = config.stash.get(OVERRIDES_KEY, {})
        self._pyproject = _pyproject_table(config.rootpath / "pyproject.toml")

    @property
    def is_rerun(self) -> bool:
        """Whether this process runs suspects of the gate again, with the arguments of the run that started it."""
        return bool(self._overrides)

    @property
    def counts(self) -> bool:
        """Whether this process counts instructions instead of timing."""
        return COUNTING_VARIABLE in self._environ

    def get(self, key: str) -> tuple[Any, str]:
        """Return the value of a key and the name of the source that sets it; the value is None if it is not set.

        ``--benchdb`` without a PATH is an empty text, and leaves the PATH to the other sources.
        """
        option = _BY_KEY[key]
        if key in self._overrides:
            return self._overrides[key], "the gate"
        if option.flag.startswith("--"):
            value = getattr(self._config.option, option.dest)
            if value is not None and value != "":
                return value, option.flag
        variable = f"BENCHDB_{key.upper()}"
        if variable in self._environ:
            value = self._environ[variable]
            return (value.splitlines() if option.kind == "list" else value), variable
        if key in self._pyproject:
            return self._pyproject[key], f"[tool.benchdb] {key}"
        return self._config.getini(f"benchdb_{key}"), f"benchdb_{key}"

    def on_command_line(self) -> list[Option]:
        """Return the options on the command line, with or without a value; `addopts` is part of it."""
        return [option for option in OPTIONS if getattr(self._config.option, option.dest) is not None]

    def in_variables(self) -> dict[str, Option]:
        """Return the options that environment variables set, by variable."""
        variables = {f"BENCHDB_{key.upper()}": option for key, option in _BY_KEY.items()}
        return {name: option for name, option in variables.items() if self._environ.get(name)}

    def flag(self, key: str) -> bool | None:
        """Return a setting that is on or off; None if it is not set.

        Raises:
            ConfigError: the value is neither.
        """
        value, place = self.get(key)
        if value is None or isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise ConfigError(f"{place} is {value!r}; give true or false")

    def text(self, key: str) -> str | None:
        """Return a setting that is a text; None if it is not set or empty.

        Raises:
            ConfigError: the value is not a text.
        """
        value, place = self.get(key)
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"{place} is {value!r}; give a text")
        return value or None

    def items(self, key: str) -> list[str]:
        """Return a setting that is a list of texts; empty if it is not set.

        Raises:
            ConfigError: the value is not a list of texts.
        """
        value, place = self.get(key)
        if isinstance(value, Mapping):  # [tool.benchdb.tags]
            return [f"{name}={text}" for name, text in value.items()]
        value = [value] if isinstance(value, str) else value or []
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ConfigError(f"{place} is {value!r}; give a list of texts")
        return [text.strip() for text in value if text.strip()]


def recording_is_on(sources: Sources) -> bool:
    """Return whether this run records.

    Options of the command line are about this run, so that those which need a recording turn it on. The same settings
    elsewhere are defaults for the runs that record.

    Raises:
        ConfigError: ``record`` is neither true nor false, or an option is about a gate that this run does not have.
    """
    given = sources.on_command_line()
    idle = [option.flag for option in given if option.key in _OF_THE_GATE]
    if idle and not sources.items("fail_on") and not sources.is_rerun:
        raise ConfigError(
            f"{idle[0]} is about the gate, and no limit is set; give one too: --benchdb-fail-on=time:5%, or leave "
            f"{idle[0]} out"
        )
    return any(option.records for option in given) or bool(sources.flag("record")) or bool(idle)


def without_effect(sources: Sources) -> str | None:
    """Return what a run that does not record has to say about the environment's variables; None if none is set.

    A variable is set for a few commands; an ini file or a `pyproject.toml` is for all, and so says nothing.
    """
    names = [name for name, option in sources.in_variables().items() if option.records and option.key not in _NOT_IDLE]
    if not names:
        return None
    verb = "does" if len(names) == 1 else "do"
    return f"benchdb: not recording, so {' and '.join(names)} {verb} nothing; --benchdb records"


def read_settings(config: Any, sources: Sources) -> Settings:
    """Read the settings of a run that records.

    Raises:
        ConfigError: a value cannot be used.
        MissingExtraError: a report's format needs a package that is not installed.
    """
    raw = False if config.option.no_benchdb_raw else sources.flag("raw")
    return Settings(
        path=sources.text("db") or DEFAULT_PATH,
        project=sources.text("project"),
        label=sources.text("label"),
        tags=_tags(sources),
        note=sources.text("note"),
        everything=bool(sources.flag("all")),
        keep_rounds=raw is not False,
        reports=tuple(_checked_report(path) for path in sources.items("report")),
        json_path=sources.text("json"),
        strict=bool(sources.flag("strict")),
        backends=backends_selected(sources),
        passes=passes_selected(sources),
        fail_on=_limits(sources),
        baseline=_baseline(sources),
        confirm=_confirms(sources),
        alert_improvement=bool(sources.flag("alert_improvement")),
        serial=bool(sources.flag("serial")),
        grid_gco2_per_kwh=_grid_factor(sources),
        compare=_compare(sources),
        columns=_columns(sources),
    )


def _limits(sources: Sources) -> tuple[str, ...]:
    """Return the limits of the gate, parsed now so that a wrong one ends the run before its first test."""
    texts = tuple(sources.items("fail_on"))
    if texts:
        from pytest_benchdb.operations.select.filters.threshold import parse_thresholds

        with _errors_of("--benchdb-fail-on"):
            parse_thresholds(texts)
    return texts


def _baseline(sources: Sources) -> str:
    text = sources.text("baseline")
    if text is None:
        return "auto"
    from pytest_benchdb.operations.select.spec.syntax import parse_spec

    with _errors_of("--benchdb-baseline"):
        parse_spec(text)
    return text


def _compare(sources: Sources) -> str | None:
    """Return the SPEC to compare with; a folder of tests that follows the option is refused, not taken for one."""
    text = sources.text("compare")
    if text is None:
        is_asked_for = any(option.key == "compare" for option in sources.on_command_line())
        return LAST_SESSION if is_asked_for else None
    path = Path(text)
    if "::" in text or path.suffix == ".py" or (path.is_dir() and not any(path.glob("*.duckdb"))):
        raise ConfigError(
            f"--benchdb-compare {text}: these are tests, not a session; write --benchdb-compare={LAST_SESSION} {text}"
        )
    from pytest_benchdb.operations.compare.sides import parse_side

    with _errors_of("--benchdb-compare"):
        parse_side(text)
    return text


def _columns(sources: Sources) -> tuple[str, ...]:
    """Return the names of columns as reports know them, and `CHANGE`, which only the summary has."""
    text = sources.text("columns")
    if text is None:
        return ()
    from pytest_benchdb.present.report.columns import columns_named, percentiles_named

    names = [name.strip().lower() for name in text.split(",")]
    try:
        known = [name if name == CHANGE else columns_named([name])[0].key for name in names]
    except ConfigError as error:
        text = str(error).replace("choose from ", f"choose from {CHANGE}, ")
        raise ConfigError(f"--benchdb-columns: {text}") from error
    if percentiles_named(known):
        raise ConfigError(
            f"--benchdb-columns: percentiles other than p95 and p99 are computed from the rounds by: "
            f"benchdb report --columns {text}"
        )
    return tuple(dict.fromkeys(known))


@contextlib.contextmanager
def _errors_of(option: str) -> Iterator[None]:
    """Prefix the message of a `ConfigError` with the name of the option."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from error


def _confirms(sources: Sources) -> int | None:
    value, place = sources.get("confirm")
    if value in {None, ""}:
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or int(text) > MOST_CONFIRMS:
        raise ConfigError(f"{place} is {value!r}; give a number of re-runs from 0 to {MOST_CONFIRMS}")
    return int(text)


def _grid_factor(sources: Sources) -> float | None:
    value, place = sources.get("grid_gco2_per_kwh")
    return None if value in {None, ""} else grid_factor(value, place)


def grid_factor(value: object, place: str) -> float:
    """Return grams of CO2 per kWh.

    Raises:
        ConfigError: the value is not a finite number of at least 0; the message names its place.
    """
    try:
        grams = math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        grams = math.nan
    if not 0 <= grams < math.inf:
        raise ConfigError(f"{place} is {value!r}; give the grams of CO2 for each kWh of your grid, such as 350")
    return grams


def _tags(sources: Sources) -> dict[str, str]:
    tags = {}
    for text in sources.items("tags"):
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--benchdb-tag {text!r} has no '='; give K=V, for example --benchdb-tag machine=lab3")
        tags[key.strip()] = value.strip()
    return tags


def _checked_report(path: str) -> str:
    from pytest_benchdb.present.report.formats import format_of

    name = format_of(path)
    if name is None:
        message = f"--benchdb-report {path!r}: the ending selects the format; give a .md, .json, .csv or .html file"
        raise ConfigError(message)
    if name == "html":
        from pytest_benchdb.present.html.shell import require_jinja

        require_jinja()  # now rather than after the last test
    return path


def _pyproject_table(path: Path) -> Mapping[str, Any]:
    """Return ``[tool.benchdb]``, after checking its keys."""
    table = benchdb_table(path)
    for key in table:
        if key not in _BY_KEY and key not in TABLES:
            known = ", ".join(sorted({*_BY_KEY, *TABLES}))
            raise ConfigError(f"{path}: [tool.benchdb] has an unknown key {key!r}; known are {known}")
    return table


def backends_selected(sources: Sources) -> tuple[str, ...]:
    """Return the devices that ``--benchdb-backends`` names, as users wrote them; empty means ``auto``.

    Raises:
        ConfigError: the value is not a text.
    """
    return tuple(text.strip() for text in (sources.text("backends") or "").split(",") if text.strip())


def passes_selected(sources: Sources) -> tuple[str, ...]:
    """Return the passes that ``--benchdb-passes`` names, in the order in which they run.

    Raises:
        ConfigError: one of them is unknown, or the value is not a text.
    """
    if sources.counts:
        return (INSTRUCTIONS,)
    names = [text.strip() for text in (sources.text("passes") or "").split(",") if text.strip()]
    return known_passes(names, "--benchdb-passes")


def known_passes(names: Collection[str], option: str) -> tuple[str, ...]:
    """Return these passes in the order in which they run, without ``time``, which always runs.

    Raises:
        ConfigError: one of them is unknown; the message names the option.
    """
    for name in names:
        if name not in {"time", *PASSES}:
            known = ", ".join(("time", *PASSES))
            raise ConfigError(f"{option} {name!r} is unknown; give some of {known}, comma-separated")
    return tuple(name for name in PASSES if name in names)
