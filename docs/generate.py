"""Writes the parts of the documentation that the code knows best: options, commands, hooks, schema, layers, errors.

A part is between ``<!-- generated: NAME -->`` and ``<!-- end generated -->`` in a page of ``docs/``. Run this script
after a change to the code; ``--check`` only reports whether that is necessary.
"""

import argparse
import ast
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
PROJECT = DOCS.parent
PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- end generated -->)", re.DOTALL)


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; pipes within cells are escaped."""
    names = list(header)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def code(text: str) -> str:
    """Return text as inline code, or nothing for an empty text."""
    return f"`{text}`" if text else ""


def prose(text: str) -> str:
    """Return a sentence of the code for a page: what looks like an option or a glob stays as it is typed."""
    parts = text.split("`")  # every second part is code already
    parts[::2] = [
        re.sub(r"(?<![\w-])(--[a-z][\w-]*)", r"`\1`", part.replace("*", "\\*").replace("<", "\\<"))
        for part in parts[::2]
    ]
    return "`".join(parts)


def options() -> str:
    """Return the options of the pytest plugin with every way to set them."""
    module = import_module("pytest_benchdb.plugin.options")
    rows = []
    for option in module.OPTIONS:
        flag = f"{option.flag}={option.metavar}" if option.metavar else option.flag
        rows.append([code(flag), *_settings(option.key), prose(option.help)])
    rows.extend(["", *_settings(option.key), prose(option.help)] for option in module.CONFIG_ONLY)
    return table(["Command line", "Variable", "`[tool.benchdb]`", "ini key", "Meaning"], rows)


def _settings(key: str | None) -> list[str]:
    return ["", "", ""] if key is None else [code(f"BENCHDB_{key.upper()}"), code(key), code(f"benchdb_{key}")]


def commands() -> str:
    """Return every command of the command line with its arguments and options."""
    cli = import_module("pytest_benchdb.cli.main").cli
    return "\n".join(_command(path, command) for path, command in walk(cli, "benchdb"))


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield a click command and all commands below it with what is typed to call them."""
    yield path, command
    for name, child in sorted(getattr(command, "commands", {}).items()):
        if not child.hidden:
            yield from walk(child, f"{path} {name}")


def _command(path: str, command: Any) -> str:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    shown = [param for param in command.params if param.param_type_name == "option" and not param.hidden]
    usage = " ".join([path, *(["[OPTIONS]"] if shown else []), *(_argument(param) for param in arguments)])
    if getattr(command, "commands", None):
        usage += " COMMAND [ARGS]..."
    lines = [f"## {path}", "", _help(command), ""]
    lines += ["```text", usage, "```", ""]
    if shown:
        lines.append(table(["Option", "Meaning"], ([_names(param), _meaning(param)] for param in shown)))
    return "\n".join(lines)


def _help(command: Any) -> str:
    """Return the text of a command; what it gives as an example is code."""
    text = inspect.cleandoc(command.help or "").replace("\b\n", "").partition("\f")[0]
    paragraphs = []
    for paragraph in text.split("\n\n"):
        example = re.fullmatch(r"(Examples?: )(.*)", paragraph, re.DOTALL)
        paragraphs.append(example[1] + code(" ".join(example[2].split())) if example else prose(paragraph))
    return "\n\n".join(paragraphs)


def _argument(param: Any) -> str:
    name = (param.metavar or param.name or "").upper().strip("[].")
    name += "..." if param.nargs == -1 else ""
    return name if param.required else f"[{name}]"


def _names(param: Any) -> str:
    names = ", ".join(code(name) for name in [*param.opts, *param.secondary_opts])
    choices = getattr(param.type, "choices", None)
    if choices:
        return f"{names} " + code("|".join(str(choice) for choice in choices))
    if param.is_flag or param.count:
        return names
    return f"{names} {code(param.metavar or str(param.type.name).upper())}"


def _meaning(param: Any) -> str:
    text = prose(" ".join((param.help or "").split()))
    default = param.default
    if isinstance(default, str | int | float) and not isinstance(default, bool) and not param.is_flag and default != "":
        text += f" Default: {code(str(default))}."
    variables = [param.envvar] if isinstance(param.envvar, str) else list(param.envvar or ())
    return text + "".join(f" Variable: {code(name)}." for name in variables)


def hooks() -> str:
    """Return every hook that a suite or a plugin may implement."""
    if find_spec("pytest_benchdb.hookspecs") is None:
        return "This version defines no hooks of its own.\n"
    module = import_module("pytest_benchdb.hookspecs")
    specifications = {name: hook for name, hook in vars(module).items() if name.startswith("pytest_benchdb_")}
    return "\n".join(
        f"## {name}\n\n```python\ndef {name}{_signature(hook)}: ...\n```\n\n{_docstring(hook)}\n"
        for name, hook in specifications.items()
    )


def _signature(function: Callable[..., object]) -> str:
    """Return the signature as it is written: names of types, no quotes."""
    return str(inspect.signature(function)).replace("'", "").replace("collections.abc.", "")


def _docstring(function: Callable[..., object]) -> str:
    """Return a Google docstring as Markdown: its sections become lists."""
    lines = []
    for line in inspect.cleandoc(function.__doc__ or "").splitlines():
        entry = re.fullmatch(r" {4}(\w+): (.*)", line)
        heading = re.fullmatch(r"(Args|Returns|Raises|Attributes|Yields):", line)
        if heading:
            lines += [f"**{heading[1]}**", ""]
        else:
            lines.append(f"- `{entry[1]}`: {entry[2]}" if entry else line.strip())
    return "\n".join(lines)


def metrics() -> str:
    """Return the metric registry."""
    registry = import_module("pytest_benchdb.model.metric").METRICS
    bounds = import_module("pytest_benchdb.model.metric").BOUNDS
    rows = (
        [code(m.name), m.unit, m.better, m.kind, _possible(bounds[m.name]), prose(m.description)]
        for m in registry.values()
    )
    return table(["Metric", "Unit", "Better", "Kind", "Possible values", "What it is"], rows)


def _possible(bounds: Any) -> str:
    """Return the values that a metric can have."""
    if bounds.least is None:
        return "any"
    start = "above 0" if bounds.takes_time else f"from {bounds.least:g}"
    end = "" if bounds.most is None else f" to {bounds.most:.2g}"
    return start + end + (", whole" if bounds.whole else "")


def long_table() -> str:
    """Return the columns of the table that is exported."""
    columns = import_module("pytest_benchdb.model.exchange.long_table").COLUMNS
    return table(["Column", "Type", "Meaning"], ([code(c.name), code(c.kind), prose(c.meaning)] for c in columns))


def metric_words() -> str:
    """Return the words for several metrics."""
    words = import_module("pytest_benchdb.model.metric").METRIC_WORDS
    return table(["Word", "Metrics"], ([code(word), ", ".join(map(code, names))] for word, names in words.items()))


def exit_statuses() -> str:
    """Return what each exit status means."""
    meanings = import_module("pytest_benchdb.model.exit_status").MEANINGS
    return table(["Status", "Meaning"], ([str(status), text] for status, text in meanings.items()))


def schema() -> str:
    """Return the tables and the views, as DuckDB itself describes them once they are created."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    folder = resources.files("pytest_benchdb.store") / "sql"
    for script in sorted((item for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda item: item.name):
        connection.execute(script.read_text(encoding="utf-8"))
    tables = connection.execute("SELECT table_name, comment FROM duckdb_tables() ORDER BY table_oid").fetchall()
    views = connection.execute(
        "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY view_oid"
    ).fetchall()
    columns = connection.execute(
        "SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() "
        "WHERE NOT internal ORDER BY table_oid, column_index"
    ).fetchall()
    parts = ["## Tables\n"]
    parts += [_relation(name, comment, columns, nullable=True) for name, comment in tables]
    parts += ["## Views\n"] if views else []
    parts += [_relation(name, comment, columns, nullable=False) for name, comment in views]
    return "\n".join(parts)


def _relation(name: str, comment: str | None, columns: list[tuple[Any, ...]], *, nullable: bool) -> str:
    rows = []
    for relation, column, kind, may_be_null, meaning in columns:
        if relation != name:
            continue
        row = [code(column), code(kind)]
        if nullable:
            row.append("" if may_be_null else "never NULL")
        rows.append([*row, prose(meaning or "")])
    header = ["Column", "Type", "", "Meaning"] if nullable else ["Column", "Type", "Meaning"]
    return f"### {name}\n\n{prose(comment or '')}\n\n{table(header, rows)}"


def layers() -> str:
    """Return the layers of the import contract, and what lives in each package according to its docstring."""
    lines = _layer_lines()
    rows = ([code(name), prose(_first_paragraph(name))] for line in lines for name in line)
    diagram = "\n".join(" | ".join(line) for line in lines)
    return f"```text\n{diagram}\n```\n\n{table(['Package', 'What lives there'], rows)}"


def rooms() -> str:
    """Return what lives in each sub-package, in the order of the layers."""
    source = PROJECT / "src" / "pytest_benchdb"
    names = [
        ".".join(folder.parent.relative_to(source).parts)
        for line in _layer_lines()
        for package in line
        for folder in sorted((source / package).rglob("__init__.py"))
        if folder.parent != source / package
    ]
    return table(["Room", "What lives there"], ([code(name), prose(_first_paragraph(name))] for name in names))


def _layer_lines() -> list[list[str]]:
    """Return the packages of each layer of import-linter's contract in ``pyproject.toml``, top layer first."""
    try:
        tomllib = import_module("tomllib")
    except ImportError:  # Python 3.10
        tomllib = import_module("tomli")
    linter = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = next(contract for contract in linter["contracts"] if contract["type"] == "layers")
    lines = [[name.strip() for name in line.split("|")] for line in contract["layers"]]
    # In parentheses: not written yet.
    return [[name for name in line if not name.startswith("(")] for line in lines]


def _first_paragraph(name: str) -> str:
    """Return the first paragraph of the docstring of a module or package, read without importing it."""
    path = PROJECT.joinpath("src", "pytest_benchdb", *name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split()).replace("``", "`")


def errors() -> str:
    """Return the classes of errors, each with a link to its section, whose anchor is the slug."""
    module = import_module("pytest_benchdb.errors")
    classes: list[Any] = [kind for kind in vars(module).values() if inspect.isclass(kind) and hasattr(kind, "slug")]
    rows = (
        [f"[{code(kind.slug)}](#{kind.slug})", code(kind.__name__), code(kind.__base__.__name__), prose(kind.__doc__)]
        for kind in classes
    )
    return table(["Slug", "Class", "Is a", "When"], rows)


def options_of_rounds() -> str:
    """Return the options of `Bench.options`."""
    return _fields(import_module("pytest_benchdb.measure.timing.plan").Plan)


def known_answers() -> str:
    """Return what is measured on the model device beside what is right."""
    units = {"device_peak": (2**-20, " MiB"), "energy": (1.0, " J"), "power": (1.0, " W"), "iterations": (1.0, "")}
    rows = []
    for answer in import_module("pytest_benchdb.testing.known_answers").ANSWERS:
        case = answer.case
        for metric, value in answer.measured().items():
            right = answer.right[metric]
            scale, unit = units.get(metric.removeprefix("idle_"), (1e6, " us"))
            deviation = f"{100 * (value / right - 1):+.1f} %".replace("-0.0", "+0.0")
            rows.append([case, code(metric), f"{right * scale:.6g}{unit}", f"{value * scale:.6g}{unit}", deviation])
            case = ""
    return table(["Case", "Metric", "Right", "Measured", "Off by"], rows)


def options_of_streams() -> str:
    """Return the options of `Bench.stream`."""
    return _fields(import_module("pytest_benchdb.measure.stream.plan").StreamPlan)


def options_of_ranks() -> str:
    """Return the options of `Bench.distributed` that are for tests."""
    plan = import_module("pytest_benchdb.measure.distributed.run").RankPlan
    return _fields(plan, without=("opener", "opener_argument", "provenance"))


def _fields(kind: Any, without: tuple[str, ...] = ()) -> str:
    """Return the fields of a dataclass with their defaults and what its docstring says about them."""
    attributes = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE)
    meanings = {name: " ".join(text.split()).replace("``", "`") for name, text in entries}
    rows = []
    for field in dataclasses.fields(kind):
        if field.name not in without:
            default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
            rows.append([code(field.name), code(repr(default)), prose(meanings[field.name])])
    return table(["Option", "Default", "Meaning"], rows)


GENERATORS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "errors": errors,
    "exit-statuses": exit_statuses,
    "hooks": hooks,
    "known-answers": known_answers,
    "layers": layers,
    "long-table": long_table,
    "metrics": metrics,
    "metric-words": metric_words,
    "options": options,
    "options-of-ranks": options_of_ranks,
    "options-of-rounds": options_of_rounds,
    "options-of-streams": options_of_streams,
    "rooms": rooms,
    "schema": schema,
}


def rendered(page: str) -> str:
    """Return a page with each of its generated parts made anew."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}\n{GENERATORS[match['name']]().strip()}\n\n{match[4]}"

    return PART.sub(fill, page)


def main() -> int:
    """Write the pages, or report which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is stale")
    check = parser.parse_args().check
    stale = []
    for path in sorted(DOCS.glob("*/*.md")):
        page = path.read_text(encoding="utf-8")
        current = rendered(page)
        if current != page:
            stale.append(path)
            if not check:
                path.write_text(current, encoding="utf-8", newline="\n")
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
