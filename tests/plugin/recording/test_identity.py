import numpy as np
import pytest

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.plugin.recording.identity import (
    gate_rule_of,
    id_of_params,
    labels_from,
    labels_of,
    labels_of_params,
)


def marked(**labels: object) -> list[pytest.Mark]:
    return [getattr(pytest.mark.benchdb(**labels), "mark")]  # noqa: B009 - mypy knows no such attribute


def test_labels_take_scalars_of_numpy() -> None:
    labels, problem = labels_of(
        "test_a.py::test_a",
        marked(batch_size=np.int64(8), sequence_length=np.array(128), model=np.str_("bert"), isolate=np.bool_(True)),
    )

    assert (labels, problem) == (Labels(batch_size=8, sequence_length=128, model="bert"), None)
    assert {type(labels.batch_size), type(labels.sequence_length), type(labels.model)} == {int, str}


def test_gate_rule_takes_scalars_of_numpy() -> None:
    assert gate_rule_of(marked(max_regression=np.float32(0.5), gate=np.bool_(False))) == {
        "max_regression": 0.5,
        "gate": False,
    }


def test_parameters_of_sweeps_and_scripts_take_scalars_of_numpy() -> None:
    params = {"batch_size": np.int64(8), "precision": np.str_("fp16"), "n": np.array(3), "shape": np.arange(2)}

    assert id_of_params(params) == "8-fp16-3-shape=[0, 1]"
    assert labels_of_params(Labels(), params) == Labels(batch_size=8, precision="fp16")
    assert labels_from({"batch_size": np.int64(8)}) == Labels(batch_size=8)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"workload": "bogus"}, "(workload='bogus') is unknown; give one of training, inference, serving, "),
        ({"batch_size": np.float64(8)}, "(batch_size=8.0) is not a whole number"),
        ({"batch_size": np.arange(2)}, "is not a whole number"),
        ({"max_regression": np.nan}, "is not a share"),
        ({"isolate": 1}, "is neither True nor False"),
    ],
    ids=str,
)
def test_labels_refuse_other_values(labels: dict[str, object], words: str) -> None:
    found, problem = labels_of("test_a.py::test_a", marked(**labels))

    assert found == Labels()
    assert problem is not None
    assert problem.startswith("test_a.py::test_a: @pytest.mark.benchdb")
    assert words in problem
