"""`benchdb plot` and `History.plot_*`: figures show what the tables show."""

import hashlib
import math
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pytest_benchdb
from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.present.plot.style import PlotStyle

figures = pytest.importorskip("matplotlib.figure")

Call = Callable[..., Any]
HOSTILE = "tests/test_a.py::test_x[<script>alert(1)</script>$\\frac{1}{0}$\x1b[31m" + "long" * 50 + "]"
STEADY, STEPPED = "tests/test_a.py::test_steady", "tests/test_a.py::test_stepped"
SIZES = (1, 10, 100, 1000)


def rounds(level: float, shake: int = 0) -> list[float]:
    return [level * (1 + 0.002 * ((place * 7 + shake * 3) % 5)) for place in range(7)]


@pytest.fixture(scope="module")
def course(new_session: Call, new_run: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 16 sessions: one benchmark is 40 % slower from the ninth on, one failed once; the newest has more."""
    folder: Path = tmp_path_factory.mktemp("course") / "results"
    watts = Series(
        metric="power", unit="W", domain="gpu/power", device_id=None, t_s=[0.0, 1.0, 2.0], values=[50.0, 60.0, 70.0]
    )
    for number in range(16):
        failed = {"outcome": "failed", "reason": "boom"}
        runs = [
            new_run(STEADY, None, **failed) if number == 4 else new_run(STEADY, rounds(1e-3, number)),
            new_run(STEPPED, rounds(2e-3 * (1.4 if number >= 8 else 1), number), series=(watts,)),
        ]
        if number == 15:
            runs += [
                new_run(
                    f"tests/test_a.py::test_sort[{kind}-{n}]", rounds(n * 1e-6 * cost), params={"kind": kind, "n": n}
                )
                for kind, cost in (("list", 1), ("tree", 3))
                for n in SIZES
            ]
            runs.append(new_run(HOSTILE, rounds(1e-3)))
        commit = Commit(sha=f"{number:040x}", branch="main", dirty=False)
        new_session(folder, runs, at=number, commit=commit, label=f"s{number}")
    return folder


@pytest.fixture
def ax() -> Any:
    return figures.Figure().subplots()


def lines_of(ax: Any) -> dict[str, Any]:
    """Return the lines of the legend by their label."""
    legend = ax.get_legend()
    by_look = {(line.get_color(), line.get_marker(), line.get_linestyle()): line for line in reversed(ax.lines)}
    return {
        text.get_text(): by_look[handle.get_color(), handle.get_marker(), handle.get_linestyle()]
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
        if hasattr(handle, "get_marker")
    }


def test_trend_draws_the_values_of_the_trend(course: Path, ax: Any) -> None:
    with pytest_benchdb.open(course) as history:
        trends = history.trend(k="steady or stepped")
        history.plot_trend(k="steady or stepped", ax=ax)

    lines = lines_of(ax)
    for trend in trends.series:
        drawn = lines[trend.key.fullname.partition("::")[2]].get_ydata()
        expected = [math.nan if point.value is None else point.value * 1e3 for point in trend.points]
        assert drawn == pytest.approx(expected, nan_ok=True)
    assert ax.get_ylabel() == "wall_time (ms)"
    assert ax.get_xlabel() == "session started (UTC)"
    change = trends.series[0].changes[0].point.change
    assert change is not None
    assert any(text.get_text().startswith(f"{change * 100:+.1f} %") for text in ax.texts)
    assert "failed or not measured" in lines


def test_trend_has_a_panel_for_each_unit(course: Path, ax: Any) -> None:
    with (
        pytest_benchdb.open(course) as history,
        pytest.raises(ConfigError, match=r"ax= takes one metric.*peak_rss \(B\)"),
    ):
        history.plot_trend(k="steady", metrics=["time", "peak_rss"], ax=ax)


def test_distribution_boxes_have_the_quartiles_of_the_report(course: Path, ax: Any) -> None:
    with pytest_benchdb.open(course) as history:
        (row,) = history.runs(k="stepped", session="latest").to_pylist()
        (sample,) = history.samples(k="stepped", session="latest").to_pylist()
        history.plot_distribution(k="stepped", session="latest", ax=ax)

    (box,) = ax.patches
    assert box.get_x() == pytest.approx(row["q1_s"] * 1e3)
    assert box.get_x() + box.get_width() == pytest.approx(row["q3_s"] * 1e3)
    (points,) = ax.lines
    assert list(points.get_xdata()) == pytest.approx([value * 1e3 for value in sample["samples"]])
    assert ax.get_xlabel() == "wall_time of one iteration (ms)"
    assert ax.get_title() == "test_stepped"


def test_distribution_names_what_did_not_pass(course: Path, ax: Any) -> None:
    with pytest_benchdb.open(course) as history:
        history.plot_distribution(session="s4", ax=ax)

    assert [text.get_text() for text in ax.texts] == ["failed"]
    assert len(ax.patches) == 1


@pytest.mark.parametrize("shape", ["ecdf", "histogram"])
def test_distribution_shapes_draw_every_round(course: Path, ax: Any, shape: Any) -> None:
    with pytest_benchdb.open(course) as history:
        history.plot_distribution(k="stepped", session=["s0", "s15"], shape=shape, ax=ax)

    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["test_stepped · s0", "test_stepped · s15"]
    if shape == "ecdf":
        assert [len(line.get_xdata()) for line in ax.lines] == [8, 8]
    else:
        assert [sum(patch.get_data().values) for patch in ax.patches] == [7, 7]


def test_compare_draws_changes_and_intervals_of_the_comparison(course: Path, ax: Any) -> None:
    sides = ("s0", "s15")
    with pytest_benchdb.open(course) as history:
        comparison = history.compare(*sides, k="steady or stepped")
        history.plot_compare(*sides, k="steady or stepped", ax=ax)

    changes = sorted(row.judgement.change * 100 for row in comparison.rows if row.judgement.change is not None)
    intervals = [row.judgement.interval for row in comparison.rows if row.judgement.interval is not None]
    points = [float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1]
    ends = [tuple(line.get_xdata()) for line in ax.lines if line.get_marker() == "|"]
    assert sorted(points) == pytest.approx(changes)
    assert sorted(ends) == [pytest.approx((i.low * 100, i.high * 100)) for i in sorted(intervals, key=lambda i: i.low)]
    assert ax.get_xlabel() == "change (%) of wall_time, less is better"
    assert [label.get_text() for label in ax.get_yticklabels()][-1] == "test_stepped"  # the most harmful is at the top


def test_compare_over_a_factor_of_two_is_logarithmic_and_says_what_has_no_change(
    new_session: Call, new_run: Call, tmp_path: Path, ax: Any
) -> None:
    new_session(tmp_path / "r", [new_run("t.py::test_a", rounds(1e-3)), new_run("t.py::test_b", rounds(1e-3))], at=0)
    failed = new_run("t.py::test_b", None, outcome="failed", reason="AssertionError: boom")
    new_session(tmp_path / "r", [new_run("t.py::test_a", rounds(5e-3)), failed], at=1)

    with pytest_benchdb.open(tmp_path / "r") as history:
        history.plot_compare(ax=ax)

    assert ax.get_xscale() == "log"
    assert ax.get_xlabel().startswith("candidate / baseline")
    assert [text.get_text().partition(":")[0] for text in ax.texts] == ["error"]


def test_axis_draws_medians_over_sizes_one_line_for_each_other_parameter(course: Path, ax: Any) -> None:
    with pytest_benchdb.open(course) as history:
        medians = {row["name"]: row["median_s"] for row in history.runs(k="sort", session="latest").to_pylist()}
        history.plot_axis("param:n", k="sort", ax=ax)

    lines = lines_of(ax)
    assert set(lines) == {"test_sort[kind=list]", "test_sort[kind=tree]"}
    for kind in ("list", "tree"):
        line = lines[f"test_sort[kind={kind}]"]
        assert list(line.get_xdata()) == list(SIZES)
        # In microseconds; the comparison of single sessions is by their smallest or middle rounds.
        drawn = list(line.get_ydata())
        assert drawn == pytest.approx([medians[f"test_sort[{kind}-{n}]"] * 1e6 for n in SIZES], rel=0.02)
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel()) == ("log", "log", "n")


def test_axis_of_names_has_a_place_for_each(course: Path, ax: Any) -> None:
    with pytest_benchdb.open(course) as history:
        history.plot_axis("kind", k="sort", ax=ax)

    # Which was measured first decides the order; here both were made in the same millisecond.
    assert sorted(label.get_text() for label in ax.get_xticklabels()) == ["list", "tree"]


def test_power_draws_the_means_of_the_series(course: Path, ax: Any) -> None:
    with pytest_benchdb.open(course) as history:
        history.plot_power(k="stepped", ax=ax)

    drawn = [value for value in ax.lines[0].get_ydata() if not math.isnan(value)]
    assert drawn == pytest.approx([50.0, 60.0, 70.0])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("power (W)", "time since the start of the run (s)")
    assert ax.get_legend().get_texts()[0].get_text() == "test_stepped: mean 60 W"


def test_matrix_draws_the_state_of_each_cell(course: Path, ax: Any) -> None:
    with pytest_benchdb.open(course) as history:
        matrix = history.matrix(rows="benchmark", k="steady or stepped")
        history.plot_matrix(rows="benchmark", k="steady or stepped", ax=ax)

    states = [text.get_text().partition("\n")[0].split()[-1] for text in ax.texts]
    assert states == [cell.state for cell in matrix.all_cells()]
    assert [label.get_text() for label in ax.get_xticklabels()] == list(matrix.columns)
    assert ax.texts[0].get_text().endswith(" ms")


def test_a_figure_of_its_own_comes_from_pyplot(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    import matplotlib.pyplot as plt

    try:
        with pytest_benchdb.open(course) as history:
            axes = history.plot_trend(k="steady", metrics=["time", "peak_rss"], style=PlotStyle(width_in=4))
        assert isinstance(axes, tuple)
        assert [each.get_ylabel() for each in axes] == ["wall_time (ms)", "peak_rss (MiB)"]
        assert plt.gcf().get_size_inches()[0] == 4
    finally:
        plt.close("all")


def test_svg_is_the_same_twice_and_harmless(benchdb: Call, course: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.svg", "b.svg")]
    ended = [benchdb("plot", "distribution", str(course), "-o", str(file)) for file in files]

    texts = [file.read_text(encoding="utf-8") for file in files]
    assert [one.status for one in ended] == [0, 0], ended[0].err
    assert texts[0] == texts[1]
    tags = {element.tag.rpartition("}")[2].lower() for element in ET.fromstring(texts[0]).iter()}  # noqa: S314 - our own
    assert tags.isdisjoint({"script", "foreignobject", "image"})
    assert not re.search(r"<dc:date>|\son\w+=", texts[0])


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_files_are_of_the_kind_of_their_suffix_and_reproducible(
    benchdb: Call, course: Path, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    arguments = ("plot", "compare", "s0", "s15", "--db", str(course), "-k", "steady", "--size", "8x5cm", "--dpi", "50")
    contents = []
    for number in range(2):
        file = tmp_path / f"{number}.{suffix}"
        assert benchdb(*arguments, "-o", str(file)).status == 0
        contents.append(file.read_bytes())

    assert contents[0].startswith(magic)
    assert len({hashlib.sha256(content).digest() for content in contents}) == 1
    if suffix == "pdf":
        assert b"CreationDate" not in contents[0]
        assert b"/FontFile2" in contents[0]
        assert b"/Type3" not in contents[0]
    else:
        assert int.from_bytes(contents[0][16:20], "big") == round(8 / 2.54 * 50)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trend", "-k", "nothing"], "there is nothing to draw"),
        (["trend", "--metric", "energy"], "nothing here measured it; there are"),
        (["power", "-k", "steady"], "--benchdb-passes time,series"),
        (["power", "--metric", "temperature"], "there are power"),
        (["distribution", "-k", "nothing"], "there is nothing to draw"),
        (["axis", "colour"], "nothing here has it; there are"),
        (["compare", "s0", "s1", "-k", "nothing"], "there is nothing to draw"),
        (["trend", "--size", "big"], "--size big: write width and height"),
        (["trend", "--font", "No such font"], "no such font is installed"),
        (["trend", "-o", "x.gif"], "give -f with one of png, svg, pdf"),
        (["trend", "-o", "/nowhere/x.png"], "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_gets_one_line(
    benchdb: Call, course: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    output = [] if "-o" in arguments else ["-o", str(tmp_path / "x.png")]
    ended = benchdb("plot", *arguments, "--db", str(course), *output)

    assert ended.status == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert list(tmp_path.glob("x.*")) == []


def test_logarithmic_scale_refuses_what_is_not_above_0(
    benchdb: Call, new_session: Call, new_run: Call, tmp_path: Path
) -> None:
    for number in range(2):
        loss = Measurement(metric="loss", value=-0.5 + number, unit="1", better="lower")
        wall = Measurement.of("wall_time", round_ns=[10, 11])
        run = new_run("t.py::test_a", measurements=(wall, loss))
        new_session(tmp_path / "r", [run], at=number)
    file = tmp_path / "x.svg"
    arguments = ("plot", "trend", str(tmp_path / "r"), "--metric", "loss", "-o", str(file))

    refused, drawn = benchdb(*arguments, "--scale", "log"), benchdb(*arguments)

    assert "loss has values that are not above 0; take a linear one" in refused.err
    assert (refused.status, drawn.status, file.exists()) == (2, 0, True), drawn.err


def test_without_matplotlib_the_extra_is_named(
    benchdb: Call, results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pytest_benchdb.present.plot.style.find_spec", lambda _name: None)
    ended = benchdb("plot", "trend", "results", "-o", str(tmp_path / "x.png"))

    assert ended.status == 2
    assert ended.err == "benchdb: plots need matplotlib; install it with: pip install 'pytest-benchdb[plot]'\n"
    with pytest_benchdb.open(results) as history, pytest.raises(MissingExtraError, match="plot"):
        history.plot_trend()


def test_a_terminal_is_asked_for_a_file(benchdb: Call, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    ended = benchdb("plot", "distribution", str(results), "-f", "svg")

    assert (ended.status, ended.err) == (
        2,
        "benchdb: a terminal cannot show a picture; name a file, as in -o plot.svg\n",
    )
