"""Asking the admin listener of a gateway that runs."""

from __future__ import annotations

import os
from typing import Any

import click
import treq
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import react
from twisted.web.client import Agent, ResponseFailed
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from edgegate.routing.snapshot import Address, TCPAddress

TIMEOUT = 60
"""Seconds that an answer may take; a reload of very many files takes some."""


@implementer(IAgentEndpointFactory)
class OneEndpoint:
    """Leads to one address, whatever the URL says."""

    def __init__(self, reactor: Any, address: Address) -> None:
        self._reactor = reactor
        self._address = address

    def endpointForURI(self, uri: object) -> IStreamClientEndpoint:  # noqa: N802
        """Return the endpoint."""
        address = self._address
        if isinstance(address, TCPAddress):
            kind = TCP6ClientEndpoint if ":" in address.host else TCP4ClientEndpoint
            return kind(self._reactor, address.host, address.port)
        return UNIXClientEndpoint(self._reactor, address.path)


async def fetch(reactor: Any, address: Address, method: str, path: str) -> tuple[int, str]:
    """
    Ask for a page.

    @return: Its status and its body.
    @raise click.ClickException: Nobody answers.
    """
    client = HTTPClient(Agent.usingEndpointFactory(reactor, OneEndpoint(reactor, address)))
    try:
        response = await client.request(method, f"http://localhost{path}", timeout=TIMEOUT)
        return response.code, await treq.text_content(response, "utf-8")
    except ConnectError as error:
        reason = os.strerror(error.osError) if error.osError else str(error)
        raise click.ClickException(
            f"no gateway answers at {address} ({reason}): does it run, and with this --admin?"
        ) from None
    except ResponseFailed as error:
        raise click.ClickException(f"what answers at {address} is no admin listener: {error}") from None


def ask(address: Address, method: str, path: str) -> tuple[int, str]:
    """Ask for a page, once in a process; see L{fetch}."""
    found: list[tuple[int, str] | click.ClickException] = []

    async def main(reactor: Any) -> None:
        try:
            found.append(await fetch(reactor, address, method, path))
        except click.ClickException as error:
            found.append(error)

    try:
        react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
    except SystemExit as end:
        if not found:
            raise click.ClickException("asking the admin listener failed") from end
    (outcome,) = found
    if isinstance(outcome, click.ClickException):
        raise outcome
    return outcome
