"""Ask the admin listener of a gateway that runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import click
import treq
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import react
from twisted.web.client import Agent, ResponseFailed
from twisted.web.http import UNAUTHORIZED
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from edgegate.admin.address import CONFIG, PID
from edgegate.model.addresses import Address, TCPAddress

TIMEOUT = 60
"""Seconds that an answer may take; a reload of very many files takes some."""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a gateway answered.

    @ivar gateway: Which gateway it was, in words.
    """

    status: int
    text: str
    gateway: str


@dataclass(frozen=True, slots=True)
class Admin:
    """
    Where a gateway is asked, and by what right.

    @ivar token: What its admin listener asks for; empty: nothing.
    """

    address: Address
    token: bytes = b""


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


async def fetch(reactor: Any, admin: Admin, method: str, path: str, timeout: float = TIMEOUT) -> Answer:
    """
    Ask for a page.

    @raise click.ClickException: Nobody answers, or not without a token.
    """
    address = admin.address
    headers = Headers({b"authorization": [b"Bearer " + admin.token]} if admin.token else {})
    client = HTTPClient(Agent.usingEndpointFactory(reactor, OneEndpoint(reactor, address)))
    try:
        response = await client.request(method, f"http://localhost{path}", headers=headers, timeout=timeout)
        if response.code == UNAUTHORIZED:
            what = "does not take this token" if admin.token else "asks for a token"
            raise click.ClickException(
                f"the gateway at {address} {what}: name the file that it was started with, by --admin-token-file"
            )
        who = described(response.headers, address)
        return Answer(response.code, await treq.text_content(response, "utf-8"), who)
    except ConnectError as error:
        reason = os.strerror(error.osError) if error.osError else str(error)
        raise click.ClickException(
            f"no gateway answers at {address} ({reason}): does it run, and with this --admin?"
        ) from None
    except ResponseFailed as error:
        raise click.ClickException(f"what answers at {address} is no admin listener: {error}") from None


def ask(admin: Admin, method: str, path: str, timeout: float = TIMEOUT) -> Answer:
    """
    Ask for a page, once in a process; see L{fetch}.

    Which gateway answered is said on standard error: there may be several on a machine, and one of them has the
    address that is asked by default.
    """
    found: list[Answer | click.ClickException] = []

    async def main(reactor: Any) -> None:
        try:
            found.append(await fetch(reactor, admin, method, path, timeout))
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
    click.echo(f"asked {outcome.gateway}", err=True)
    return outcome


def described(headers: Headers, address: Address) -> str:
    """Say which gateway has answered, by what it says of itself."""
    pid, config = (headers.getRawHeaders(name.decode(), [""])[0] for name in (PID, CONFIG))
    if not pid.isdecimal():
        return f"what answers at {address}, which does not say who it is"
    # whoever has the port could send a terminal's control characters
    path = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in unquote(config))
    return f"the gateway at {address}: pid {pid}, config {path}"
