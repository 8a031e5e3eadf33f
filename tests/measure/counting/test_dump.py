from pathlib import Path

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.counting.dump import read_dump, read_totals

# A dump of callgrind 3.19.0, cut short: names are compressed, lines are relative, and calls have an inclusive line.
DUMP = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 4242
cmd:  python -m pytest
part: 3

desc: Trigger: Client Request: calls

positions: line
events: Ir sysCount sysTime sysCpuTime
summary: 1070

ob=(1) /usr/lib/libpython3.11.so
fl=(1) Python/ceval.c
fn=(1) _PyEval_EvalFrameDefault
10 400 1 5000 300
+2 100
cob=(2) /usr/lib/libc.so
cfi=(2) string/memmove.S
cfn=(2) memmove
calls=7 20
* 70
fi=(3) Include/object.h
4 200
fe=(1)
-3 300

ob=(2)
fl=(2)
fn=(2)
20 60
+1 10

totals: 1070 1 5000 300
"""


def test_functions_have_their_own_cost_and_their_calls(tmp_path: Path) -> None:
    (path := tmp_path / "callgrind.1.3").write_text(DUMP, encoding="utf-8")

    dump = read_dump(path)

    assert dump.creator == "callgrind-3.19.0"
    assert dump.totals == {"Ir": 1070, "sysCount": 1, "sysTime": 5000, "sysCpuTime": 300}
    evaluate, move = dump.functions
    assert (evaluate.function, evaluate.file, evaluate.object) == (
        "_PyEval_EvalFrameDefault",
        "Python/ceval.c",
        "/usr/lib/libpython3.11.so",
    )
    assert evaluate.cost == {"Ir": 1000, "sysCount": 1, "sysTime": 5000, "sysCpuTime": 300}
    assert (move.function, move.object, move.cost["Ir"], move.called) == ("memmove", "/usr/lib/libc.so", 70, 7)
    assert sum(function.cost["Ir"] for function in dump.functions) == dump.totals["Ir"]
    assert read_totals(path).totals == dump.totals


def test_half_a_dump_is_refused(tmp_path: Path) -> None:
    (path := tmp_path / "callgrind.1.3").write_text(DUMP.partition("totals:")[0], encoding="utf-8")

    with pytest.raises(MeasurementError, match="not a whole dump of callgrind: it has no creator, events and totals"):
        read_dump(path)
    with pytest.raises(MeasurementError, match="cannot be read: No such file"):
        read_totals(tmp_path / "other")
