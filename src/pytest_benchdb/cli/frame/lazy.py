"""Commands that are imported when they are called: `benchdb report` pays for its own module only."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of a group by name; looking one up imports its module, which calls it ``command``."""

    def __init__(self, package: str, modules: dict[str, str]) -> None:
        """Name the commands.

        Args:
            package: where the modules are.
            modules: name of the module by name of the command, in the order to list them.
        """
        self._package = package
        self._modules = modules
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module = self._modules[name]
            self._loaded[name] = import_module(f"{self._package}.{module}").command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._modules.setdefault(name, name)
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._modules[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class OrderedGroup(click.Group):
    """A group that lists its commands in their own order: the main job first, repairs last."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order in which they were given."""
        return list(self.commands)
