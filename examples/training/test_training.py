"""A training loop: on one device, and on one and two ranks that average their gradients."""

import random

import pytest

FEATURES = 16
BATCH = 64
TRUTH = [float(feature) for feature in range(FEATURES)]


def batch_of(generator):
    inputs = [[generator.gauss(0, 1) for _ in range(FEATURES)] for _ in range(BATCH)]
    return inputs, [dot(TRUTH, item) for item in inputs]


def dot(left, right):
    return sum(a * b for a, b in zip(left, right, strict=True))


@pytest.mark.benchdb(model="line", workload="training", batch_size=BATCH)
def test_loop(bench):
    generator = random.Random(0)
    weights = [0.0] * FEATURES
    losses = []

    for step in bench.steps(20, warmup=2, samples_per_step=BATCH):
        with step.data():
            inputs, targets = batch_of(generator)
        with step.forward():
            errors = [dot(weights, item) - target for item, target in zip(inputs, targets, strict=True)]
        with step.backward():
            columns = zip(*inputs, strict=True)
            gradients = [2 * dot(errors, column) / BATCH for column in columns]
        with step.optimizer():
            weights = [weight - 0.1 * gradient for weight, gradient in zip(weights, gradients, strict=True)]
        losses.append(dot(errors, errors) / BATCH)
        step.record("loss", losses[-1])

    assert losses[-1] < losses[0] / 10


def train(rank, steps):
    """Train on one rank of several; the other processes find this function by its name."""
    import torch
    import torch.distributed

    torch.manual_seed(rank.rank)
    weights = torch.zeros(FEATURES, requires_grad=True)
    for step in rank.steps(steps, warmup=2, samples_per_step=BATCH):
        with step.data():
            inputs = torch.randn(BATCH, FEATURES)
            targets = inputs @ torch.tensor(TRUTH)
        with step.forward():
            loss = torch.mean((inputs @ weights - targets) ** 2)
        with step.backward():
            (gradients,) = torch.autograd.grad(loss, weights)
            torch.distributed.all_reduce(gradients)
        with step.optimizer(), torch.no_grad():
            weights -= 0.1 * gradients / rank.world_size
        step.record("loss", loss)
    return loss.item()


@pytest.mark.benchdb(model="line", workload="training", batch_size=BATCH, implementation="gloo")
def test_ranks(bench_cpu):
    pytest.importorskip("torch")

    result = bench_cpu.distributed(train, 20, world_sizes=(1, 2))

    assert all(loss < 100 for losses in result.results.values() for loss in losses)
