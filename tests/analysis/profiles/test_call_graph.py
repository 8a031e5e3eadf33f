from pytest_benchdb.analysis.profiles.call_graph import ROOT, circles

A, B, C, D = (("f.py", name) for name in "abcd")


def test_circles_come_after_what_they_call() -> None:
    found = circles({ROOT: [A], A: [B], B: [C, D], C: [B]})

    assert [sorted(group) for group in found] == [[D], [B, C], [A], [ROOT]]


def test_long_chain_needs_no_recursion() -> None:
    chain = {("f.py", str(n)): [("f.py", str(n + 1))] for n in range(5_000)}

    assert len(circles(chain)) == 5_001
