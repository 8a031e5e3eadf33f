"""Parse the limits of gates: ``time:5%``, ``memory[backend=cuda]:64MiB``, ``wall_time:200us``, ``5%`` (of time).

``time<500ms`` and ``throughput>1000/s`` are budgets: limits of the value itself, not of its change.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.metric import MAINS, METRICS, STATISTICS, TIME, Better, absent_text, is_known, metrics_of
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Budget
from pytest_benchdb.operations.select.filters.where import Where, parse_where

THRESHOLD_EXAMPLES = "'time:5%', 'memory[backend=cuda]:64MiB', 'wall_time:200us' or 'time<500ms'"

_SHAPE = re.compile(
    r"\s*(?P<word>[\w.-]+)\s*(?:\[(?P<filter>.*)\])?\s*(?P<sign>[:<>])=?\s*(?P<limit>[^\[\]]*?)\s*", re.DOTALL
)
_SIGN_OF: Mapping[Better, str] = {"lower": "<", "higher": ">"}
_LIMIT = re.compile(r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>.*)", re.DOTALL)

_DECIMAL = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_SMALL = {"n": 1e-9, "u": 1e-6, "\N{MICRO SIGN}": 1e-6, "\N{GREEK SMALL LETTER MU}": 1e-6, "m": 1e-3, "": 1.0}
_UNITS: Mapping[str, tuple[str, float]] = {
    **{f"{prefix}s": ("s", size) for prefix, size in _SMALL.items()},
    "min": ("s", 60.0),
    **{f"{prefix}B": ("B", size) for prefix, size in (_DECIMAL | _BINARY).items()},
    **{f"{prefix}B/s": ("B/s", size) for prefix, size in (_DECIMAL | _BINARY).items()},
    **{f"{prefix}/s": ("1/s", size) for prefix, size in _DECIMAL.items()},
    **{f"{prefix}J": ("J", size) for prefix, size in (_SMALL | {"k": 1e3}).items()},
    **{f"{prefix}W": ("W", size) for prefix, size in (_SMALL | {"k": 1e3}).items()},
    "": ("1", 1.0),
}
_LOWER_UNITS = {symbol.lower(): meaning for symbol, meaning in reversed(list(_UNITS.items()))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """How much worse a metric may get, or how bad its value may be.

    Attributes:
        text: as the user wrote it.
        metrics: names of the metrics it limits, the preferred one first.
        first_only: whether it limits only the first of `metrics` that a benchmark has.
        where: conditions on the benchmark; without terms it applies to all.
        relative: largest share by which the metric may get worse; None without a relative limit.
        absolute: largest change, in the metric's SI unit; None without an absolute limit.
        unit: SI unit of `absolute` or `budget`.
        budget: limit of the value itself, which then is the only one; None without a budget.
    """

    text: str
    metrics: tuple[str, ...]
    first_only: bool
    where: Where
    relative: float | None = None
    absolute: float | None = None
    unit: str | None = None
    budget: Budget | None = None

    def matches(self, value: SessionValue, mains: Collection[str]) -> bool:
        """Return whether the threshold applies to a series.

        Args:
            value: any session's value of the series.
            mains: the metrics that count as the benchmark's `time` and `memory`.

        Raises:
            ConfigError: the limit's unit is not the metric's, or a budget is on the wrong side of it.
        """
        metric = value.key.metric
        if metric not in self.metrics or (self.first_only and metric not in mains):
            return False
        if not self.where.matches_value(value):
            return False
        if self.unit not in {None, value.unit}:
            raise ConfigError(_wrong(self.text, f"{metric} is measured in {value.unit!r}, not in {self.unit!r}"))
        if self.budget is not None:
            _check_side(self.text, metric, value.better)
        return True


def parse_thresholds(texts: Iterable[str]) -> tuple[Threshold, ...]:
    """Parse thresholds, keeping their order.

    Raises:
        ConfigError: a threshold is not valid.
    """
    return tuple(map(parse_threshold, texts))


def parse_threshold(text: str) -> Threshold:
    """Parse ``METRIC:LIMIT`` or ``METRIC[FILTER]:LIMIT``, or the same with ``<`` or ``>`` for a budget.

    METRIC is the name of a metric or one of `METRIC_WORDS`, by default ``time``; LIMIT is a percentage or a
    quantity with its unit; FILTER has the syntax of `-w`.

    >>> parse_threshold("throughput:5.5%").relative, parse_threshold("5%").metrics[0]
    (0.055, 'wall_time')
    >>> parse_threshold("time<500ms").budget
    Budget(most=0.5, text='time<500ms')

    Raises:
        ConfigError: the text is not of this form, or the unit is not the metric's.
    """
    match = _SHAPE.fullmatch(f"{TIME}:{text}" if _LIMIT.fullmatch(text.strip()) else text)
    if match is None or not match["limit"]:
        raise ConfigError(_wrong(text, "not of the form METRIC:LIMIT or METRIC<LIMIT"))
    word, sign = match["word"], match["sign"]
    try:
        where = parse_where(match["filter"] or "")
    except ConfigError as error:
        raise ConfigError(_wrong(text, f"its filter cannot be read ({error})")) from error
    if where.metrics:
        raise ConfigError(_wrong(text, "the metric stands before the bracket"))
    if word.lower() in STATISTICS:
        raise ConfigError(_statistic_text(text, word, sign, match["limit"]))
    relative, absolute, unit = _limit(text, match["limit"])
    metrics, budget = _metrics(text, word, unit), None
    if sign != ":":
        if absolute is None:
            raise ConfigError(_wrong(text, "a budget is a quantity, not a percentage"))
        budget, absolute = Budget(most=absolute, text=text.strip()), None
        if metrics[0] in METRICS:
            _check_side(text, word, METRICS[metrics[0]].better)
    return Threshold(
        text=text,
        metrics=metrics,
        first_only=word.lower() in MAINS,
        where=where,
        relative=relative,
        absolute=absolute,
        unit=unit,
        budget=budget,
    )


def _check_side(text: str, word: str, better: Better) -> None:
    """Refuse a budget that limits a metric in its good direction, or one of a metric without a direction."""
    sign = _SIGN_OF.get(better)
    if sign is None:
        raise ConfigError(_wrong(text, f"{word} has no better direction, so it has no budget"))
    head, bracket, limit = text.rpartition("]")
    if sign not in limit:
        right = head + bracket + limit.translate(str.maketrans("<>", "><"))
        raise ConfigError(f"threshold {text!r}: {better} is better for {word}; write {right!r}")


def _statistic_text(text: str, word: str, sign: str, limit: str) -> str:
    """Return the answer to a limit of ``--benchmark-compare-fail``, which names a statistic: ``mean:5%``.

    There, a number without a unit is of seconds.
    """
    same = f"{TIME}{sign}{limit}" + (
        "" if _LIMIT.fullmatch(limit) is None or limit[-1:].isalpha() or "%" in limit else "s"
    )
    return f"threshold {text!r}: {word} is a statistic, and a limit is of a metric; write {same}"


def unknown_metric(threshold: Threshold, measured: Iterable[str] = ()) -> str | None:
    """Return why a threshold's metric is most likely a typo; None for one of the registry or of those measured."""
    word = threshold.metrics[0]
    if is_known(word) or word in measured:
        return None
    return f"threshold {threshold.text!r}: {absent_text(word, measured)}"


def _limit(text: str, limit: str) -> tuple[float | None, float | None, str | None]:
    match = _LIMIT.fullmatch(limit)
    if match is None:
        raise ConfigError(_wrong(text, f"{limit!r} does not begin with a number"))
    number, symbol = float(match["number"]), match["unit"].strip()
    if number < 0 or not math.isfinite(number):
        raise ConfigError(
            _wrong(text, f"{limit!r} is not a limit: a limit says how much worse a metric may become, 0 or more")
        )
    if symbol == "%":
        # Divided as text, so that 5.5% is the number nearest to 0.055.
        return float(f"{match['number']}e-2") if "e" not in match["number"].lower() else number / 100, None, None
    meaning = _UNITS.get(symbol) or _LOWER_UNITS.get(symbol.lower())
    if meaning is None:
        raise ConfigError(
            _wrong(text, f"there is no unit {symbol!r}; give % or one of ns, us, ms, s, B, KiB, MiB, mJ, J, W, /s")
        )
    unit, size = meaning
    return None, number * size, unit


def _metrics(text: str, word: str, unit: str | None) -> tuple[str, ...]:
    """Return the metrics that a word means and that have the limit's unit; an unknown name means itself."""
    metrics = [METRICS[name] for name in metrics_of(word) if name in METRICS]
    if not metrics:
        return (word,)
    if all(metric.better == "none" for metric in metrics):
        raise ConfigError(_wrong(text, f"{word} has no better direction, so it cannot become worse"))
    same_unit = tuple(metric.name for metric in metrics if unit in {None, metric.unit})
    if same_unit:
        return same_unit
    expected = metrics[0].unit
    if unit == "1":
        raise ConfigError(_wrong(text, f"the limit has no unit; give a percentage or a quantity in {expected!r}"))
    raise ConfigError(_wrong(text, f"{word} is measured in {expected!r}, not in {unit!r}"))


def _wrong(text: str, what: str) -> str:
    return f"threshold {text!r}: {what}; write for example {THRESHOLD_EXAMPLES}"
