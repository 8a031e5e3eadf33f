"""Values whose classes raise, lie or never end: they cost themselves at most, and the tests pass as without us."""

import json
import os

import pytest
from tests.plugin.recorded import Record, Recorded

SUITE = """
import enum

import pytest

class Loud(str):
    def __str__(self): raise RuntimeError("no text")
    def __eq__(self, other): raise RuntimeError("no comparison")
    def __hash__(self): return 1
    __repr__ = __len__ = __iter__ = __format__ = __bool__ = __str__

class NotText(str):
    def __str__(self): return 5

class Number(int):
    def __int__(self): raise RuntimeError("no number")
    __hash__ = int.__hash__
    def __eq__(self, other): raise RuntimeError("no comparison")
    __index__ = __float__ = __str__ = __repr__ = __bool__ = __int__

class Real(float):
    def __float__(self): raise RuntimeError("no number")
    __str__ = __repr__ = __bool__ = __int__ = __float__

class NoItems(dict):
    def items(self): raise RuntimeError("no items")
    __iter__ = __len__ = keys = __bool__ = items

class EndlessDict(dict):
    def items(self):
        while True:
            yield "a", 1

class EndlessList(list):
    def __iter__(self):
        while True:
            yield 1

class Exits:
    def __getattr__(self, name): raise SystemExit(3)
    def __str__(self): raise SystemExit(3)
    __repr__ = __bool__ = __len__ = __eq__ = __hash__ = __str__

class NoClass:
    @property
    def __class__(self): raise RuntimeError("no class")

class ExitClass:
    @property
    def __class__(self): raise SystemExit(4)

class Everything:
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self

class Scalar:
    ndim = 0
    def item(self): return self

class Array:
    ndim, shape = 2, ("a", None)
    def tolist(self): return [self]

class Nested:
    ndim, shape = 1, (1,)
    def tolist(self): return [Nested()]

class Named:
    __qualname__ = Loud("q")

class Meta(type):
    def __getattribute__(cls, name):
        if name in {"__name__", "__qualname__", "__module__"}:
            raise RuntimeError(name)
        return super().__getattribute__(name)

class WithMeta(metaclass=Meta):
    pass

class NoName(enum.Enum):
    A = 1
    @property
    def name(self): raise RuntimeError("no name")

LIST, DICT, DEEP = [], {}, []
LIST.append(LIST)
DICT["me"] = DICT
for _ in range(50_000):
    DEEP = [DEEP]

VALUES = {
    "loud": Loud("a"), "not text": NotText("a"), "number": Number(3), "real": Real(1.5), "no items": NoItems(a=1),
    "endless dict": EndlessDict(a=1), "endless list": EndlessList([1]), "exits": Exits(), "no class": NoClass(),
    "exit class": ExitClass(), "everything": Everything(), "scalar": Scalar(), "array": Array(), "nested": Nested(),
    "named": Named(), "with meta": WithMeta(), "meta": WithMeta, "no name": NoName.A, "list": LIST, "dict": DICT,
    "deep": DEEP, "generator": (n for n in iter(int, 1)), "huge number": 10**100_000, "huge text": "x" * 5_000_000,
    "surrogate": "a\\ud800b", "nan keys": {float("nan"): 1, float("nan"): 2}, "null": "\\0",
    "loud key": {Loud("k"): 1}, "number key": {Number(1): 2}, "set": {Loud("x"), 2}, "tuple": (Loud("x"), Real(2)),
}
by_name = pytest.mark.parametrize("name", list(VALUES))

@by_name
def test_value(benchmark, name):
    benchmark.extra_info["value"] = VALUES[name]
    benchmark.pedantic(len, ("abc",), rounds=2)

@by_name
def test_replaced(bench_cpu, name):
    bench_cpu.pedantic(len, ("abc",), rounds=2)
    bench_cpu.extra_info = VALUES[name]

@by_name
def test_group(benchmark, name):
    benchmark.pedantic(len, ("abc",), rounds=2)
    benchmark.group = VALUES[name]

@by_name
def test_count(bench_cpu, name):
    bench_cpu.pedantic(len, ("abc",), rounds=2)
    bench_cpu.result_count = VALUES[name]

PARAMS = {name: value for name, value in VALUES.items() if name not in {"no class", "exit class"}}

@pytest.mark.parametrize("value", list(PARAMS.values()), ids=list(PARAMS))
def test_param(benchmark, value):
    benchmark.pedantic(len, ("abc",), rounds=2)

@pytest.mark.benchdb(model=Loud("bert"), version=NotText("v1"), batch_size=8)
def test_label():
    pass
"""

REFUSED_LABELS = """
import pytest

class Exits:
    def __str__(self): raise SystemExit(3)
    __repr__ = __str__

class NoClass:
    @property
    def __class__(self): raise RuntimeError("no class")

@pytest.mark.benchdb(model=Exits())
def test_text():
    pass

@pytest.mark.benchdb(batch_size=NoClass())
def test_count():
    pass

def test_after(benchmark):
    benchmark(len, "abc")
"""


CHECKED = ("loud", "not text", "number", "real", "no items", "exits", "no class", "surrogate", "loud key", "tuple")


def test_hostile_values_cost_themselves_at_most(record: Record) -> None:
    recorded = record(SUITE, timeout=240)

    assert recorded.result.ret == 0, recorded.text
    assert set(recorded.outcomes().values()) == {"passed"}
    assert recorded.one("SELECT count(*), complete FROM run, session GROUP BY ALL") == (4 * 31 + 29 + 1, True)
    assert recorded.sql("SELECT reason FROM run WHERE reason IS NOT NULL") == []
    assert recorded.one("SELECT count(*) FROM measurement WHERE metric = 'wall_time' AND NOT valid") == (0,)
    assert values_of(recorded) == {
        "loud": "a",
        "not text": "a",
        "number": 3,
        "real": 1.5,
        "no items": "<test_suite.NoItems>",
        "exits": "<test_suite.Exits>",
        "no class": "<test_suite.NoClass>",
        "surrogate": "a\\ud800b",
        "loud key": {"k": 1},
        "tuple": ["x", 2.0],
    }


def test_what_is_not_stored_is_said_with_its_place(record: Record) -> None:
    recorded = record(SUITE, "-k", "test_value and exits")

    said = "test_value[exits]: extra_info['value'] is not stored as it is: test_suite.Exits raised SystemExit"
    assert f"benchdb: test_suite.py::{said}" in recorded.result.outlines


def test_label_that_cannot_be_read_fails_its_test_alone(record: Record) -> None:
    recorded = record(REFUSED_LABELS)

    recorded.result.assert_outcomes(passed=1, errors=2)
    assert "INTERNALERROR" not in recorded.text
    assert recorded.outcomes() == {"test_text": "error", "test_count": "error", "test_after": "passed"}
    recorded.result.stdout.fnmatch_lines(
        ["*::test_text: @pytest.mark.benchdb has a value that cannot be read: it raised SystemExit"]
    )


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_a_finished_run_is_stored_loses_nothing(record: Record) -> None:
    recorded = record(
        """
        import os, signal

        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

        class Interrupted(dict):
            def items(self):
                os.kill(os.getpid(), signal.SIGINT)
                return super().items()

        def test_first(benchmark):
            benchmark(len, "abc")

        def test_interrupted(benchmark):
            benchmark(len, "abc")
            benchmark.extra_info["value"] = Interrupted(a=1)

        def test_never(benchmark):
            benchmark(len, "abc")
        """,
        "-p",
        "no:randomly",
    )

    assert recorded.result.ret == pytest.ExitCode.INTERRUPTED
    assert recorded.one("SELECT outcome, complete FROM session") == ("interrupted", False)
    assert recorded.outcomes() == {"test_first": "passed", "test_interrupted": "passed"}
    assert recorded.one("SELECT count(*) FROM run WHERE extra_info->>'$.value.a' = '1'") == (1,)


def values_of(recorded: Recorded) -> dict[str, object]:
    rows = recorded.sql(
        "SELECT param_id, extra_info FROM run JOIN benchmark USING (benchmark_id) WHERE function = 'test_value'"
    )
    return {name: json.loads(text)["value"] for name, text in rows if name in CHECKED}
