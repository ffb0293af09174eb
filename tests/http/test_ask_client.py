"""Tests of L{edgegate.http.ask_client}."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.trial.unittest import SkipTest, TestCase
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from edgegate.http import ask_client
from edgegate.http.ask_client import AskClient
from edgegate.http.guards.key_set_client import FetchFailed


class Service(Resource):
    """Answers questions with a status."""

    isLeaf = True  # noqa: N815

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.asked: list[bytes] = []
        self.body: bytes | None = b"yes"
        self.location = b""

    def listen(self, case: TestCase, host: str = "127.0.0.1") -> str:
        """Listen, and return the URL."""
        site = Site(self)
        site.noisy = False
        self._port: Any = reactor.listenTCP(0, site, interface=host)  # type: ignore[attr-defined]
        case.addCleanup(self.stop)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port.getHost().port}/may"

    def stop(self) -> Deferred[Any]:
        """Listen no more."""
        return maybeDeferred(self._port.stopListening)

    def render(self, request: Request) -> Any:
        """Answer."""
        self.asked.append(request.uri)
        self.host = request.getHeader(b"host")
        request.setResponseCode(self.status)
        if self.location:
            request.setHeader(b"location", self.location)
        if self.body is None:
            return NOT_DONE_YET
        return self.body


class AskClientTests(TestCase):
    """Questions that are answered by a status."""

    async def test_statuses(self) -> None:
        """The status is told, whatever it is; a redirect is an answer like others."""
        service = Service()
        url = service.listen(self)
        service.location = url.encode()
        for status in (200, 204, 302, 404, 500):
            service.status = status
            self.assertEqual(await AskClient(reactor).ask(url), status)
        self.assertEqual(len(service.asked), 5)

    async def test_ipv6(self) -> None:
        """A service may listen on an address of IPv6."""
        service = Service()
        try:
            url = service.listen(self, "::1")
        except CannotListenError:
            raise SkipTest("this machine has no IPv6") from None
        self.assertEqual(await AskClient(reactor).ask(f"{url}?domain=a.example"), 200)
        self.assertEqual((service.asked, service.host), ([b"/may?domain=a.example"], url[7:-4].encode()))

    async def test_no_host(self) -> None:
        """A host that can't be one is told of as a service that does not answer is."""
        for host in ("a..b", "xn--zz"):
            asked = AskClient(reactor).ask(f"https://{host}/may")
            with self.assertRaises(ValueError):
                await asked

    async def test_large(self) -> None:
        """What stands in the answer is not waited for."""
        service = Service()
        service.body = b"x" * 10_000_000
        self.assertEqual(await AskClient(reactor).ask(service.listen(self)), 200)

    async def test_silent(self) -> None:
        """An answer that does not come is none."""
        service = Service()
        service.body = None
        self.patch(ask_client, "TIMEOUT", 0.2)
        with self.assertRaises(FetchFailed):
            await AskClient(reactor).ask(service.listen(self))
