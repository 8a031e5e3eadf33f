"""Benchmarks on the toy accelerator, with the fixture that its backend brings."""

VECTOR = [float(number) for number in range(256)]


def test_dot(bench_example):
    accelerator = bench_example.device

    result = bench_example(accelerator.dot, VECTOR, VECTOR, items=len(VECTOR))

    assert result == [sum(number * number for number in VECTOR)]


def test_phases(bench_example):
    accelerator = bench_example.device
    with bench_example.phase("load"):
        accelerator.allocate(2048)
    with bench_example.phase("compute"):
        result = accelerator.dot(VECTOR, VECTOR)
    accelerator.free(2048)

    assert len(result) == 1
