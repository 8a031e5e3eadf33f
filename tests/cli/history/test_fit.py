"""`benchdb fit` on benchmarks with known growth."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
SIZES = (10, 30, 100, 300, 1000, 3000)
ODD = (1.0, 1.01, 0.99)


@pytest.fixture(scope="module")
def results(new_session: Call, new_run: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a session of a linear and a quadratic function, the latter in two variants."""
    folder: Path = tmp_path_factory.mktemp("growth") / "results"

    def run(function: str, params: Mapping[str, object], seconds: float) -> object:
        name = f"test_a.py::{function}[{'-'.join(map(str, params.values()))}]"
        return new_run(name, [seconds * odd for odd in ODD], params=params)

    runs = [run("test_linear", {"n": n}, 1e-6 + 1e-8 * n) for n in SIZES]
    runs += [
        run("test_square", {"n": n, "order": order}, factor * 1e-9 * n * n)
        for n in SIZES
        for order, factor in (("random", 2), ("sorted", 1))
    ]
    runs += [run("test_few", {"n": n}, 1e-6) for n in SIZES[:2]]
    runs.append(new_run("test_a.py::test_plain", [1e-3, 1e-3]))
    new_session(folder, runs)
    return folder


def test_orders_exponents_and_costs_are_those_of_the_data(benchdb: Call, results: Path) -> None:
    found = json.loads(benchdb("fit", str(results), "--over", "n", "-f", "json").out)

    rows = {row["benchmark"]: row for row in found["rows"]}
    assert (found["over"], found["sessions"], found["insufficient"]) == ("n", 1, 1)
    assert {name: row["order"] for name, row in rows.items()} == {
        "test_a.py::test_linear": "n",
        "test_a.py::test_square[order=random]": "n²",
        "test_a.py::test_square[order=sorted]": "n²",
    }
    assert rows["test_a.py::test_linear"]["cost"] == pytest.approx(1e-8, rel=0.02)
    assert rows["test_a.py::test_linear"]["constant"] == pytest.approx(1e-6, rel=0.02)
    assert rows["test_a.py::test_square[order=random]"]["exponent"] == pytest.approx(2.0, abs=0.01)
    assert [rows["test_a.py::test_linear"][name] for name in ("points", "low", "high")] == [6, 10, 3000]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_table_fits_and_has_the_orders(benchdb: Call, results: Path, width: int) -> None:
    out = benchdb("fit", str(results), "--over", "n", "--width", str(width)).out

    assert max(map(len, out.splitlines())) <= width
    assert "O(n)" in out
    assert out.count("O(n²)") == 2
    assert "1 left out: measured at fewer than 3 sizes" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--over", "colour"], "choose from n", id="unknown"),
        pytest.param(["--over", "order"], "choose from n", id="text"),
        pytest.param(["--over", "n", "-k", "plain"], "no parameter that is a number", id="without parameters"),
        pytest.param([], "--over", id="missing"),
    ],
)
def test_a_parameter_that_is_no_size_is_refused(
    benchdb: Call, results: Path, arguments: list[str], message: str
) -> None:
    ended = benchdb("fit", str(results), *arguments)

    assert ended.status == 2
    assert message in ended.err
