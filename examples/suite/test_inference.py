"""A plain test with labels: no benchmark fixture, the body of the test is what is measured."""

import math

import pytest

WEIGHTS = [[math.sin(row * column + 1) for column in range(64)] for row in range(64)]
BATCH = [[math.cos(item + column) for column in range(64)] for item in range(8)]


def forward(weights, item):
    """Return one dense layer with a ReLU, in pure Python."""
    return [max(0.0, sum(weight * value for weight, value in zip(row, item, strict=True))) for row in weights]


@pytest.mark.benchdb(model="tiny-dense", version="v1", precision="fp64", batch_size=8, workload="inference")
def test_forward_batch():
    outputs = [forward(WEIGHTS, item) for item in BATCH]

    assert len(outputs) == len(BATCH)
