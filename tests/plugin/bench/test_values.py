import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.plugin.bench.values import MetricBook, RecordedValues


class Scalar:
    """As a tensor of one element."""

    def __float__(self) -> float:
        return 0.5


def test_recorded_values_are_a_reading_or_samples() -> None:
    values = RecordedValues(MetricBook())
    values.add("accuracy", Scalar(), unit="1", better="higher", phase=None)
    values.add("loss", [3, 2.5], unit="1", better="lower", phase=None)
    values.add("loss", 2, unit=None, better=None, phase=None)
    values.add("loss", 9, unit=None, better=None, phase="warm")

    rows = {(row.metric, row.phase): row for row in values.measurements("measured")}

    assert (rows["accuracy", None].value, rows["accuracy", None].samples) == (0.5, None)
    assert rows["accuracy", None].better == "higher"
    assert (rows["loss", None].value, rows["loss", None].samples) == (None, [3.0, 2.5, 2.0])
    assert rows["loss", "warm"].value == 9.0


def test_recorded_values_of_a_known_metric_have_its_unit() -> None:
    values = RecordedValues(MetricBook())
    values.add("energy", 5, unit=None, better=None, phase=None)

    (row,) = values.measurements("simulated")

    assert (row.unit, row.better, row.provenance) == ("J", "lower", "simulated")


@pytest.mark.parametrize(
    ("metric", "value", "unit", "better", "words"),
    [
        ("accuracy", float("nan"), "1", "higher", "nan is not measured"),
        ("accuracy", float("inf"), "1", "higher", "inf is not measured"),
        ("accuracy", "high", "1", "higher", "'high' is not a number"),
        ("accuracy", [], "1", "higher", "no samples"),
        ("accuracy", None, "1", "higher", "None is not a number"),
        ("accuracy", 1, None, None, "needs its unit"),
        ("accuracy", 1, "1", "up", "better='up'; give one of lower, higher, none"),
        ("energy", -1, None, None, "-1 is below 0, which no energy is"),
        ("wall_time", 1, "ms", None, "has unit 's' in this session, and here 'ms'"),
        ("throughput", 1, "1/s", "lower", "has better 'higher'"),
        (" ", 1, "1", None, "cannot be the name of a metric"),
    ],
)
def test_recorded_values_refuse_what_is_not_a_value(
    metric: str, value: object, unit: str | None, better: str | None, words: str
) -> None:
    with pytest.raises(MeasurementError) as caught:
        RecordedValues(MetricBook()).add(metric, value, unit=unit, better=better, phase=None)

    assert words in str(caught.value)


def test_metric_book_holds_one_unit_for_all_tests() -> None:
    book = MetricBook()
    RecordedValues(book).add("score", 1, unit="1", better=None, phase=None)

    with pytest.raises(MeasurementError, match="has unit '1' in this session, and here '%'"):
        RecordedValues(book).add("score", 1, unit="%", better=None, phase=None)
