"""Judge comparisons by the rules of a file."""

import sys
from collections.abc import Iterable
from pathlib import Path

from pytest_benchdb.analysis.decide import Decision, Rules, decide, parse_rules
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison
from pytest_benchdb.operations.select.filters.keyword import parse_expression


def read_rules(path: Path) -> Rules:
    """Read the rules of a TOML file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or a rule in it cannot be used.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pytest depends on it below Python 3.11
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--decide {path}: {error.strerror}; name a TOML file of rules") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"--decide {path} is not UTF-8; name a TOML file of rules") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"--decide {path} is not valid TOML ({error}); mend it") from error
    rules = parse_rules(table, str(path))
    for target in rules.targets:
        parse_expression(target.match or target.name)
    return rules


def decide_comparisons(comparisons: Iterable[Comparison], rules: Rules) -> tuple[Decision, ...]:
    """Return what rules say of each comparison."""
    return tuple(
        decide(one.rows, rules, lambda expression, name: parse_expression(expression)(name)) for one in comparisons
    )
