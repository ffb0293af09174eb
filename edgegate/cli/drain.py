"""C{edgegate drain}: have a gateway that runs end in good order."""

from __future__ import annotations

from collections.abc import Callable

import click

from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, Answer, ask


@click.command(short_help="Have a gateway end, with what is under way served.")
@shared_options.admin
@click.option("--status", is_flag=True, help="Only ask whether the gateway is ending, and how many connections it has.")
def drain(admin: Admin, status: bool) -> None:
    """
    Have the gateway end in good order, as SIGTERM does, and return at once.

    It says that it is not ready (--drain-delay), closes its ports, lets what is
    under way end (--drain-timeout) and exits with status 0. SIGTERM does not hurry
    a drain that began in this way.
    """
    if not tell_to_drain(admin, status):
        raise SystemExit(1)


def tell_to_drain(admin: Admin, status: bool, ask: Callable[[Admin, str, str], Answer] = ask) -> bool:
    """
    Have a gateway drain, or only ask it, and print what it says; return whether it could.

    @param status: Only ask.
    """
    answer = ask(admin, "GET" if status else "POST", "/drain")
    click.echo(answer.text, nl=False, err=answer.status != 200)
    return answer.status == 200
