"""C{edgegate top}: what a gateway does at the moment, in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, Answer, ask
from edgegate.cli.live_events import EventParser, LiveTables
from edgegate.cli.live_query import MOST_ROWS, SORTS, check, path_of
from edgegate.cli.top_table import BY, plain


@click.command(short_help="Show what a gateway does at the moment: rates, errors, latencies, health.")
@shared_options.admin
@click.option("--by", type=click.Choice(tuple(BY)), default="route", show_default=True, help="What rows are of.")
@click.option("--sort", type=click.Choice(SORTS), default="rps", show_default=True, help="Which rows are the first.")
@click.option("--filter", "text", metavar="TEXT", default="", help="Only rows with TEXT: a host, route, file, address.")
@click.option("--rows", type=click.IntRange(1, MOST_ROWS), default=50, show_default=True, help="How many, at the most.")
@click.option("--once", is_flag=True, help="Print one table after a second, and end: for scripts.")
def top(admin: Admin, by: str, sort: str, text: str, rows: int, once: bool) -> None:
    """
    Show what a gateway does at the moment, each second: requests, errors and
    latencies by host, route, cluster or endpoint, and which endpoints are well.

    Figures are of the last 5 to 10 seconds. ERR is the share of requests that the
    gateway or the backend failed, CLIENT that of the clients' own errors; times
    are in milliseconds.

    Keys: 1 to 4 for hosts, routes, clusters and endpoints; r, e, p and n sort by
    rps, errors, p99 and name; space holds and goes on; q ends.
    """
    if once:
        click.echo(look_once(admin, by, sort, text, rows), nl=False)
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.ClickException("this is no terminal: --once prints one table")
    try:
        from edgegate.cli.top_screen import run  # noqa: PLC0415 (what paints it is megabytes)
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise click.ClickException(
            "the package rich is missing, which paints the screen: pip install rich, or --once"
        ) from None
    run(admin, by, sort, text, rows)


def look_once(
    admin: Admin, by: str, sort: str, text: str, rows: int, ask: Callable[[Admin, str, str], Answer] = ask
) -> str:
    """
    Return one table, as text.

    @raise click.ClickException: There is none to be had.
    """
    answer = ask(admin, "GET", path_of(sort, text, rows, once=True))
    check(answer.status, answer.text)
    tables = LiveTables()
    try:
        for event in EventParser().feed(answer.text.encode()):
            tables.take(*event)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.ClickException("the gateway's live data can't be read: is it of the same version?") from None
    if tables.events < 2:
        raise click.ClickException("the gateway's live data ended too soon: does it just end, or is it overloaded?")
    return plain(tables, by)
