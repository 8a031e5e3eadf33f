"""Answers to a shell that completes a command line, and the script that makes the shell ask."""

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    shell_complete,
    split_arg_string,
)

SHELLS = ("bash", "zsh", "fish")

_BASH = r"""%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        [[ $type == plain ]] && COMPREPLY+=("$value")
    done < <(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -o default -F %(complete_func)s %(prog_name)s 2>/dev/null ||
    complete -o default -F %(complete_func)s %(prog_name)s
"""
"""Where there is nothing to offer, bash completes paths."""
_SPECIAL = re.compile(r"([\s'\"\\$`;&|<>()*?!{}])")


@add_completion_class
class BashWords(BashComplete):
    """Completion for bash, which breaks words at colons: the answer leaves out what comes before the last one."""

    source_template = _BASH

    def source(self) -> str:
        """Return the script; unlike click, do not start bash for its version."""
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the beginning of the one at it."""
        line = os.environ.get("COMP_LINE", "")
        typed = line.encode()[: int(os.environ.get("COMP_POINT") or len(line.encode()))].decode(errors="ignore")
        words = split_arg_string(typed)
        incomplete = words.pop() if words and not typed[-1:].isspace() else ""
        value = incomplete.partition("=")[2] if incomplete.startswith("-") else incomplete
        self._kept = max(value.rfind(":"), value.rfind("=")) + 1
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return an answer as the script reads it, special characters escaped."""
        escaped = _SPECIAL.sub(r"\\\1", item.value[self._kept :])
        return f"{item.type},{escaped}"


def variable_of(prog: str) -> str:
    """Return the variable by which a shell asks a program: ``_BENCHDB_COMPLETE``."""
    return f"_{prog.replace('-', '_').upper()}_COMPLETE"


def answer(program: click.Command, prog: str) -> int:
    """Answer the shell's question, or print its script, on standard output; return the exit status."""
    variable = variable_of(prog)
    return shell_complete(program, {}, prog, variable, os.environ[variable])


def script(program: click.Command, prog: str, shell: str) -> str:
    """Return the script for one of `SHELLS`."""
    kind = get_completion_class(shell)
    return "" if kind is None else kind(program, {}, prog, variable_of(prog)).source()
