"""What is asked of the live stream of an admin listener."""

from __future__ import annotations

from urllib.parse import quote

import click

SORTS = ("rps", "errors", "p99", "name")

MOST_ROWS = 500


def path_of(sort: str, text: str, rows: int, once: bool = False) -> str:
    """Return what is asked for."""
    return f"/stream?sort={sort}&top={rows}&filter={quote(text, safe='')}{'&once=1' if once else ''}"


def check(status: int, text: str) -> None:
    """
    Do nothing where live data comes.

    @raise click.ClickException: It does not.
    """
    if status == 404:
        raise click.ClickException("this gateway has no live data: it is of an older version")
    if status != 200:
        raise click.ClickException(f"the admin listener answers {status}: {text.strip()}")
