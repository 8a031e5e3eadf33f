"""Work on text: JSON, regular expressions, digests."""

import hashlib
import json
import re
import zlib

import pytest

RECORDS = [{"id": number, "name": f"user {number}", "tags": ["a", "b"], "score": number / 7} for number in range(500)]
LOG = "\n".join(
    f"2026-01-01T00:00:{number % 60:02d} INFO worker-{number % 8} took {number} ms" for number in range(500)
)
LINE = re.compile(r"^(\S+) (\w+) worker-(\d) took (\d+) ms$", re.MULTILINE)


@pytest.mark.benchmark(group="json")
def test_json_dumps(benchmark):
    text = benchmark(json.dumps, RECORDS)

    assert json.loads(text) == RECORDS


@pytest.mark.benchmark(group="json")
def test_json_loads(benchmark):
    text = json.dumps(RECORDS)

    assert benchmark(json.loads, text) == RECORDS


def test_regex_findall(benchmark):
    assert len(benchmark(LINE.findall, LOG)) == 500


@pytest.mark.benchmark(group="digest")
@pytest.mark.parametrize("name", ["sha256", "blake2b"])
def test_digest(benchmark, name):
    payload = LOG.encode() * 20

    benchmark.extra_info["payload_bytes"] = len(payload)

    assert benchmark(lambda: hashlib.new(name, payload).digest())


def test_compress(benchmark):
    payload = LOG.encode()

    packed = benchmark.pedantic(zlib.compress, args=(payload, 6), rounds=30, warmup_rounds=2, iterations=1)

    assert zlib.decompress(packed) == payload
