# Hot path: answers each request.
"""What answers exchanges: a backend, a redirect to https, or the gateway itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from edgegate.errors import Fault
from edgegate.http.exchange import Exchange
from edgegate.http.interfaces import IResource
from edgegate.http.proxy import forward

if TYPE_CHECKING:
    from edgegate.http.gateway import HTTPGateway


@implementer(IResource)
class ReverseProxyResource:
    """Answers with what a backend of the exchange's route answers."""

    __slots__ = ("_gateway",)

    def __init__(self, gateway: HTTPGateway) -> None:
        self._gateway = gateway

    def render(self, exchange: Exchange) -> None:
        """Send the request on; the answer follows when it comes."""
        route = exchange.route
        assert route is not None
        forward(exchange, route, self._gateway)


@implementer(IResource)
class HTTPSRedirectResource:
    """
    Answers with the same URL under https (Istio's C{ServerTLSSettings.httpsRedirect}): 301, the query kept.

    @ivar port: Of the https URL; 443 is left out.
    """

    __slots__ = ("port",)

    def __init__(self, port: int) -> None:
        self.port = port

    def render(self, exchange: Exchange) -> None:
        """Answer at once."""
        head = exchange.head
        # the host is checked: it holds no byte that could end a field
        host = head.host.encode("ascii")
        port = b"" if self.port == 443 else b":%d" % self.port
        target = b"/" if head.target == b"*" else head.target
        exchange.reply(301, [(b"location", b"https://%b%b%b" % (host, port, target))], b"")


@implementer(IResource)
class FaultResource:
    """Answers that something went wrong."""

    __slots__ = ("_fault",)

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def render(self, exchange: Exchange) -> None:
        """Answer at once."""
        exchange.fail(self._fault)
