"""C{edgegate upgrade}: have a new process of the program serve in the place of a gateway that runs."""

from __future__ import annotations

from collections.abc import Callable

import click

from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, Answer, ask

PATIENCE = 90
"""Seconds that an upgrade may take: the gateway gives it up sooner."""


@click.command(short_help="Have a new version of the program take a gateway's place.")
@shared_options.admin
def upgrade(admin: Admin) -> None:
    """
    Start the version that is installed now in the place of a gateway that runs.

    The new process has the gateway's command line and its listening sockets: no
    connection is refused. Once it serves, the old one takes no more connections,
    ends those it has with their next answer (--upgrade-drain-timeout), and exits.

    The exit status is 1 where the new process does not serve within 60 seconds:
    then the old one goes on, and what the new one said is printed.
    """
    if not tell_to_upgrade(admin):
        raise SystemExit(1)


def ask_patiently(admin: Admin, method: str, path: str) -> Answer:
    """See L{ask}."""
    return ask(admin, method, path, PATIENCE)


def tell_to_upgrade(admin: Admin, ask: Callable[[Admin, str, str], Answer] = ask_patiently) -> bool:
    """Have a gateway upgrade, print what comes of it, and return whether it did."""
    answer = ask(admin, "POST", "/upgrade")
    click.echo(answer.text, nl=False, err=answer.status != 200)
    return answer.status == 200
