"""The examples in docstrings do what they show."""

import doctest
import importlib
import io
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


def modules_with_examples() -> list[str]:
    return [
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(SOURCE.rglob("*.py"))
        if ">>> " in path.read_text(encoding="utf-8")
    ]


def test_examples_of_docstrings_give_what_they_show() -> None:
    output = io.StringIO()
    runner, finder = doctest.DocTestRunner(verbose=False), doctest.DocTestFinder()

    for name in modules_with_examples():
        for example in finder.find(importlib.import_module(name)):
            runner.run(example, out=output.write)

    assert runner.tries > 50
    assert runner.failures == 0, output.getvalue()
