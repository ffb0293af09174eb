"""C{edgegate completion}: print the script by which a shell completes the command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")

NAME = "edgegate"
VARIABLE = "_EDGEGATE_COMPLETE"
"""In which the script asks the command what could come next; click looks for one of this name."""


@click.command(short_help="Print the script by which a shell completes the command.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """
    Print the script by which bash (4.4 or later), zsh or fish completes edgegate's
    commands, options, files and what else can be known.

    \b
    bash   source <(edgegate completion bash)         in ~/.bashrc
    zsh    source <(edgegate completion zsh)          in ~/.zshrc, after compinit
    fish   edgegate completion fish | source          in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    command = click.get_current_context().find_root().command
    click.echo(kind(command, {}, NAME, VARIABLE).source())
