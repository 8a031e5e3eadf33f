"""Every method of the object that the bench fixtures give, each in a test of its own."""

import itertools
import json
import random
import zlib

TEXT = json.dumps({str(number): number for number in range(2_000)}).encode()


def test_call(bench_cpu):
    compressed = bench_cpu(zlib.compress, TEXT, 6, items=1, bytes=len(TEXT))

    assert zlib.decompress(compressed) == TEXT


def test_options(bench_cpu):
    bench_cpu.options(rounds=20, iterations=50, warmup_rounds=5, gc=False)
    bench_cpu(sorted, list(range(1_000)))


def test_pedantic(bench_cpu):
    def fresh_list():
        return ([random.Random(1).random() for _ in range(1_000)],), {}

    # `sort` changes its list, so each round needs a new one.
    bench_cpu.pedantic(list.sort, setup=fresh_list, rounds=50)


def test_phase(bench_cpu):
    with bench_cpu.phase("compress"):
        compressed = bench_cpu(zlib.compress, TEXT)
    with bench_cpu.phase("decompress"):
        bench_cpu(zlib.decompress, compressed)


def test_sweep(bench_cpu):
    for point in bench_cpu.sweep(size=[1_000, 10_000], level=[1, 9]):
        with point:
            text = TEXT[: point.size]
            compressed = bench_cpu(zlib.compress, text, point.level, bytes=point.size)
            bench_cpu.record("compression_ratio", point.size / len(compressed), unit="1", better="higher")


def test_record_and_attach(bench_cpu, tmp_path):
    compressed = bench_cpu(zlib.compress, TEXT)
    bench_cpu.record("compression_ratio", len(TEXT) / len(compressed), unit="1", better="higher")
    bench_cpu.result_count = len(compressed)
    bench_cpu.extra_info["zlib"] = zlib.ZLIB_VERSION

    output = tmp_path / "output.zlib"
    output.write_bytes(compressed)
    bench_cpu.attach(output)


def test_steps(bench_cpu):
    weight = 4.0
    for step in bench_cpu.steps(20, warmup=2, samples_per_step=1):
        with step.forward():
            loss = weight**2
        with step.optimizer():
            weight -= 0.1 * 2 * weight
        step.record("loss", loss)


def test_stream(bench_cpu):
    def answer():
        yield from itertools.repeat("token ", 20)

    result = bench_cpu.stream(answer, requests=5, warmup=1, tokens="chunks")

    assert not result.failed


def work(rank, terms):
    for _ in rank.steps(5, warmup=1, samples_per_step=terms):
        sum(number * number for number in range(terms))
    return rank.rank


def test_distributed(bench_cpu):
    result = bench_cpu.distributed(work, 20_000, world_sizes=(1, 2), backend=None)

    assert result.results == {1: (0,), 2: (0, 1)}
