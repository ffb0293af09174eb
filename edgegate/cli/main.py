"""The C{edgegate} command."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Final, cast

import click
from click.shell_completion import CompletionItem

from edgegate.version import described

COMMANDS: Final = (
    "check",
    "explain",
    "test",
    "diff",
    "replay",
    "certs",
    "proxy-config",
    "reload",
    "log",
    "drain",
    "top",
    "upgrade",
    "schema",
    "completion",
)
"""In the order of the documentation; each is a function in a module of its name."""

PATHS: Final = frozenset({"DIR", "FILE", "FILES", "FOLDER", "OLD", "NEW", "ACCESS_LOG"})
"""What the help of commands calls files and folders."""


class Commands(click.Group):
    """Loads a command when it is asked for: what C{check} needs takes longer to load than C{reload} takes at all."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all."""
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return one; L{None}: there is none of that name."""
        if name not in COMMANDS:
            return None
        function = name.replace("-", "_")
        command = cast(click.Command, getattr(import_module(f"edgegate.cli.{function}"), function))
        _complete_paths(command)
        return command

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so, and the group's own options; no command is loaded to say what it does."""
        names = [CompletionItem(name) for name in self.list_commands(context) if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, context, incomplete)]


def _complete_paths(command: click.Command) -> None:
    """Have shells complete whatever a command takes that its help calls by one of L{PATHS}."""
    for parameter in command.params:
        words = re.split(r"[^A-Z_:]+", (parameter.metavar or "").strip("[]. "))
        if parameter.type is click.STRING and PATHS.issuperset(words):
            # whether it is there, and may be read, is for the command to say
            parameter.type = click.Path(readable=False)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(described(), message="%(version)s")
def main() -> None:
    """
    Serve Istio's Gateway and VirtualService files on any machine.

    The gateway itself is started by `twistd -n edgegate --config DIR`.
    """
