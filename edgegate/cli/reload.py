"""C{edgegate reload}: tell a gateway that runs to read its files again."""

from __future__ import annotations

import click

from edgegate.cli import options
from edgegate.cli.asking import ask
from edgegate.routing.snapshot import Address


@click.command()
@options.admin
def reload(admin: Address) -> None:
    """
    Have the gateway read its files again, and print what is different now.

    The exit status is 1 where the files have errors: then what was served
    before goes on, and all problems are printed.
    """
    status, text = ask(admin, "POST", "/reload")
    click.echo(text, nl=False)
    if status != 200:
        raise SystemExit(1)
