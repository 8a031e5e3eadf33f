"""The passes of profiles and of allocations, for every kind of benchmark."""

import json

import pytest
from tests.plugin.recorded import Record, Recorded

SUITE = """
import pytest

def clean(word):
    return word.strip()

def parse(text):
    return [clean(word) for word in text.split()]

def test_bench(bench_cpu):
    bench_cpu.pedantic(parse, ("a b c",), rounds=2)

def test_setup(bench_cpu):
    bench_cpu.pedantic(parse, setup=lambda: (("a b c",), {}), rounds=2)

@pytest.mark.benchdb
def test_marked():
    parse("a b c")
"""
OF_OTHERS = """
def clean(word):
    return word.strip()

def parse(text):
    return [clean(word) for word in text.split()]

def test_plain(benchmark):
    benchmark.pedantic(parse, ("a b c",), rounds=2)

def test_setup(benchmark):
    benchmark.pedantic(parse, setup=lambda: (("a b c",), {}), rounds=2)

def test_raises(benchmark):
    calls = []
    def fails_later():
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("later")
    benchmark.pedantic(fails_later, rounds=1)
"""
VALUES = (
    "SELECT b.name, m.value, m.reason FROM measurement m JOIN benchmark b USING (benchmark_id) "
    "WHERE m.metric = 'python_calls' ORDER BY 1"
)
FILES = "SELECT a.checksum FROM attachment a WHERE a.name = 'profile.json'"


def functions(recorded: Recorded) -> list[set[str]]:
    found = []
    for (checksum,) in recorded.sql(FILES):
        document = json.loads((recorded.folder / "attachments" / checksum).read_text())
        found.append({name for _, name, _, kind in document["functions"] if kind == "python"})
    return found


def test_profile_counts_the_function_without_what_goes_around_it(record: Record) -> None:
    recorded = record(SUITE, "--benchdb-passes=profile")

    recorded.result.assert_outcomes(passed=3)
    values = {name: value for name, value, _ in recorded.sql(VALUES)}
    assert (values["test_bench"], values["test_setup"]) == (4, 4)
    assert values["test_marked"] >= 5
    assert sorted(map(sorted, functions(recorded)))[-2:] == [["clean", "parse"], ["clean", "parse"]]


def test_time_of_a_profiled_test_is_no_measurement(record: Record) -> None:
    recorded = record(SUITE, "--benchdb-passes=profile", "-k", "marked")

    sql = "SELECT valid, reason FROM measurement WHERE metric = 'wall_time'"
    ((valid, reason),) = recorded.sql(sql)
    assert not valid
    assert reason.startswith("the profile pass traced the test")


def test_profile_of_another_plugins_fixture_is_taken_too(record: Record) -> None:
    pytest.importorskip("pytest_benchmark")

    recorded = record(OF_OTHERS, "--benchdb-passes=profile")

    recorded.result.assert_outcomes(passed=3)
    values = {name: (value, reason) for name, value, reason in recorded.sql(VALUES)}
    assert (values["test_plain"][0], values["test_setup"][0]) == (4, 4)
    assert values["test_raises"] == (None, "the profile pass ended with ValueError: later")
    assert functions(recorded) == [{"clean", "parse"}] * 2


@pytest.mark.parametrize("suite", [SUITE, OF_OTHERS], ids=["bench_cpu", "benchmark"])
def test_allocations_are_attached_without_what_goes_around_the_function(record: Record, suite: str) -> None:
    if suite is OF_OTHERS:
        pytest.importorskip("pytest_benchmark")
    recorded = record(suite, "--benchdb-passes=allocations")

    documents = [
        json.loads((recorded.folder / "attachments" / checksum).read_text())
        for (checksum,) in recorded.sql("SELECT checksum FROM attachment WHERE name = 'allocations.json'")
    ]
    functions = [{line[2] for line in one["lines"]} for one in documents if one["reason"] is None]
    assert len(functions) == 2
    assert all(names and names <= {"clean", "parse"} for names in functions)


def test_failed_allocations_say_why(record: Record) -> None:
    pytest.importorskip("pytest_benchmark")
    recorded = record(OF_OTHERS, "--benchdb-passes=allocations", "-k", "raises")

    [(checksum,)] = recorded.sql("SELECT checksum FROM attachment WHERE name = 'allocations.json'")
    document = json.loads((recorded.folder / "attachments" / checksum).read_text())
    assert document["reason"] == "ValueError: later"
