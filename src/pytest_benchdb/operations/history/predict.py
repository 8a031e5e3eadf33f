"""Estimate unmeasured combinations of model, device and batch size from the measured ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

from pytest_benchdb.analysis.estimate import LEAST_CASES, LEAST_HELD_OUT, Case, Configuration, Estimator, fit
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.estimate import Accuracy, EstimateRow, Estimates
from pytest_benchdb.model.metric import MAIN_TIMES, metrics_of
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.history.observations import Observation, observe_configurations
from pytest_benchdb.operations.select.filters.keyword import matches_glob
from pytest_benchdb.operations.select.selection import Selection, open_selection
from pytest_benchdb.operations.select.series import read_series

LABELS = ("model", "device", "precision", "implementation", "workload", "version")
"""The labels in which configurations may differ, apart from sizes."""

SIZES = ("batch_size", "sequence_length")
MOST_ROWS = 500

_METRICS = ("throughput", *MAIN_TIMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """The configurations to estimate.

    Attributes:
        labels: patterns by label, with ``*`` and ``?``; other labels take every measured value.
        sizes: values by size; other sizes take every measured value.
    """

    labels: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainingSet:
    """The measured configurations.

    Attributes:
        shared: labels and sizes that do not vary, with their value as text; empty text if some cases lack it.
        labels: labels that vary, with their values.
        sizes: sizes that vary, with their values in ascending order.
    """

    cases: tuple[Case, ...]
    shared: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, tuple[float, ...]]


def predict(selection: Selection, request: PredictRequest, *, feedback: Feedback = SILENT) -> Estimates:
    """Estimate the requested configurations that were not measured.

    Args:
        selection: sessions, series and the metric; by default throughput or a time, whichever most configurations
            have.
        request: the configurations.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time, a name or a label is not valid.
        MissingExtraError: scikit-learn is not installed.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    with_metrics = selection if selection.metrics else replace(selection, metrics=_METRICS)
    with open_selection(selection, feedback) as selected:
        series = read_series(selected.reader, selected.sessions, with_metrics, optional=not selection.metrics)
    values = [value for each in series for value in each.values]
    labelled = [
        observation
        for observation in observe_configurations(values)
        if "model" in observation.texts or "model" in observation.numbers
    ]
    # The metric that most configurations have; the first on a tie.
    candidates = [name for word in with_metrics.metrics for name in metrics_of(word)]
    metric = max(candidates, key=lambda name: sum(name in observation.figures for observation in labelled))
    measured = [observation for observation in labelled if observation.figures.get(metric, 0.0) > 0]
    training = _training_set(measured, metric)
    refusal = _refusal(training, request)
    return Estimates(
        sources=tuple(map(str, selection.paths)),
        metric=metric,
        unit=next((observation.units[metric] for observation in measured), "1"),
        cases=len(training.cases),
        sessions=len({value.session_id for value in values if value.value is not None}),
        rows=() if refusal else tuple(_rows(training, request)),
        refusal=refusal,
        selection=selection.text(),
    )


def _training_set(observations: Sequence[Observation], metric: str) -> _TrainingSet:
    configurations = [_configuration(observation) for observation in observations]
    labels = {name: tuple(sorted({each.labels.get(name, "") for each in configurations})) for name in LABELS}
    sizes = {name: tuple(sorted({each.sizes[name] for each in configurations if name in each.sizes})) for name in SIZES}
    differing = {name: values for name, values in labels.items() if len(values) > 1}
    # A size that some configurations lack cannot be used.
    common = {name for name in sizes if all(name in configuration.sizes for configuration in configurations)}
    complete = {name: values for name, values in sizes.items() if len(values) > 1 and name in common}
    cases: dict[tuple[object, ...], Case] = {}
    for observation, configuration in zip(observations, configurations, strict=True):
        kept = Configuration(
            labels={name: configuration.labels.get(name, "") for name in differing},
            sizes={name: configuration.sizes[name] for name in complete},
        )
        key = (kept.cell, *kept.sizes.items())
        if key in cases:
            raise ConfigError(
                f"{observation.fullname} and another benchmark have the same {_text(kept) or 'labels'}; "
                "select one of them with -k or -w"
            )
        cases[key] = Case(configuration=kept, figure=observation.figures[metric])
    shared = {name: values[0] for name, values in labels.items() if len(values) == 1}
    shared |= {name: f"{values[0]:g}" if len(values) == 1 else "" for name, values in sizes.items()}
    return _TrainingSet(
        cases=tuple(cases.values()),
        shared={name: value for name, value in shared.items() if name not in complete},
        labels=differing,
        sizes=complete,
    )


def _configuration(observation: Observation) -> Configuration:
    texts = {**observation.texts, **{name: f"{number:g}" for name, number in observation.numbers.items()}}
    labels = {name: texts[name] for name in LABELS if name in texts and name != "device"}
    sizes = {name: observation.numbers[name] for name in SIZES if observation.numbers.get(name, 0.0) > 0}
    return Configuration(
        labels={**labels, **({"device": observation.device} if observation.device else {})}, sizes=sizes
    )


def _refusal(training: _TrainingSet, request: PredictRequest) -> str | None:
    """Return why nothing can be estimated; None if estimates are possible."""
    if not training.cases:
        return "no benchmark has a model label and this metric; label tests with @pytest.mark.benchdb(model=...)"
    if len(training.cases) < LEAST_CASES:
        return f"{len(training.cases)} measured configurations are too few: estimates need {LEAST_CASES}"
    requested = {
        **request.labels,
        **{name: tuple(f"{size:g}" for size in sizes) for name, sizes in request.sizes.items()},
    }
    for name, patterns in requested.items():
        if name in training.shared and not all(
            matches_glob(training.shared[name].lower(), pattern.lower()) for pattern in patterns
        ):
            why = f"all have {training.shared[name]}" if training.shared[name] else "some of them lack it"
            return f"the measured configurations do not differ in {name} ({why}), so its effect is not known"
    return None


def _rows(training: _TrainingSet, request: PredictRequest) -> Iterable[EstimateRow]:
    figures = {(case.configuration.cell, *case.configuration.sizes.items()): case.figure for case in training.cases}
    cells = {case.configuration.cell for case in training.cases}
    explicit = bool(request.labels or request.sizes)
    estimators: dict[bool, Estimator] = {}
    for configuration in _requested(training, request):
        row = partial(EstimateRow, labels=configuration.labels, sizes=configuration.sizes)
        measured = figures.get((configuration.cell, *configuration.sizes.items()))
        outside = _outside(configuration, training)
        if measured is not None:
            if explicit:
                yield row(measured=measured)
        elif outside is not None:
            yield row(refusal=outside)
        else:
            is_new = configuration.cell not in cells
            if is_new not in estimators:
                estimators[is_new] = fit(training.cases, whole_cells=is_new)
            accuracy = estimators[is_new].accuracy
            refusal = _inaccurate(accuracy)
            if accuracy is None or refusal is not None:
                yield row(refusal=refusal, accuracy=accuracy)
            else:
                estimate = estimators[is_new].estimate(configuration)
                low, high = estimate / accuracy.bound, estimate * accuracy.bound
                yield row(estimate=estimate, low=low, high=high, accuracy=accuracy)


def _inaccurate(accuracy: Accuracy | None) -> str | None:
    """Return why this accuracy is not good enough for an estimate; None if it is."""
    if accuracy is None:
        return f"fewer than {LEAST_HELD_OUT} measured configurations could be estimated from the others"
    if accuracy.is_useful:
        return None
    return (
        f"estimates of held-out configurations were off by {accuracy.typical * 100:.0f} %, which is no better than "
        f"guessing ({accuracy.by_guessing * 100:.0f} %)"
    )


def _requested(training: _TrainingSet, request: PredictRequest) -> list[Configuration]:
    """Return the requested configurations: every combination of the named values, or of the measured ones.

    Raises:
        ConfigError: a label was never measured, or there are too many combinations.
    """
    labels = {
        name: _matching_values(name, request.labels.get(name), values) for name, values in training.labels.items()
    }
    sizes = {name: request.sizes.get(name, values) for name, values in training.sizes.items()}
    combinations = [
        Configuration(labels=dict(zip(labels, texts, strict=True)), sizes=dict(zip(sizes, numbers, strict=True)))
        for texts in product(*labels.values())
        for numbers in product(*sizes.values())
    ]
    if len(combinations) > MOST_ROWS:
        raise ConfigError(
            f"{len(combinations)} combinations are more than {MOST_ROWS}: "
            "name fewer with --model, --device, --batch, -k or -w"
        )
    return combinations


def _matching_values(name: str, patterns: tuple[str, ...] | None, values: Sequence[str]) -> list[str]:
    if patterns is None:
        return list(values)
    named: list[str] = []
    for pattern in patterns:
        matching = [value for value in values if matches_glob(value.lower(), pattern.lower())]
        if not matching:
            raise ConfigError(f"--{name} {pattern}: never measured; choose from {', '.join(values)}")
        named += matching
    return list(dict.fromkeys(named))


def _outside(configuration: Configuration, training: _TrainingSet) -> str | None:
    for name, size in configuration.sizes.items():
        low, high = training.sizes[name][0], training.sizes[name][-1]
        if not low <= size <= high:
            return f"{name} {size:g} is outside the measured range, {low:g} to {high:g}"
    return None


def _text(configuration: Configuration) -> str:
    parts = [f"{name} {value}" for name, value in configuration.labels.items()]
    return ", ".join(parts + [f"{name} {size:g}" for name, size in configuration.sizes.items()])
