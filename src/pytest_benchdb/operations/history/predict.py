"""Estimates for combinations of model, device and batch that nobody measured, from those that were."""

import datetime as dt
import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from pytest_benchdb.analysis.estimate import LEAST_CASES, LEAST_HELD_OUT, Case, Configuration, Estimator, fit
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.estimate import Accuracy, EstimateRow, Estimates
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.history.observations import Observation, by_configuration
from pytest_benchdb.operations.select.filters.threshold import MAIN_TIMES
from pytest_benchdb.operations.select.selection import Selection, named_sessions
from pytest_benchdb.operations.select.series import SeriesChoice, pick_sessions, read_series
from pytest_benchdb.operations.select.sessions import Source, stored_sessions
from pytest_benchdb.operations.select.spec.context import spec_context

LABELS = ("model", "device", "precision", "implementation", "workload", "version")
"""What estimates go by, beside sizes; those in which the measured configurations differ."""

SIZES = ("batch_size", "sequence_length")
MOST_ROWS = 500

_METRICS = ("throughput", *MAIN_TIMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionWish:
    """What is to be estimated.

    Attributes:
        selection: times and number of the sessions.
        choice: filters, and the metric; without one the throughput, or a time, whichever most configurations have.
        labels: the values that are asked for, by label, with ``*`` and ``?``; one that is not there stands for all.
        sizes: the sizes that are asked for, likewise.
    """

    selection: Selection
    choice: SeriesChoice
    labels: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What was measured, and what that allows.

    Attributes:
        cases: the measured configurations with their figures.
        labels: the labels in which they differ, with their values.
        sizes: the sizes in which they differ, with the measured ones.
        shared: the value of each label and size in which they do not differ, as text; empty where it is not told.
    """

    cases: tuple[Case, ...]
    shared: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, tuple[float, ...]]


def predict(
    source: Source, wish: PredictionWish, *, now: dt.datetime | None = None, feedback: Feedback = SILENT
) -> Estimates:
    """Estimate what is asked for and was not measured.

    Args:
        source: files and folders, and names of sessions in them.
        wish: which configurations, of which metric.
        now: the current time, for spans such as ``7d``; None takes the clock.
        feedback: told about progress and about sessions that could not be read.

    Raises:
        ConfigError: a filter, a time, a name or a label cannot be used.
        MissingExtraError: scikit-learn is not installed.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    moment = now or dt.datetime.now(dt.timezone.utc)
    choice = SeriesChoice(metrics=wish.choice.metrics or _METRICS, keyword=wish.choice.keyword, where=wish.choice.where)
    with open_source(source.paths, feedback) as reader:
        everything = stored_sessions(reader, source.paths)
        named = named_sessions(everything, source, spec_context(reader, warn=feedback.warn))
        chosen = pick_sessions(everything, named, wish.selection, moment)
        values = [value for series in read_series(reader, chosen, choice) for value in series.values]
    labelled = [one for one in by_configuration(values) if "model" in one.texts or "model" in one.numbers]
    metric = _metric(labelled, choice.metrics)
    measured = [one for one in labelled if one.figures.get(metric, 0.0) > 0]
    ground = _ground(measured, metric)
    refusal = _refusal(ground, wish)
    return Estimates(
        sources=tuple(map(str, source.paths)),
        metric=metric,
        unit=next((one.units[metric] for one in measured), "1"),
        cases=len(ground.cases),
        sessions=len({value.session_id for value in values if value.value is not None}),
        rows=() if refusal else tuple(_rows(ground, wish)),
        refusal=refusal,
        selection=wish.choice.text(),
    )


def _metric(observations: Sequence[Observation], metrics: Sequence[str]) -> str:
    """Return the metric that most configurations have; of equals the first."""
    return max(metrics, key=lambda name: sum(name in one.figures for one in observations))


def _ground(observations: Sequence[Observation], metric: str) -> _Ground:
    told = [_configuration(one) for one in observations]
    labels = {name: tuple(sorted({one.labels.get(name, "") for one in told})) for name in LABELS}
    sizes = {name: tuple(sorted({one.sizes[name] for one in told if name in one.sizes})) for name in SIZES}
    differing = {name: values for name, values in labels.items() if len(values) > 1}
    # A size that some configurations lack is none by which they could be compared.
    complete = {
        name: values for name, values in sizes.items() if len(values) > 1 and all(name in one.sizes for one in told)
    }
    cases: dict[tuple[object, ...], Case] = {}
    for one, configuration in zip(observations, told, strict=True):
        kept = Configuration(
            labels={name: configuration.labels.get(name, "") for name in differing},
            sizes={name: configuration.sizes[name] for name in complete},
        )
        key = (kept.cell, *kept.sizes.items())
        if key in cases:
            raise ConfigError(
                f"{one.fullname} and another benchmark have the same {_text(kept) or 'labels'}: which of them counts "
                "must be told with -k or -w"
            )
        cases[key] = Case(configuration=kept, figure=one.figures[metric])
    shared = {name: values[0] for name, values in labels.items() if len(values) == 1}
    shared |= {name: f"{values[0]:g}" if len(values) == 1 else "" for name, values in sizes.items()}
    return _Ground(
        cases=tuple(cases.values()),
        shared={name: value for name, value in shared.items() if name not in complete},
        labels=differing,
        sizes=complete,
    )


def _configuration(one: Observation) -> Configuration:
    texts = {**one.texts, **{name: f"{number:g}" for name, number in one.numbers.items()}}
    labels = {name: texts[name] for name in LABELS if name in texts and name != "device"}
    sizes = {name: one.numbers[name] for name in SIZES if one.numbers.get(name, 0.0) > 0}
    return Configuration(labels={**labels, **({"device": one.device} if one.device else {})}, sizes=sizes)


def _refusal(ground: _Ground, wish: PredictionWish) -> str | None:
    """Return why nothing can be estimated; None if something may."""
    if not ground.cases:
        return "no benchmark has a model label and this metric; label tests with @pytest.mark.benchdb(model=...)"
    if len(ground.cases) < LEAST_CASES:
        return f"{len(ground.cases)} measured configurations are too few: estimates need {LEAST_CASES}"
    asked = {**wish.labels, **{name: tuple(f"{size:g}" for size in sizes) for name, sizes in wish.sizes.items()}}
    for name, wanted in asked.items():
        if name in ground.shared and not all(_fits(ground.shared[name], pattern) for pattern in wanted):
            known = f"all have {ground.shared[name]}" if ground.shared[name] else "not all of them tell it"
            return f"the measured configurations do not differ in {name} ({known}), so that its effect is not known"
    return None


def _rows(ground: _Ground, wish: PredictionWish) -> Iterable[EstimateRow]:
    wanted = _wanted(ground, wish)
    figures = {(case.configuration.cell, *case.configuration.sizes.items()): case.figure for case in ground.cases}
    cells = {case.configuration.cell for case in ground.cases}
    explicit = bool(wish.labels or wish.sizes)
    estimators: dict[bool, Estimator] = {}
    for configuration in wanted:
        measured = figures.get((configuration.cell, *configuration.sizes.items()))
        if measured is not None:
            if explicit:
                yield EstimateRow(labels=configuration.labels, sizes=configuration.sizes, measured=measured)
            continue
        outside = _outside(configuration, ground)
        if outside is not None:
            yield EstimateRow(labels=configuration.labels, sizes=configuration.sizes, refusal=outside)
            continue
        is_new = configuration.cell not in cells
        if is_new not in estimators:
            estimators[is_new] = fit(ground.cases, whole_cells=is_new)
        yield _estimated(configuration, estimators[is_new], estimators[is_new].accuracy)


def _estimated(configuration: Configuration, estimator: Estimator, accuracy: Accuracy | None) -> EstimateRow:
    if accuracy is None:
        refusal = f"fewer than {LEAST_HELD_OUT} measured configurations could be estimated from the others"
        return EstimateRow(labels=configuration.labels, sizes=configuration.sizes, refusal=refusal)
    if not accuracy.is_useful:
        refusal = (
            f"estimates of held-out configurations were off by {accuracy.typical * 100:.0f} %, which is no better than "
            f"guessing ({accuracy.by_guessing * 100:.0f} %)"
        )
        return EstimateRow(labels=configuration.labels, sizes=configuration.sizes, refusal=refusal, accuracy=accuracy)
    estimate = estimator.estimate(configuration)
    return EstimateRow(
        labels=configuration.labels,
        sizes=configuration.sizes,
        estimate=estimate,
        low=estimate / accuracy.bound,
        high=estimate * accuracy.bound,
        accuracy=accuracy,
    )


def _wanted(ground: _Ground, wish: PredictionWish) -> list[Configuration]:
    """Return the configurations that are asked for: every combination of what is named, else of what was measured.

    Raises:
        ConfigError: a label was never measured, or the combinations are too many.
    """
    labels = {name: _named(name, wish.labels.get(name), values) for name, values in ground.labels.items()}
    sizes = {name: wish.sizes.get(name, values) for name, values in ground.sizes.items()}
    found = [
        Configuration(labels=dict(zip(labels, chosen, strict=True)), sizes=dict(zip(sizes, numbers, strict=True)))
        for chosen in product(*labels.values())
        for numbers in product(*sizes.values())
    ]
    if len(found) > MOST_ROWS:
        raise ConfigError(
            f"{len(found)} combinations are more than {MOST_ROWS}: name fewer with --model, --device, --batch, -k or -w"
        )
    return found


def _named(name: str, patterns: tuple[str, ...] | None, values: Sequence[str]) -> list[str]:
    if patterns is None:
        return list(values)
    found: list[str] = []
    for pattern in patterns:
        fitting = [value for value in values if _fits(value, pattern)]
        if not fitting:
            raise ConfigError(
                f"--{name} {pattern}: never measured, so that nothing is known of it; there are {', '.join(values)}"
            )
        found += fitting
    return list(dict.fromkeys(found))


def _fits(value: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(value.lower(), pattern.lower().replace("[", "[[]"))


def _outside(configuration: Configuration, ground: _Ground) -> str | None:
    for name, size in configuration.sizes.items():
        low, high = ground.sizes[name][0], ground.sizes[name][-1]
        if not low <= size <= high:
            return f"{name} {size:g} lies outside of what was measured, {low:g} to {high:g}"
    return None


def _text(configuration: Configuration) -> str:
    parts = [f"{name} {value}" for name, value in configuration.labels.items()]
    return ", ".join(parts + [f"{name} {size:g}" for name, size in configuration.sizes.items()])
