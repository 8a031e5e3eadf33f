"""`benchdb regress` over imported figures: suites that become worse in part, as a whole, or after they had improved."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli

pytestmark = pytest.mark.long

Gate = Callable[..., int]

TIME = ("wall_time", "ms", "lower")
ACCURACY = ("accuracy", "1", "higher")
MEMORY = ("python_peak", "B", "lower")
WOBBLE = 0.001


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Return a function that imports a history and a candidate, and returns the exit status of the gate."""
    monkeypatch.chdir(tmp_path)
    for name in ("BENCHDB_DB", "CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def call(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            run(cli, "benchdb", list(arguments))
        capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    def judge(
        history: Sequence[Mapping[str, float]],
        candidate: Mapping[str, float],
        metric: tuple[str, str, str] = TIME,
        *options: str,
    ) -> int:
        rows = ["session,started_at,benchmark,metric,value,unit,better,fingerprint"]
        for number, figures in enumerate([*history, candidate]):
            started = f"2026-{number // 28 + 1:02d}-{number % 28 + 1:02d}"
            for name, value in figures.items():
                rows.append(f"s{number},{started},test_{name},{metric[0]},{value},{metric[1]},{metric[2]},m")
        Path("figures.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        assert call("import", "csv", "figures.csv", "--db", "db", "-q") == 0
        return call("regress", "--db", "db", "--threshold", f"{metric[0]}:5%", *options)

    return judge


def steady(names: str, figure: float, sessions: int = 8, wobble: float = WOBBLE) -> list[dict[str, float]]:
    return [dict.fromkeys(names, figure * (1 + wobble * (number % 2))) for number in range(sessions)]


@pytest.mark.parametrize("rest", [(10.02, 10.02, 9.99), (9.99, 9.99, 10.02)], ids=["++-", "--+"])
def test_half_of_a_suite_that_doubles_fails_whatever_the_sign_of_the_rest(gate: Gate, rest: Sequence[float]) -> None:
    candidate = {**dict.fromkeys("abc", 20.0), **dict(zip("def", rest, strict=True))}

    assert gate(steady("abcdef", 10.0), candidate) == 1


@pytest.mark.parametrize("names", ["abcd", "abcde"])
def test_suite_that_takes_ten_times_as_long_fails_however_large_it_is(gate: Gate, names: str) -> None:
    assert gate(steady(names, 10.0), dict.fromkeys(names, 100.0)) == 1


@pytest.mark.parametrize("names", ["abcd", "abcde"])
def test_suite_that_loses_its_accuracy_fails_however_large_it_is(gate: Gate, names: str) -> None:
    assert gate(steady(names, 0.9, wobble=0), dict.fromkeys(names, 0.1), ACCURACY) == 1


@pytest.mark.parametrize(
    ("names", "options", "status"), [("abcd", [], 1), ("abcde", [], 4), ("abcde", ["--strict"], 4)], ids=str
)
def test_suite_that_becomes_slower_by_a_quarter_fails_or_is_undecided(
    gate: Gate, names: str, options: list[str], status: int
) -> None:
    assert gate(steady(names, 10.0), dict.fromkeys(names, 12.5), TIME, *options) == status


def test_function_that_becomes_slower_with_every_parameter_fails(gate: Gate) -> None:
    names = [*(f"sort[{size}]" for size in range(5)), "json"]
    history = [dict.fromkeys(names, 10.0 + 0.01 * (number % 2)) for number in range(8)]

    assert gate(history, {**dict.fromkeys(names, 12.5), "json": 10.0}) == 1


@pytest.mark.parametrize("sessions", [5, 9])
def test_loss_of_an_improvement_fails(gate: Gate, sessions: int) -> None:
    history = steady("abc", 10.0, sessions=15) + [{**one, "a": one["a"] / 2} for one in steady("abc", 10.0, sessions)]

    assert gate(history, dict.fromkeys("abc", 10.0)) == 1


def test_loss_of_an_improvement_of_memory_fails(gate: Gate) -> None:
    history = steady("a", 1e6, sessions=14, wobble=0) + steady("a", 0.8e6, sessions=9, wobble=0)

    assert gate(history, {"a": 1e6}, MEMORY) == 1
