"""Environments as facts, and how two differ."""

from pytest_benchdb.operations.read.environment import diff_facts, flatten


def test_flatten_names_nested_facts_and_leaves_out_the_unknown() -> None:
    environment = {
        "environment_id": "x",
        "sessions": 3,
        "os": "Debian",
        "kernel": None,
        "packages": {"b": "2", "a": "1"},
        "details": {"cpu": {"flags": ["x"], "microcode": None}},
    }

    assert list(flatten(environment)) == [
        ("os", "Debian"),
        ("packages.a", "1"),
        ("packages.b", "2"),
        ("details.cpu.flags", ["x"]),
    ]


def test_diff_facts_includes_facts_of_one_side_only() -> None:
    found = diff_facts({"a": 1, "b": 2}, {"b": 3, "c": 4})

    assert [(one.name, one.first, one.second) for one in found] == [("a", 1, None), ("b", 2, 3), ("c", None, 4)]


def test_differences_of_equal_environments_are_none() -> None:
    assert diff_facts({"a": 1}, {"a": 1}) == []
