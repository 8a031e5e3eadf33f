import pytest

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.model.profile import Call, Frame, Function, LineCount, Profile, profile_json, read_profile

PROFILE = Profile(
    unit="instructions",
    method="sys.settrace",
    python="CPython 3.11.7",
    functions=[
        Function(file="shop.py", name="total", line=3),
        Function(file="builtins", name="sum", kind="c"),
    ],
    frames=[Frame(parent=None, function=0, calls=2, cost=40)],
    calls=[Call(caller=None, callee=0, calls=2), Call(caller=0, callee=1, calls=2)],
    lines=[LineCount(function=0, line=4, text="return sum(n)", count=2)],
    again=[41, 0],
    threads=1,
)


def test_profile_is_read_as_it_was_written() -> None:
    assert read_profile(profile_json(PROFILE), "a file") == PROFILE


def test_profile_totals_are_those_of_its_frames() -> None:
    assert (PROFILE.total, PROFILE.entries, PROFILE.self_costs()) == (40, 2, [40, 0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "other/1"}',
        profile_json(PROFILE).replace('"frames":[[null,0,', '"frames":[[null,7,'),
        profile_json(PROFILE).replace('"frames":[[null,0,', '"frames":[[0,0,'),
        profile_json(PROFILE).replace('"again":[41,0]', '"again":[41]'),
        profile_json(PROFILE).replace(",2,40]", ",2,-40]"),
        "[" * 100_000,
    ],
    ids=["empty", "list", "no schema", "other", "no function", "no parent", "short", "negative", "deep"],
)
def test_profile_that_is_none_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ImportFormatError, match=r"^a file is not a profile"):
        read_profile(text, "a file")
