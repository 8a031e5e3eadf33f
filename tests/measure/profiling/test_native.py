from pathlib import Path

from pytest_benchdb.measure.counting.dump import read_dump
from pytest_benchdb.measure.profiling.native import native_profile

SOURCE = """\
static int order(const void *a, const void *b)
{
    return 0;
}
long work(const char *s) {
    long total = 0;
    for (int i = 0; i < 50; i++) total += weigh(s, 30);
    return total;
}
"""
DUMP = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
positions: line
events: Ir
summary: 1000

ob=(6) /tmp/libkernel.so
fl=(53) {source}
fn=(806) weigh
4 600
fn=(807) weigh'2
4 100

ob=(9) /usr/lib/libffi.so.8
fl=(2) ???
fn=(740) 0x0000000000006250
fi=(53)
6 11
cob=(6)
cfn=(806)
calls=49 -2
+1 909
* 39
fe=(2)
-6 250

totals: 1000
"""


def test_code_that_libffi_calls_gets_its_name_from_its_source(tmp_path: Path) -> None:
    source = tmp_path / "kernel.c"
    source.write_text(SOURCE, encoding="utf-8")
    file = tmp_path / "dump"
    file.write_text(DUMP.format(source=source), encoding="utf-8")
    dump = read_dump(file)

    profile = native_profile(dump, dump)

    names = [one.name for one in profile.functions]
    costs = dict(zip(names, profile.self_costs(), strict=True))
    calls = {(None if one.caller is None else names[one.caller], names[one.callee]): one.calls for one in profile.calls}
    assert costs == {"weigh": 700, "0x0000000000006250": 250, "work": 50}
    assert calls["work", "weigh"] == 49
    assert list(profile.again) == profile.self_costs()


def test_code_without_its_source_is_named_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_text(DUMP.format(source=tmp_path / "gone.c"), encoding="utf-8")
    dump = read_dump(file)

    names = {(one.file, one.name) for one in native_profile(dump, dump).functions}

    assert ("gone.c", "line 6") in names
