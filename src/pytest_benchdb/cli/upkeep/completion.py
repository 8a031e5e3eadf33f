"""`benchdb completion`: print the script that completes commands in a shell."""

import os
from pathlib import Path

import click

from pytest_benchdb.cli.frame.completion import SHELLS, script
from pytest_benchdb.cli.frame.options import CONTEXT

PROGRAMS = ("benchdb", "benchdb-report", "benchdb-compare", "benchdb-regress")

_HELP = """Print the script that completes commands, options, benchmarks, labels, metrics and SPECs in your shell.

SHELL is bash, zsh or fish; without it, that of $SHELL. To have it in every shell, add one line to its start-up file:

\b
bash  ~/.bashrc                    eval "$(benchdb completion bash)"
zsh   ~/.zshrc                     eval "$(benchdb completion zsh)"
fish  ~/.config/fish/config.fish   benchdb completion fish | source

Names come from the history as the last command left it; completing reads no new sessions and writes nothing.

Example: benchdb completion bash
"""


@click.command("completion", context_settings=CONTEXT, help=_HELP)
@click.argument("shell", metavar="[SHELL]", required=False, type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, /, shell: str | None) -> None:
    """Print the script.

    Raises:
        UsageError: the shell is not known.
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise click.UsageError(f"name your shell: benchdb completion {'|'.join(SHELLS)}", context)
    for prog in PROGRAMS:
        click.echo(script(context.find_root().command, prog, name))
