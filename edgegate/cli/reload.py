"""C{edgegate reload}: tell a gateway that runs to read its files again."""

from __future__ import annotations

from collections.abc import Callable

import click

from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, Answer, ask


@click.command(short_help="Have a gateway read its files again.")
@shared_options.admin
def reload(admin: Admin) -> None:
    """
    Have the gateway read its files again, and print what is different now.

    The exit status is 1 where the files have errors: then what was served
    before goes on, and all problems are printed.
    """
    status = tell_to_reload(admin)
    if status != 0:
        raise SystemExit(status)


def tell_to_reload(admin: Admin, ask: Callable[[Admin, str, str], Answer] = ask) -> int:
    """Have a gateway reload, print what comes of it, and return the exit status."""
    answer = ask(admin, "POST", "/reload")
    click.echo(answer.text, nl=False)
    return 0 if answer.status == 200 else 1
