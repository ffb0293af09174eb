"""C{edgegate log}: follow the access log of a gateway that runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import click
import treq
from twisted.web.client import ResponseFailed
from twisted.web.http import OK

from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, begin, described, explained, run

LINES = 10
"""Lines that are shown where nothing is said of it."""


@click.command(short_help="Show lines of the access log as they come.")
@shared_options.admin
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C, or until -n lines have come.")
@click.option("-n", "--lines", type=click.IntRange(1), help=f"End after so many.  [default: {LINES}; with -f: no end]")
@click.option("--host", default="", help="Only of this host; *.example is every name below example.")
@click.option("--route", default="", help="Only of this route: its name, its FILE, or FILE:LINE.")
@click.option("--status", default="", help='Only with this status: 404, 5xx, ">=500", or 0 where nothing was answered.')
@click.option("--flag", default="", metavar="FLAG,...", help="Only with one of these response flags, such as UF,UH.")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def log(admin: Admin, follow: bool, lines: int | None, as_json: bool, **conditions: str) -> None:
    """
    Show lines of the access log of a gateway, of all its workers, as requests
    end: the next ones, not those that were.

    The gateway leaves out what is not asked for. Lines are text, or with --json
    JSON, in the format that the gateway writes if that is one of it. Where lines
    are missing, as there were too many to show, that is said in their place.
    """
    wanted = {name: value for name, value in conditions.items() if value}
    wanted["format"] = "json" if as_json else "text"
    wanted["lines"] = str(lines or (0 if follow else LINES))
    run(lambda reactor: show(reactor, admin, wanted, _write))


async def show(reactor: Any, admin: Admin, wanted: Mapping[str, str], write: Callable[[bytes], None]) -> None:
    """
    Write lines as they come, until there are enough.

    @param wanted: The query; see L{edgegate.admin.log_page.parse_log}.
    @param write: Takes pieces, which need not be whole lines.
    @raise click.ClickException: Nobody answers, what is wanted can't be, or the gateway ends.
    """
    with explained(admin):
        response = await begin(reactor, admin, "POST", f"/log?{urlencode(wanted)}")
        if response.code != OK:
            raise click.ClickException((await treq.text_content(response, "utf-8")).strip())
        click.echo(f"following {described(response.headers, admin.address)}", err=True)
    try:
        await treq.collect(response, write)
    except ResponseFailed:
        raise click.ClickException("the gateway has ended") from None


def _write(data: bytes) -> None:
    click.echo(data, nl=False)
