"""Estimate unmeasured figures from measured ones, with the error on held-out cases.

The logarithm of a figure is modelled as a sum of one term per label and a parabola in the logarithm of each size, such
as the batch size; in a second form, each label has its own slope. Ridge regression avoids overfitting few cases.
Cross-validation chooses the form and measures the error.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import Any, Literal

from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.model.answer.estimate import Accuracy

LEAST_CASES = 12
"""Number of configurations that must have been measured."""

LEAST_HELD_OUT = 6
"""Number of cases that must have been estimated from others before any estimate is given."""

Form = Literal["sum", "bent"]

_FOLDS = 10
_INNER_FOLDS = 5
_LEVEL = 0.9
_STRENGTHS = (0.001, 0.01, 0.1, 1.0)
_FORMS: tuple[Form, ...] = ("sum", "bent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The labels and sizes of a figure.

    Attributes:
        labels: such as ``model`` and ``device``.
        sizes: such as ``batch_size``; above 0.
    """

    labels: Mapping[str, str]
    sizes: Mapping[str, float]

    @property
    def cell(self) -> tuple[tuple[str, str], ...]:
        """The labels without the sizes."""
        return tuple(sorted(self.labels.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A measured configuration, with its figure, above 0."""

    configuration: Configuration
    figure: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """Estimates figures from cases; use `fit`.

    Attributes:
        form: the form with the smaller error on held-out cases.
        accuracy: on held-out cases; None if too few could be estimated from the others.
    """

    form: Form
    accuracy: Accuracy | None
    _columns: "_Columns"
    _model: Any

    def estimate(self, configuration: Configuration) -> float:
        """Return the estimate for a configuration; all of its labels must have been measured."""
        return math.exp(float(self._model.predict([self._columns.row(configuration, self.form)])[0]))


def fit(cases: Sequence[Case], *, whole_cells: bool) -> Estimator:
    """Fit the cases, and measure the error of estimates.

    For each held-out fold, the form is chosen from the other folds alone, so that the error is not too optimistic.

    Args:
        cases: at least 12, each configuration once.
        whole_cells: hold out all sizes of the same labels together, as for a combination of labels that was never
            measured; otherwise single cases, as for a size between measured ones.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    groups = [case.configuration.cell if whole_cells else (index,) for index, case in enumerate(cases)]
    errors, guesses = [], []
    for rest, held in _folds(cases, groups, _FOLDS):
        train = [cases[index] for index in rest]
        inside = [groups[index] for index in rest]
        columns = _Columns.of(train)
        estimable = [index for index in held if columns.knows(cases[index].configuration)]
        if not estimable:
            continue
        form = _best_form(train, inside)
        model = _fit_ridge(train, columns, form)
        middle = median([math.log(case.figure) for case in train])
        for index in estimable:
            figure = math.log(cases[index].figure)
            errors.append(float(model.predict([columns.row(cases[index].configuration, form)])[0]) - figure)
            guesses.append(middle - figure)
    columns = _Columns.of(cases)
    form = _best_form(cases, groups)
    return Estimator(
        form=form,
        accuracy=_accuracy(errors, guesses) if len(errors) >= LEAST_HELD_OUT else None,
        _columns=columns,
        _model=_fit_ridge(cases, columns, form),
    )


def _accuracy(errors: Sequence[float], guesses: Sequence[float]) -> Accuracy:
    sizes = sorted(abs(error) for error in errors)
    # The rank that covers another case with this probability (V. Vovk et al., Algorithmic Learning, 2005).
    rank = min(math.ceil(_LEVEL * (len(sizes) + 1)), len(sizes))
    return Accuracy(
        held_out=len(sizes),
        typical=math.expm1(median(sizes)),
        bound=math.exp(sizes[rank - 1]),
        level=min(_LEVEL, rank / (len(sizes) + 1)),
        by_guessing=math.expm1(median([abs(guess) for guess in guesses])),
    )


def _best_form(cases: Sequence[Case], groups: Sequence[object]) -> Form:
    """Return the form with the smallest median error on held-out cases."""
    folds = list(_folds(cases, groups, _INNER_FOLDS))
    return min(_FORMS, key=lambda form: _typical_error(cases, folds, form))


def _typical_error(cases: Sequence[Case], folds: Sequence[tuple[list[int], list[int]]], form: Form) -> float:
    errors = []
    for rest, held in folds:
        train = [cases[index] for index in rest]
        columns = _Columns.of(train)
        estimable = [cases[index] for index in held if columns.knows(cases[index].configuration)]
        if estimable:
            rows = [columns.row(case.configuration, form) for case in estimable]
            logs = _fit_ridge(train, columns, form).predict(rows)
            errors += [abs(float(log) - math.log(case.figure)) for log, case in zip(logs, estimable, strict=True)]
    return median(errors) if errors else math.inf


def _folds(cases: Sequence[Case], groups: Sequence[object], most: int) -> "list[tuple[list[int], list[int]]]":
    """Return pairs of training and held-out indices; no group is in both."""
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    if len(numbers) < 2:  # noqa: PLR2004 - no training cases would be left
        return []
    splitter = _import_sklearn("model_selection").GroupKFold(min(most, len(numbers)))
    splits = splitter.split([[0]] * len(cases), groups=[numbers[group] for group in groups])
    return [(rest.tolist(), held.tolist()) for rest, held in splits]


def _fit_ridge(cases: Sequence[Case], columns: "_Columns", form: Form) -> Any:
    model = _import_sklearn("linear_model").RidgeCV(alphas=_STRENGTHS)
    rows = [columns.row(case.configuration, form) for case in cases]
    return model.fit(rows, [math.log(case.figure) for case in cases])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Encodes a configuration as a row of numbers.

    Attributes:
        labels: name and value of every label.
        sizes: name of every size, with the mean of its logarithms to base 2.
    """

    labels: tuple[tuple[str, str], ...]
    sizes: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, cases: Sequence[Case]) -> "_Columns":
        labels = sorted({item for case in cases for item in case.configuration.labels.items()})
        logs: dict[str, list[float]] = {}
        for case in cases:
            for name, size in case.configuration.sizes.items():
                logs.setdefault(name, []).append(math.log2(size))
        return cls(
            labels=tuple(labels),
            sizes=tuple((name, math.fsum(values) / len(values)) for name, values in sorted(logs.items())),
        )

    def knows(self, configuration: Configuration) -> bool:
        return set(configuration.labels.items()) <= set(self.labels)

    def row(self, configuration: Configuration, form: Form) -> list[float]:
        indicators = [float(configuration.labels.get(name) == value) for name, value in self.labels]
        logs = [math.log2(configuration.sizes[name]) - mean for name, mean in self.sizes]
        row = [*indicators, *logs, *(log * log for log in logs)]
        if form == "bent":
            row += [indicator * log for indicator in indicators for log in logs]
        return row


def _import_sklearn(part: str) -> Any:
    try:
        return import_module(f"sklearn.{part}")
    except ImportError as error:
        raise MissingExtraError(
            "estimates need scikit-learn; install it with: pip install 'pytest-benchdb[predict]'"
        ) from error
