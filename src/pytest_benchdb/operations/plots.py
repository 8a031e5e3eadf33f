"""The figures of a history, for scripts and notebooks: the drawings of `benchdb plot` on axes of matplotlib."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.operations.compare.run import CompareRequest, compare_named, parse_limits
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.matrix.build import MatrixRequest, build_matrix
from pytest_benchdb.operations.read.courses import read_courses
from pytest_benchdb.operations.read.rounds import read_rounds
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.series import parse_metrics
from pytest_benchdb.present.plot.comparison import comparison_drawing
from pytest_benchdb.present.plot.dimension import dimension_drawing
from pytest_benchdb.present.plot.distribution import Shape, distribution_drawing
from pytest_benchdb.present.plot.drawing import Drawing, draw_on
from pytest_benchdb.present.plot.matrix import matrix_drawing
from pytest_benchdb.present.plot.over_time import courses_drawing
from pytest_benchdb.present.plot.style import PlotStyle
from pytest_benchdb.present.plot.trend import trend_drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Plots:
    """The methods of a history that draw; they need the extra ``plot``.

    Each draws on `ax` if it is given, with its own style of text, and else on a new figure of pyplot, and returns the
    axes; several if there are several metrics. `style` is a `PlotStyle`: size, fonts, scale, title, greys.
    """

    paths: tuple[Path, ...]

    def plot_trend(  # noqa: PLR0913 - the options of the command
        self,
        *,
        metrics: Sequence[str] = (),
        k: str | None = None,
        where: str | None = None,
        branch: str | None = None,
        last: int | None = None,
        ax: "Axes | None" = None,
        style: PlotStyle | None = None,
    ) -> "Axes | tuple[Axes, ...]":
        """Draw benchmarks over the sessions, with their levels and changes, as `benchdb plot trend`.

        Args:
            metrics: as in `trend`.
            k: as in `runs`.
            where: as in `runs`.
            branch: as in `trend`.
            last: as in `trend`.
            ax: axes to draw on.
            style: how it looks.

        Raises:
            ConfigError: a name or a filter is not valid, or there is nothing to draw.
            MissingExtraError: matplotlib is not installed.
            StoreError: the files cannot be read.
        """
        selection = Selection(paths=self.paths, keyword=k, where=where, metrics=parse_metrics(metrics), last=last)
        request = TrendRequest(branch=branch, root=Path.cwd(), environ=os.environ)
        return _drawn(trend_drawing(build_trends(selection, request)), style, ax)

    def plot_distribution(
        self,
        *,
        k: str | None = None,
        where: str | None = None,
        session: str | Sequence[str] | None = None,
        shape: Shape = "box",
        ax: "Axes | None" = None,
        style: PlotStyle | None = None,
    ) -> "Axes | tuple[Axes, ...]":
        """Draw the rounds of runs, as `benchdb plot distribution`.

        Args:
            k: as in `runs`.
            where: as in `runs`.
            session: names of sessions; None for the newest.
            shape: ``box``, ``ecdf`` or ``histogram``.
            ax: axes to draw on.
            style: how it looks.

        Raises:
            ConfigError: a name or a filter is not valid, or there is nothing to draw.
            MissingExtraError: matplotlib is not installed.
            StoreError: the files cannot be read.
        """
        names = (session,) if isinstance(session, str) else tuple(session or ())
        selection = Selection(paths=self.paths, specs=names, keyword=k, where=where)
        return _drawn(distribution_drawing(read_rounds(selection), shape), style, ax)

    def plot_compare(  # noqa: PLR0913 - the options of the command
        self,
        baseline: str = "latest~1",
        candidate: str = "latest",
        *,
        metrics: Sequence[str] = (),
        k: str | None = None,
        where: str | None = None,
        thresholds: Sequence[str] = (),
        allow_cross: bool = False,
        ax: "Axes | None" = None,
        style: PlotStyle | None = None,
    ) -> "Axes | tuple[Axes, ...]":
        """Draw the changes between two sides with their intervals, as `benchdb plot compare`.

        Args:
            baseline: as in `compare`.
            candidate: as in `compare`.
            metrics: as in `compare`.
            k: as in `runs`.
            where: as in `runs`.
            thresholds: as in `compare`.
            allow_cross: as in `compare`.
            ax: axes to draw on.
            style: how it looks.

        Raises:
            NoBaselineError: a name matches no session.
            ConfigError: a name or a filter is not valid, or there is nothing to draw.
            MissingExtraError: matplotlib is not installed.
            StoreError: the files cannot be read.
        """
        share, limits = parse_limits(thresholds)
        request = CompareRequest(
            metrics=parse_metrics(metrics), keyword=k, where=where, share=share, thresholds=limits,
            allow_cross=allow_cross,
        )  # fmt: skip
        (comparison,) = compare_named((baseline, candidate), self._place, request)
        return _drawn(comparison_drawing(comparison), style, ax)

    def plot_axis(  # noqa: PLR0913 - the options of the command
        self,
        axis: str,
        *,
        session: str | Sequence[str] | None = None,
        metrics: Sequence[str] = (),
        k: str | None = None,
        where: str | None = None,
        baseline_value: str | None = None,
        ax: "Axes | None" = None,
        style: PlotStyle | None = None,
    ) -> "Axes | tuple[Axes, ...]":
        """Draw a metric over a dimension: a parameter, a label, the backend; as `benchdb plot axis`.

        Args:
            axis: name of the dimension: ``"param:n"``, ``"batch_size"``, ``"backend"``.
            session: names of sessions; None for the newest, or for all if the dimension is one of sessions.
            metrics: as in `compare`.
            k: as in `runs`.
            where: as in `runs`.
            baseline_value: the value that intervals compare with; None for the first.
            ax: axes to draw on.
            style: how it looks.

        Raises:
            ConfigError: a name or a filter is not valid, or there is nothing to draw.
            MissingExtraError: matplotlib is not installed.
            StoreError: the files cannot be read.
        """
        names = (session,) if isinstance(session, str) else tuple(session or ())
        request = CompareRequest(metrics=parse_metrics(metrics), keyword=k, where=where)
        comparisons = compare_named(names, self._place, request, axis=axis, baseline_value=baseline_value)
        return _drawn(dimension_drawing(comparisons), style, ax)

    def plot_power(
        self,
        *,
        metrics: Sequence[str] = (),
        k: str | None = None,
        where: str | None = None,
        session: str | Sequence[str] | None = None,
        ax: "Axes | None" = None,
        style: PlotStyle | None = None,
    ) -> "Axes | tuple[Axes, ...]":
        """Draw what sensors said during runs, as `benchdb plot power`.

        Args:
            metrics: what the sensors measure; none for power.
            k: as in `runs`.
            where: as in `runs`.
            session: names of sessions; None for the newest.
            ax: axes to draw on.
            style: how it looks.

        Raises:
            ConfigError: a name or a filter is not valid, or there is nothing to draw.
            MissingExtraError: matplotlib is not installed.
            StoreError: the files cannot be read.
        """
        names = (session,) if isinstance(session, str) else tuple(session or ())
        selection = Selection(paths=self.paths, specs=names, keyword=k, where=where)
        return _drawn(courses_drawing(read_courses(selection, parse_metrics(metrics))), style, ax)

    def plot_matrix(  # noqa: PLR0913 - the options of the command
        self,
        *,
        rows: str | None = None,
        cols: str | None = None,
        metric: str | None = None,
        k: str | None = None,
        where: str | None = None,
        session: str | Sequence[str] | None = None,
        ax: "Axes | None" = None,
        style: PlotStyle | None = None,
    ) -> "Axes | tuple[Axes, ...]":
        """Draw what works where, as `benchdb plot matrix`.

        Args:
            rows: as in `matrix`.
            cols: as in `matrix`.
            metric: as in `matrix`.
            k: as in `runs`.
            where: as in `matrix`.
            session: as in `matrix`.
            ax: axes to draw on.
            style: how it looks.

        Raises:
            ConfigError: a name or a filter is not valid, or there is nothing to draw.
            MissingExtraError: matplotlib is not installed.
            StoreError: the files cannot be read.
        """
        names = (session,) if isinstance(session, str) else tuple(session or ())
        metrics = parse_metrics(() if metric is None else (metric,))
        selection = Selection(paths=self.paths, specs=names, keyword=k, where=where, metrics=metrics)
        return _drawn(matrix_drawing(build_matrix(selection, MatrixRequest(rows=rows, columns=cols))), style, ax)

    @property
    def _place(self) -> Path:
        """One path with everything."""
        raise NotImplementedError


def _drawn(drawing: Drawing, style: PlotStyle | None, ax: "Axes | None") -> "Axes | tuple[Axes, ...]":
    return draw_on(drawing, style or PlotStyle(), ax)
