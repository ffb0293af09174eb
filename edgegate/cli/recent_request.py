"""C{edgegate explain --request-id}: what became of a request that was."""

from __future__ import annotations

import json
from urllib.parse import quote

import click
from twisted.web.http import OK

from edgegate.cli.admin_client import Admin, ask
from edgegate.explain.recent_story import story


def tell_request(admin: Admin, request_id: str, as_json: bool) -> None:
    """
    Print the story of the requests of an id that a gateway keeps, the last one first.

    @param as_json: Print what the gateway tells, as it is.
    @raise click.ClickException: It keeps none of this id, or none at all, or tells nobody.
    """
    answer = ask(admin, "GET", f"/requests/{quote(request_id, safe='')}")
    if answer.status != OK:
        raise click.ClickException(answer.text.strip())
    if as_json:
        click.echo(answer.text, nl=False)
        return
    for number, each in enumerate(json.loads(answer.text)):
        if number:
            click.echo()
        for line in story(each):
            click.echo(line)
