"""Ask the admin listener of a gateway that runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
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
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from edgegate.admin.address import CONFIG, PID
from edgegate.model.addresses import Address, TCPAddress

T = TypeVar("T")

TIMEOUT = 60
"""Seconds that an answer may take; a reload of very many files takes some."""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a gateway answered.

    @ivar gateway: Which gateway it was, in words.
    @ivar config: The path of its files, as it says; empty: it does not.
    """

    status: int
    text: str
    gateway: str
    config: str = ""


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


@contextmanager
def explained(admin: Admin) -> Iterator[None]:
    """Raise what goes wrong with an answer as a L{click.ClickException} that says what to do."""
    address = admin.address
    try:
        yield
    except ConnectError as error:
        reason = os.strerror(error.osError) if error.osError else str(error)
        raise click.ClickException(
            f"no gateway answers at {address} ({reason}): does it run, and with this --admin?"
        ) from None
    except ResponseFailed as error:
        raise click.ClickException(f"what answers at {address} is no admin listener: {error}") from None


async def begin(reactor: Any, admin: Admin, method: str, path: str, timeout: float = TIMEOUT) -> IResponse:
    """
    Ask for a page, and return its answer when that has begun.

    @param timeout: Seconds until then.
    @raise click.ClickException: It asks for another token.
    """
    address = admin.address
    headers = Headers({b"authorization": [b"Bearer " + admin.token]} if admin.token else {})
    client = HTTPClient(Agent.usingEndpointFactory(reactor, OneEndpoint(reactor, address)))
    url = f"http://localhost{path}"
    response: IResponse = await client.request(method, url, headers=headers, timeout=timeout, unbuffered=True)
    if response.code == UNAUTHORIZED:
        what = "does not take this token" if admin.token else "asks for a token"
        raise click.ClickException(
            f"the gateway at {address} {what}: name the file that it was started with, by --admin-token-file"
        )
    return response


async def fetch(reactor: Any, admin: Admin, method: str, path: str, timeout: float = TIMEOUT) -> Answer:
    """
    Ask for a page.

    @raise click.ClickException: Nobody answers, or not without a token.
    """
    with explained(admin):
        response = await begin(reactor, admin, method, path, timeout)
        text = await treq.text_content(response, "utf-8")
        config = unquote(response.headers.getRawHeaders(CONFIG.decode(), [""])[0])
        return Answer(response.code, text, described(response.headers, admin.address), config)


def run(work: Callable[[Any], Coroutine[Any, Any, T]]) -> T | None:
    """
    Do something that needs a reactor, once in a process; return its outcome, or L{None} where Ctrl-C has ended it.

    @param work: May raise L{click.ClickException}, and L{OSError} of what it writes to.
    """
    found: list[T | click.ClickException | OSError | None] = []

    async def main(reactor: Any) -> None:
        # what Ctrl-C ends may fail because of that
        reactor.addSystemEventTrigger("before", "shutdown", found.append, None)
        try:
            found.append(await work(reactor))
        except (click.ClickException, OSError) as error:
            found.append(error)

    try:
        react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
    except SystemExit as end:
        if end.code:
            raise click.ClickException("asking the admin listener failed") from end
    outcome = found[0]
    if isinstance(outcome, click.ClickException | OSError):
        raise outcome
    return outcome


def ask(admin: Admin, method: str, path: str, timeout: float = TIMEOUT) -> Answer:
    """
    Ask for a page, once in a process; see L{fetch}.

    Which gateway answered is said on standard error: there may be several on a machine, and one of them has the
    address that is asked by default.
    """
    answer = run(lambda reactor: fetch(reactor, admin, method, path, timeout))
    if answer is None:
        raise click.ClickException("asking the admin listener failed")
    click.echo(f"asked {answer.gateway}", err=True)
    return answer


def described(headers: Headers, address: Address) -> str:
    """Say which gateway has answered, by what it says of itself."""
    pid, config = (headers.getRawHeaders(name.decode(), [""])[0] for name in (PID, CONFIG))
    if not pid.isdecimal():
        return f"what answers at {address}, which does not say who it is"
    # whoever has the port could send a terminal's control characters
    path = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in unquote(config))
    return f"the gateway at {address}: pid {pid}, config {path}"
