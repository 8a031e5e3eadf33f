"""Commands that take another command after ``--``: `benchdb duet main -- pytest tests`."""

import click

_KEY = "pytest_benchdb.words_after_dashes"


class CommandWithProgram(click.Command):
    """A command whose words after the first ``--`` are another program's, and are not looked at."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words after ``--`` for `words_after_dashes`, and read the rest."""
        words: list[str] | None = None
        if "--" in args:
            at = args.index("--")
            args, words = args[:at], args[at + 1 :]
        ctx.meta[_KEY] = words
        return super().parse_args(ctx, args)


def words_after_dashes(context: click.Context) -> list[str] | None:
    """Return what stood after ``--``; None if there was none."""
    found: list[str] | None = context.meta.get(_KEY)
    return found
