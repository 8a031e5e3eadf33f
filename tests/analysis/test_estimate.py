"""Estimates follow a law if there is one, with a measured error, and are useless otherwise."""

import math
import random
import sys
from itertools import product

import pytest

from pytest_benchdb.analysis.estimate import Case, Configuration, fit
from pytest_benchdb.errors import MissingExtraError

MODELS, DEVICES, BATCHES = {"a": 1.0, "b": 4.0, "c": 9.0}, {"x": 1.0, "y": 0.2, "z": 0.05}, (1, 2, 4, 8)
MISSING = ("b", "y")


def configuration(model: str, device: str, batch: float) -> Configuration:
    return Configuration(labels={"model": model, "device": device}, sizes={"batch": batch})


def law(model: str, device: str, batch: float) -> float:
    """Return a time that grows with the batch only where the device is full."""
    return MODELS[model] * DEVICES[device] * (1 + batch * DEVICES[device])


def cases(*, noise: float = 0.0, seed: int = 1, chaos: bool = False) -> list[Case]:
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    return [
        Case(
            configuration=configuration(model, device, batch),
            figure=math.exp(
                chance.gauss(0, 3) if chaos else math.log(law(model, device, batch)) + chance.gauss(0, noise)
            ),
        )
        for model, device, batch in product(MODELS, DEVICES, BATCHES)
        if (model, device) != MISSING
    ]


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_estimate_of_a_missing_combination_follows_the_law(batch: float) -> None:
    pytest.importorskip("sklearn")
    estimator = fit(cases(noise=0.02), whole_cells=True)

    assert estimator.estimate(configuration(*MISSING, batch)) == pytest.approx(law(*MISSING, batch), rel=0.15)


def test_accuracy_is_that_of_held_out_cases() -> None:
    pytest.importorskip("sklearn")
    accuracy = fit(cases(noise=0.02), whole_cells=True).accuracy

    assert accuracy is not None
    assert accuracy.held_out == 32
    assert accuracy.typical < 0.2 < accuracy.by_guessing
    assert accuracy.is_useful
    assert (accuracy.level, accuracy.bound > 1 + accuracy.typical) == (0.9, True)


def test_range_covers_as_many_missing_combinations_as_it_says() -> None:
    pytest.importorskip("sklearn")
    inside = []
    for seed in range(5):
        estimator = fit(cases(noise=0.05, seed=seed), whole_cells=True)
        assert estimator.accuracy is not None
        inside += [
            abs(math.log(estimator.estimate(configuration(*MISSING, batch)) / law(*MISSING, batch)))
            <= math.log(estimator.accuracy.bound)
            for batch in BATCHES
        ]

    assert sum(inside) >= 0.8 * len(inside)


def test_estimates_of_random_figures_are_no_better_than_guesses() -> None:
    pytest.importorskip("sklearn")
    accuracy = fit(cases(chaos=True), whole_cells=True).accuracy

    assert accuracy is not None
    assert accuracy.typical > 1.0
    assert not accuracy.is_useful


def test_accuracy_of_cells_that_only_they_know_is_not_reported() -> None:
    pytest.importorskip("sklearn")
    alone = [case for case in cases() if (case.configuration.labels["model"], case.configuration.labels["device"]) in {
        ("a", "x"), ("c", "z")}]  # fmt: skip

    assert fit(alone, whole_cells=True).accuracy is None


def test_estimates_do_not_change_from_run_to_run() -> None:
    pytest.importorskip("sklearn")
    first, second = (fit(cases(noise=0.1), whole_cells=False) for _ in range(2))

    assert first.accuracy == second.accuracy
    assert first.estimate(configuration(*MISSING, 3)) == second.estimate(configuration(*MISSING, 3))


def test_estimates_without_scikit_learn_name_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "sklearn" or name.startswith("sklearn.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'pytest-benchdb\[predict\]'"):
        fit(cases(), whole_cells=True)
