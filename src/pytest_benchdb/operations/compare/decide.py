"""Judge comparisons by the rules of a file."""

from collections.abc import Iterable
from pathlib import Path

from pytest_benchdb.analysis.decide import Decision, Rules, decide, parse_rules
from pytest_benchdb.environment.toml_files import read_toml
from pytest_benchdb.model.comparison import Comparison
from pytest_benchdb.operations.select.filters.keyword import parse_expression


def read_rules(path: Path) -> Rules:
    """Read rules from a TOML file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or has an invalid rule.
    """
    table = read_toml(path, "--decide", "name a TOML file of rules")
    rules = parse_rules(table, str(path))
    for target in rules.targets:
        parse_expression(target.match or target.name)
    return rules


def decide_comparisons(comparisons: Iterable[Comparison], rules: Rules) -> tuple[Decision, ...]:
    """Apply the rules to each comparison."""

    def matches(expression: str, name: str) -> bool:
        return parse_expression(expression)(name)

    return tuple(decide(comparison.rows, rules, matches) for comparison in comparisons)
