"""SECURITY.md promises only what is tested."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_statement_names_tests_that_exist() -> None:
    _, _, text = PAGE.partition("## What holds")
    holds, _, _ = text.partition("\n## ")
    statements = re.findall(r"^- .*$", holds, re.MULTILINE)
    named = {statement: re.findall(r"`(tests/[\w/]+\.py)`", statement) for statement in statements}

    assert len(statements) > 10
    assert [statement for statement, paths in named.items() if not paths] == []
    assert [line for line in holds.splitlines() if line and line[0] not in "-#" and "names its tests" not in line] == []
    for paths in named.values():
        for path in paths:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body), path
