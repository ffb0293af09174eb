"""Fetches key sets by HTTP: within a time and a size, and from nobody else than who was named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar, cast
from urllib.parse import urljoin

from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL, crypto
from treq.client import HTTPClient
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    HTTPConnectionPool,
    ResponseDone,
    ResponseFailed,
    _HTTP11ClientFactory,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from edgegate.access.jwt.discovery import same_origin
from edgegate.access.jwt.key_set import MOST_BYTES
from edgegate.version import described

MOST_REDIRECTS = 3

T = TypeVar("T")


class FetchFailed(Exception):
    """Nothing was fetched, for this reason."""


class TreqKeySetClient:
    """Fetches them by treq, over TLS with the authorities that the system trusts and with others."""

    def __init__(self, reactor: Any, authorities: bytes = b"") -> None:
        """
        @param authorities: Certificates as PEM, of authorities that are trusted besides the system's.
        """
        self._reactor = reactor
        found = load_pem_x509_certificates(authorities) if authorities else ()
        self._policy = BrowserLikePolicyForHTTPS(
            trustRoot=_TrustRoot([crypto.X509.from_cryptography(x) for x in found])
        )

    def fetch(self, url: str, timeout: float) -> Deferred[bytes]:
        """See L{edgegate.http.guards.key_sets.KeySetClient}."""
        # of hosts that can't be one, and of [::1], treq raises at once what is wrong
        return self._within(timeout, maybeDeferred(self._ask, self._http(timeout), url, MOST_REDIRECTS))

    def _http(self, timeout: float) -> HTTPClient:
        """Return what asks by HTTP; see L{_agent}."""
        return HTTPClient(self._agent(timeout))

    def _agent(self, timeout: float) -> IAgent:
        """Return what makes requests, on a connection for each that is there within so many seconds."""
        pool = HTTPConnectionPool(self._reactor, persistent=False)
        pool._factory = _QuietConnections
        return _Uncompressed(Agent(self._reactor, self._policy, connectTimeout=timeout, pool=pool))

    def _within(self, timeout: float, done: Deferred[T]) -> Deferred[T]:
        """Return an answer that fails with words, also when it is not there within so many seconds."""
        done.addErrback(_plain_failure)
        return done.addTimeout(timeout, self._reactor, lambda *_: _too_late(timeout))

    def _ask(self, client: HTTPClient, url: str, redirects: int) -> Deferred[bytes]:
        headers = Headers({"accept": ["application/json, application/jwk-set+json"], "user-agent": [described()]})
        asked: Any = client.get(url, headers=headers, allow_redirects=False, unbuffered=True)
        done: Deferred[bytes] = asked.addCallback(lambda response: self._answered(client, url, redirects, response))
        return done

    def _answered(self, client: HTTPClient, url: str, redirects: int, response: IResponse) -> Deferred[bytes]:
        location = response.headers.getRawHeaders("location", [""])[0]
        if response.code in (301, 302, 303, 307, 308) and location:
            drop(response)
            to = urljoin(url, location)
            if not redirects:
                raise FetchFailed(f"more than {MOST_REDIRECTS} redirects")
            if not same_origin(to, url):
                raise FetchFailed("a redirect to another host is not followed")
            return self._ask(client, to, redirects - 1)
        if not 200 <= response.code <= 299:
            drop(response)
            raise FetchFailed(f"it answers {response.code}")
        if isinstance(response.length, int) and response.length > MOST_BYTES:
            drop(response)
            raise FetchFailed(_TOO_LARGE)
        body = CollectedBody()
        response.deliverBody(body)
        return body.whole


_TOO_LARGE = f"it answers more than {MOST_BYTES >> 20} MiB"


@implementer(IAgent)
class _Uncompressed:
    """
    Takes no compressed answers: treq unpacks what it has read, a thousand times as much, before its size is looked at.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, body: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """See L{IAgent}."""
        asked = Headers() if headers is None else headers.copy()
        asked.setRawHeaders("accept-encoding", ["identity"])
        return self._agent.request(method, uri, asked, body).addCallback(self._answered)

    def _answered(self, response: IResponse) -> IResponse:
        if response.headers.hasHeader("content-encoding"):
            drop(response)
            raise FetchFailed("it answers in an encoding that it was not asked for")
        return response


class _QuietConnections(_HTTP11ClientFactory):
    """Makes connections, and does not log each."""

    noisy = False


class CollectedBody(TwistedProtocol):
    """Collects an answer."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._length = 0
        self.whole: Deferred[bytes] = Deferred(lambda _: self._leave())

    def dataReceived(self, data: bytes) -> None:
        """Keep it, unless it is too much."""
        self._length += len(data)
        if self._length > MOST_BYTES:
            self._leave()
            if not self.whole.called:
                self.whole.errback(FetchFailed(_TOO_LARGE))
            return
        self._data.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over: whole, if its length says so, or if nothing says how long it is."""
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(b"".join(self._data))
        else:
            self.whole.errback(reason)

    def _leave(self) -> None:
        self._data = []
        if self.transport is not None:
            self.transport.loseConnection()


class _Dropped(TwistedProtocol):
    """Ends an answer of which nothing is wanted."""

    def connectionMade(self) -> None:
        """Wait for no more of it."""
        if self.transport is not None:
            self.transport.loseConnection()


def drop(response: IResponse) -> None:
    """End an answer of which nothing more is wanted."""
    response.deliverBody(_Dropped())


def _plain_failure(failure: Failure) -> Failure:
    """Return what went wrong rather than that something did."""
    value = failure.value
    return cast(Failure, value.reasons[0]) if isinstance(value, ResponseFailed) and value.reasons else failure


def _too_late(seconds: float) -> NoReturn:
    raise FetchFailed(f"it has not answered within {seconds:g} s")


@implementer(IOpenSSLTrustRoot)
class _TrustRoot:
    """The authorities of the system, and others."""

    def __init__(self, authorities: Sequence[crypto.X509]) -> None:
        self._authorities = authorities

    def _addCACertsToContext(self, context: SSL.Context) -> None:
        context.set_default_verify_paths()
        store = context.get_cert_store()
        assert store is not None
        for each in self._authorities:
            store.add_cert(each)
