"""What sensors said while runs were measured: power, temperature, clocks over time."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.runs import Course, Courses
from pytest_benchdb.present.plot.axes import axis_unit, legend_above, session_text, set_scale, short_names
from pytest_benchdb.present.plot.drawing import Drawing, Panel
from pytest_benchdb.present.plot.style import PlotStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 8


def courses_drawing(courses: Courses) -> Drawing:
    """Return the drawing of sensors' readings: a panel for each metric.

    Raises:
        ConfigError: there are none.
    """
    if not courses.courses:
        wanted = ", ".join(courses.metrics)
        there = f"; there are {', '.join(courses.available)}" if courses.available else ""
        way = "" if there else "; pytest --benchdb-passes time,series records power and others over time"
        raise ConfigError(f"there is nothing to draw: no run has {wanted} over time{there}{way}")
    panels, notes = [], []
    for metric in dict.fromkeys(course.metric for course in courses.courses):
        members = [course for course in courses.courses if course.metric == metric]
        if len(members) > MOST_LINES:
            notes.append(f"{MOST_LINES} of {len(members)} runs are drawn for {metric}; -k chooses others")
            members = members[:MOST_LINES]
        height = 2.4 + 0.16 * len(members)
        panels.append(Panel(draw=partial(_draw, courses=members), height=height, unit=f"{metric} ({members[0].unit})"))
    names = set(_names(courses.courses))
    return Drawing(panels=tuple(panels), title=names.pop() if len(names) == 1 else None, notes=tuple(notes))


def _names(courses: Sequence[Course]) -> list[str]:
    names = short_names([course.row.fullname for course in courses])
    several = len({course.row.session_id for course in courses}) > 1
    parts = []
    for name, course in zip(names, courses, strict=True):
        alike = {
            other.domain for other in courses if (other.row.run_id, other.metric) == (course.row.run_id, course.metric)
        }
        parts.append(
            name
            + (f" · {session_text(course.session)}" if several else "")
            + (f" · {course.domain}" if len(alike) > 1 and course.domain else "")
            + (f" · {course.phase}" if course.phase else "")
            + (" (simulated)" if course.provenance == "simulated" else "")
        )
    return parts


def _draw(ax: "Axes", style: PlotStyle, *, courses: Sequence[Course]) -> None:
    unit = axis_unit(courses[0].unit, [course.mean for course in courses])
    seconds = axis_unit("s", [course.end_s for course in courses])
    handles = []
    for number, course in enumerate(courses):
        n = len(course.means)
        span = (course.end_s - course.begin_s) / max(n, 1)
        xs = [seconds.of(course.begin_s + (place + 0.5) * span) for place in range(n)]
        mark = {**style.mark(number), "markevery": max(1, n // 8)}
        handles += ax.plot(xs, [unit.of(mean) for mean in course.means], **mark)
        ax.axhline(unit.of(course.mean), color=mark["color"], linewidth=mark["linewidth"] * 0.5, linestyle=(0, (1, 3)))
    metric = courses[0].metric
    set_scale(ax, "y", [unit.of(mean) for course in courses for mean in course.means], style.scale, metric)
    ax.set_ylabel(unit.label(metric))
    ax.set_xlabel(seconds.label("time since the start of the run"))
    ax.grid(axis="y", color="#dddddd", linewidth=style.font_size * 0.05)
    ax.set_axisbelow(True)
    means = [
        f"{name}: mean {unit.of(course.mean):.4g} {unit.symbol}"
        for name, course in zip(_names(courses), courses, strict=True)
    ]
    legend_above(ax, handles, means, style)
