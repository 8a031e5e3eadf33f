"""Reads the commands of `benchdb run`: words, texts, parameters, names, and what runs around them."""

import decimal
import itertools
import math
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_benchdb.environment.command import sanitized_command
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.wording import counted

AUTO, NONE, DEFAULT_SHELL = "auto", "none", "default"
"""Words for `--shell`: a shell for texts that need one; never one; sh for every text."""

_MOST_COMMANDS = 1000
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_COMMA = re.compile(r"(?<!\\),")
_IN_DOUBLE_QUOTES = frozenset("$`")
_OPERATORS = frozenset("|&;<>()$`*?[\n")
_PARAMETER = re.compile(r"\{\w+\}")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_HOOKS = ("setup", "prepare", "conclude", "cleanup")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """The commands as users write them.

    Attributes:
        texts: commands, each as one text.
        words: one more command, as words that no shell reads; None without one.
        names: of the commands in their order; empty for their texts.
        lists: parameters and their values, separated by commas.
        scans: parameters and their smallest and largest value.
        steps: the step of each scan; 1 where there are fewer.
        shell: `AUTO`, `NONE`, `DEFAULT_SHELL`, or a shell with its options.
        hooks: commands by ``setup``, ``prepare``, ``conclude`` and ``cleanup``: one for all, or one for each command.
    """

    texts: tuple[str, ...] = ()
    words: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    scans: tuple[tuple[str, str, str], ...] = ()
    steps: tuple[str, ...] = ()
    shell: str = AUTO
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command to measure.

    Attributes:
        name: of its benchmark, the same for all values of the parameters.
        params: values of its parameters by name, numbers where they are numbers.
        param_id: the values as they were written; None without parameters.
        template: the command before parameters were put in, secrets masked.
        shown: how it is called in the table.
        argv: the words to run.
        shell: the shell that reads it; None if no shell does.
        hooks: what runs around it, by the names of `CommandRequest.hooks`; what is not wanted is not there.
    """

    name: str
    params: Mapping[str, str | int | float]
    param_id: str | None
    template: str
    shown: str
    argv: tuple[str, ...]
    shell: str | None
    hooks: Mapping[str, str]

    @property
    def full_name(self) -> str:
        """Its name with the values of the parameters."""
        return self.name if self.param_id is None else f"{self.name}[{self.param_id}]"


@dataclass(frozen=True, slots=True)
class _Template:
    """A command before its parameters are put in: words, or a text for a shell to read."""

    words: tuple[str, ...]
    shell: tuple[str, ...]
    text: str
    name: str | None
    hooks: Mapping[str, str]


def read_commands(request: CommandRequest) -> tuple[Command, ...]:
    """Return the commands of a request, one for each combination of parameters.

    Raises:
        ConfigError: there is none, or something of the request cannot be used.
    """
    templates = _templates(request)
    combinations = list(_combinations(request, templates))
    if len(templates) * len(combinations) > _MOST_COMMANDS:
        number = len(templates) * len(combinations)
        raise ConfigError(f"the parameters make {number:,} commands; {_MOST_COMMANDS:,} are the most")
    commands = tuple(command for template in templates for command in _filled_in(template, combinations))
    name, count = Counter(command.full_name for command in commands).most_common(1)[0]
    if count > 1:
        raise ConfigError(f"{count} commands are called {name!r}; give each a name of its own with -N")
    return commands


def find_program(command: Command) -> str | None:
    """Return the path of a command's program; None if there is none."""
    return shutil.which(command.argv[0])


def missing_program(command: Command) -> str:
    """Return that there is no such program, and what may have been meant."""
    program = command.argv[0]
    if Path(program).is_file():
        return f"{program}: is not executable"
    if " " in program:
        return f"{program}: no such program; after -- each word is one argument, so write the quotes around fewer words"
    return (
        f"{program}: no such program; a command of several words goes after -- or in quotes, and a shell's own "
        "commands need -S default"
    )


def _templates(request: CommandRequest) -> list[_Template]:
    given: list[tuple[str, tuple[str, ...] | None]] = [(text, None) for text in request.texts]
    if request.words is not None:
        given.append((_readable(request.words), request.words))
    if not given:
        raise ConfigError("say what to run: benchdb run -- make all, or benchdb run 'make all' 'ninja all'")
    if len(request.names) > len(given):
        what = f"-N was given {counted(len(request.names), 'time')} for {counted(len(given), 'command')}"
        raise ConfigError(f"{what}: it names a command; no shell is used unless one is needed, so nothing turns it off")
    for name in request.names:
        if not name.strip():
            raise ConfigError(f"-N {name!r}: give the name of the benchmark")
    names = [*request.names, *[None] * (len(given) - len(request.names))]
    hooks = [_hooks_of(request, at, len(given)) for at in range(len(given))]
    return [_template(*given[at], request.shell, names[at], hooks[at]) for at in range(len(given))]


def _template(
    text: str, words: tuple[str, ...] | None, shell: str, name: str | None, hooks: Mapping[str, str]
) -> _Template:
    if words is not None and (not words or not words[0]):
        raise ConfigError("there is no command after --; write for example: benchdb run -- make all")
    if not text.strip():
        raise ConfigError("a command is empty; write for example: benchdb run 'make all' 'ninja all'")
    if words is not None:
        in_shell = shell not in {AUTO, NONE}
        text = words[0] if in_shell and len(words) == 1 else text
    else:
        in_shell = shell not in {AUTO, NONE} or (shell == AUTO and needs_shell(text))
    if in_shell:
        return _Template((), _shell_words(shell), text, name, hooks)
    return _Template(words or tuple(_split(text)), (), text, name, hooks)


def _readable(words: Sequence[str]) -> str:
    """Return words in shell syntax, with parameters as they were written."""
    return " ".join(word if _PARAMETER.fullmatch(word) else shlex.quote(word) for word in words)


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{text!r}: {error}".lower()) from error
    if not words or not words[0]:
        raise ConfigError(f"{text!r}: there is no command in it")
    return words


def _shell_words(shell: str) -> tuple[str, ...]:
    words = _split("sh" if shell in {AUTO, DEFAULT_SHELL} else shell)
    if shutil.which(words[0]) is None:
        raise ConfigError(f"--shell {shell}: there is no program {words[0]}; give {DEFAULT_SHELL}, {NONE} or a shell")
    return tuple(words)


def needs_shell(text: str) -> bool:
    """Return whether a command has syntax that only a shell understands: operators, variables, patterns, assignments.

    >>> needs_shell("grep -c 'a|b' file"), needs_shell("grep a file | wc -l"), needs_shell('echo "$HOME"')
    (False, True, True)
    """
    quote, escaped, at_start = "", False, True
    for character in text.strip():
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            if character == quote:
                quote = ""
            elif quote == '"' and character in _IN_DOUBLE_QUOTES:
                return True
        elif character in "'\"":
            quote = character
        elif character in _OPERATORS or (character in "~#" and at_start):
            return True
        at_start = character.isspace() and not quote
    return _ASSIGNMENT.match(text.strip()) is not None


def _hooks_of(request: CommandRequest, at: int, commands: int) -> dict[str, str]:
    hooks = {}
    for name in _HOOKS:
        texts = request.hooks.get(name, ())
        if len(texts) not in {0, 1, commands}:
            raise ConfigError(
                f"--{name} was given {len(texts)} times for {counted(commands, 'command')}; give it once, or once for "
                "each in the same order"
            )
        if texts and texts[at if len(texts) > 1 else 0].strip():
            hooks[name] = texts[at if len(texts) > 1 else 0]
    return hooks


def _combinations(request: CommandRequest, templates: Sequence[_Template]) -> Iterator[dict[str, str]]:
    values: dict[str, list[str]] = {}
    scans = [
        (name, _scanned(name, low, high, request.steps[at] if at < len(request.steps) else "1"))
        for at, (name, low, high) in enumerate(request.scans)
    ]
    if len(request.steps) > len(request.scans):
        raise ConfigError("-D is the step of a scan; give it after -P VAR MIN MAX")
    for name, texts in (*((name, _listed(text)) for name, text in request.lists), *scans):
        if name in values:
            raise ConfigError(f"the parameter {name} is given twice")
        if not any(f"{{{name}}}" in text for each in templates for text in (each.text, *each.words)):
            raise ConfigError(f"no command has {{{name}}}, so the parameter {name} would change nothing")
        values[name] = texts
    if math.prod(map(len, values.values())) > _MOST_COMMANDS:
        raise ConfigError(f"the parameters make more than {_MOST_COMMANDS:,} commands, which are the most")
    for chosen in itertools.product(*values.values()):
        yield dict(zip(values, chosen, strict=True))


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(value.replace("\\,", ",") for value in _COMMA.split(text)))


def _scanned(name: str, low: str, high: str, step: str) -> list[str]:
    what = f"-P {name} {low} {high}" + ("" if step == "1" else f" -D {step}")
    try:
        first, last, width = decimal.Decimal(low), decimal.Decimal(high), decimal.Decimal(step)
    except decimal.InvalidOperation:
        raise ConfigError(f"{what}: give numbers, as in -P threads 1 8; -L takes other values") from None
    if not all(number.is_finite() for number in (first, last, width)) or width <= 0 or last < first:
        raise ConfigError(f"{what}: give the smallest value, the largest, and with -D a step above 0")
    if (last - first) / width >= _MOST_COMMANDS:
        raise ConfigError(f"{what}: these are more than {_MOST_COMMANDS:,} values; give a larger step with -D")
    return [f"{first + width * at:f}" for at in range(int((last - first) / width) + 1)]


def _filled_in(template: _Template, combinations: Sequence[Mapping[str, str]]) -> Iterable[Command]:
    """Return the commands of a template, each once: it need not have every parameter."""
    commands = (_command(template, values) for values in combinations)
    return {command.full_name: command for command in commands}.values()


def _command(template: _Template, values: Mapping[str, str]) -> Command:
    used = {
        name: value
        for name, value in values.items()
        if any(f"{{{name}}}" in text for text in (template.text, *template.words, *template.hooks.values()))
    }
    written = _stored(template)
    text = _filled(template.text, used)
    argv = (*template.shell, "-c", text) if template.shell else tuple(_filled(word, used) for word in template.words)
    name = " ".join((template.name or written).split())
    return Command(
        name=name,
        params={key: _number(value) for key, value in used.items()},
        param_id="-".join(used.values()) if used else None,
        template=written,
        shown=" ".join(_filled(written, used).split()) if template.name is None else _with_values(name, used),
        argv=argv,
        shell=shlex.join(template.shell) or None,
        hooks={key: _filled(hook, used) for key, hook in template.hooks.items()},
    )


def _stored(template: _Template) -> str:
    """Return a command as it is stored: secrets do not go into the names of benchmarks."""
    if template.words:
        without_secrets = sanitized_command(template.words)
        return template.text if shlex.split(without_secrets) == list(template.words) else without_secrets
    return masked(template.text)


def masked(text: str) -> str:
    """Return a command line with secrets masked."""
    return shlex.split(sanitized_command([text]))[0]


def _with_values(name: str, values: Mapping[str, str]) -> str:
    return f"{name} [{', '.join(f'{key}={value}' for key, value in values.items())}]" if values else name


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Put the parameters in, all at once: a value may look like another parameter."""
    if not values:
        return text
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({names})\}}", lambda match: values[match[1]], text)


def _number(text: str) -> str | int | float:
    if _NUMBER.fullmatch(text) is None:
        return text
    try:
        return int(text)
    except ValueError:
        value = float(text)
        return value if math.isfinite(value) else text
