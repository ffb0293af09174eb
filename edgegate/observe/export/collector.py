"""A collector that takes spans over HTTP, in the clear or by TLS as it is usual: its certificate is verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone, ResponseFailed, _HTTP11ClientFactory
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from edgegate.observe.export.exporter import CollectorError
from edgegate.version import described

MOST_ANSWER = 64 << 10
"""Bytes of an answer that are looked at; who says more is left."""

_KEPT = 4
"""Seconds that a connection is kept: less than servers keep theirs, of which many do for five."""


class HTTPCollector:
    """
    Posts batches, on a connection that is kept.

    @ivar url: Where to.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        url: str,
        content_type: str,
        timeout: float,
        headers: Sequence[tuple[str, str]] = (),
        policy: IPolicyForHTTPS | None = None,
    ) -> None:
        """
        @param timeout: Seconds for a batch, from connecting to the answer's end.
        @param policy: How TLS is begun; by default with the authorities that the system trusts.
        """
        self.url = url
        self._clock = reactor
        self._timeout = timeout
        self._pool = HTTPConnectionPool(reactor, persistent=True)
        self._pool._factory = _Connections
        self._pool.maxPersistentPerHost = 1
        self._pool.cachedConnectionTimeout = _KEPT
        more = {} if policy is None else {"contextFactory": policy}
        self._agent = Agent(reactor, connectTimeout=timeout, pool=self._pool, **more)
        self._headers = Headers({"content-type": [content_type], "user-agent": [described()]})
        for name, value in headers:
            self._headers.addRawHeader(name, value)

    def send(self, body: bytes) -> Deferred[None]:
        """See L{edgegate.observe.export.exporter.Collector}."""
        asked = self._agent.request(b"POST", self.url.encode("ascii"), self._headers, _Body(body))
        done: Deferred[None] = asked.addCallback(_answered)
        done.addErrback(_plain)
        return done.addTimeout(self._timeout, self._clock, lambda *_: _too_late(self._timeout))

    def close(self) -> Deferred[None]:
        """See L{edgegate.observe.export.exporter.Collector}."""
        return cast("Deferred[None]", self._pool.closeCachedConnections()).addBoth(lambda _: None)


class _Connections(_HTTP11ClientFactory):
    """Makes connections, and does not log each."""

    noisy = False


@implementer(IBodyProducer)
class _Body:
    """A batch, sent at once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Send it all."""
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """It is sent already."""

    def resumeProducing(self) -> None:
        """It is sent already."""

    def stopProducing(self) -> None:
        """It is sent already."""


class _Answer(Protocol):
    """Waits for the end of an answer."""

    def __init__(self, status: int) -> None:
        self._left = MOST_ANSWER
        self._status = status
        self.whole: Deferred[None] = Deferred(lambda _: self._leave())

    def dataReceived(self, data: bytes) -> None:
        """Throw it away."""
        self._left -= len(data)
        if self._left < 0:
            self._leave()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over; its status is what counts."""
        if self.whole.called:
            return
        if not 200 <= self._status <= 299:
            self.whole.errback(CollectorError(f"it answers {self._status}"))
        elif reason.check(ResponseDone, PotentialDataLoss, ConnectionDone) or self._left < 0:
            self.whole.callback(None)
        else:
            self.whole.errback(reason)

    def _leave(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


def _answered(response: IResponse) -> Deferred[None]:
    answer = _Answer(response.code)
    response.deliverBody(answer)
    return answer.whole


def _plain(failure: Failure) -> Failure:
    """Return what went wrong rather than that something did."""
    value = failure.value
    return cast(Failure, value.reasons[0]) if isinstance(value, ResponseFailed) else failure


def _too_late(seconds: float) -> None:
    raise CollectorError(f"it has not answered within {seconds:g} s")
