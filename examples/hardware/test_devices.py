"""The same work on each device that is there: a matrix product where torch is, sums where it is not."""

import math

import pytest


def dot(rows, columns):
    return [[math.fsum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in rows]


@pytest.mark.benchdb(workload="microbenchmark", precision="fp64", implementation="python")
def test_product(bench_cpu):
    matrix = [[math.sin(row * column + 1) for column in range(24)] for row in range(24)]
    flops = 2 * 24**3

    product = bench_cpu(dot, matrix, matrix, items=1, flops=flops)

    assert len(product) == 24


@pytest.mark.benchdb(model="toy", workload="inference", batch_size=8)
def test_phases(bench_cpu):
    with bench_cpu.phase("load"):
        weights = [math.cos(number) for number in range(20_000)]
    with bench_cpu.phase("tokenize"):
        text = [str(weight) for weight in weights]
    bench_cpu(lambda: [float(word) for word in text], items=len(text))
    bench_cpu.record("accuracy", 1.0, unit="1", better="higher")


@pytest.mark.benchdb(workload="inference", precision="fp32", implementation="torch")
def test_linear(bench_each):
    torch = pytest.importorskip("torch")
    if bench_each.backend not in {"cpu", "cuda", "rocm", "mps", "xpu"}:
        pytest.skip("torch has no such device")
    device = bench_each.device
    layer, batch = torch.nn.Linear(256, 256).to(device), torch.ones(8, 256, device=device)

    with torch.inference_mode():
        bench_each(layer, batch, items=8)


def test_simulated_power(bench_sim):
    """500 W for 0.1 s are 50 J; the row is marked as simulated and enters no ranking."""
    bench_sim(lambda: bench_sim.device.work(0.1, watts=500))


def test_training_loop(bench_cpu):
    weight = 0.0
    for step in bench_cpu.steps(20, warmup=2, samples_per_step=64):
        with step.data():
            batch = [number / 64 for number in range(64)]
        with step.forward():
            loss = sum((weight * x - 3 * x) ** 2 for x in batch) / 64
        with step.backward():
            gradient = sum(2 * x * (weight * x - 3 * x) for x in batch) / 64
        with step.optimizer():
            weight -= 0.5 * gradient
        step.record("loss", loss)
