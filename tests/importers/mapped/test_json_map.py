"""The words of ``--map``."""

from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.importers.mapped.json_map import JsonMap

TIME = "time=results[].ms:unit=ms"
DOCUMENT: dict[str, Any] = {
    "date": "2026-01-31",
    "results": [{"name": "a", "ms": 1.5}, {"name": "b"}],
    "by model": {"bert": {"1": {"s": 0.5}, "8": {"s": 0.75}}},
    "a.b": [{"c": [4, 5]}],
}


def rows(*written: str) -> list[tuple[str, dict[str, Any]]]:
    return list(JsonMap.of(written).rows(DOCUMENT))


def test_each_item_of_a_list_is_a_row_with_the_values_around_it() -> None:
    assert rows("name=results[].name", TIME, "started_at=date") == [
        ("results[0]", {"name": "a", "wall_time": 1.5, "started_at": "2026-01-31"}),
        ("results[1]", {"name": "b", "started_at": "2026-01-31"}),
    ]


def test_keys_of_objects_are_values() -> None:
    found = rows('name="by model"[].@key', 'param:size="by model"[][].@key', 'time="by model"[][].s:unit=s')

    assert found == [
        ("by model[bert][1]", {"name": "bert", "param:size": "1", "wall_time": 0.5}),
        ("by model[bert][8]", {"name": "bert", "param:size": "8", "wall_time": 0.75}),
    ]


def test_index_and_quoted_key() -> None:
    assert rows('name="a.b"[0].c[1]', 'time="a.b"[0].c[0]:unit=s') == [("file", {"name": 5, "wall_time": 4})]


def test_path_to_nothing_has_no_rows() -> None:
    assert not rows("name=nothing[].name", "time=nothing[].s:unit=s")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ((TIME,), "--map has no name"),
        (("name=results[].name",), "--map has no metric"),
        (("name=results[].name", "time=others[].ms:unit=ms"), "goes through another list"),
        (("name=a", "name=b", TIME), "--map has name twice"),
        (("name=a", "time=b"), "wall_time has no unit: is it in s or in ms"),
        (("name=a", "time=b:unit=MB"), "wall_time is in 'MB'; write one of s, "),
        (("name=a", "naming=b:better=lower", TIME), "naming is neither a field nor a metric of ours"),
        (("name=a", "mine=b:unit=1:better=up"), "mine is better='up'"),
        (("name=a:unit=s", TIME), "--map name is not a metric, and has no unit"),
        (("name=a", "time=b:units=ms"), "has 'units' after its path"),
        (("name=a..b", TIME), "cannot be read from '..b' on"),
        (("name=@key", TIME), "is the end of a path with [] before it"),
        (("name", TIME), "'name' is not FIELD=PATH"),
    ],
)
def test_words_that_cannot_be_read(written: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        JsonMap.of(written)
    assert message in str(raised.value)
