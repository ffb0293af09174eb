"""
The page of metrics: text for Prometheus, made in short turns while it is sent.

It takes nobody's time for more than a turn, and waits for a reader that is slow. One is made at a time; whoever asks
meanwhile waits for its end.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.task import CooperativeTask, TaskStopped
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from edgegate.admin.interfaces import Gateway
from edgegate.admin.negotiation import wants_gzip, wants_open_metrics
from edgegate.observe.metrics.exposition import OPEN_METRICS, TEXT
from edgegate.observe.metrics.measured import Measured
from edgegate.server.turns import in_turns

log = Logger(namespace=__name__)

PATIENCE = 60.0
"""Seconds that a page may take: who reads no faster is cut off, as others wait for its end."""

STUCK = 10.0
"""Seconds for which a page may get no further while somebody waits for its end."""

_LOOK = 1.0
"""Seconds between two looks, from then on, at whether somebody waits."""

MOST_WAITING = 8
"""Who may wait for a page."""

_PIECE = 32 * 1024
"""Bytes that are sent at once, at least: each costs a call of the kernel."""

_GZIP = 16 + zlib.MAX_WBITS


class MetricsPage(Resource):
    """The page."""

    isLeaf = True

    def __init__(self, gateway: Gateway, turn: DeferredLock) -> None:
        """
        @param turn: Is had by whoever is answered: one for all pages of metrics.
        """
        super().__init__()
        self._gateway = gateway
        self._turn = turn

    def render_GET(self, request: Request) -> bytes | int:
        """Show it."""
        if len(self._turn.waiting) >= MOST_WAITING:
            request.setResponseCode(503)
            request.setHeader(b"retry-after", b"1")
            return b"others wait for this page already\n"
        Deferred.fromCoroutine(self._answer(request))
        return NOT_DONE_YET

    async def _answer(self, request: Request) -> None:
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        wait = self._turn.acquire()
        # who has gone takes nobody's place
        request.notifyFinish().addErrback(lambda _: wait.cancel())
        try:
            await wait
        except CancelledError:
            return
        try:
            measured = None if gone else await self._gateway.measure()
            if measured is not None and not gone:
                await Sending(request, measured, self._turn).done
        except Exception:
            log.failure("the metrics can't be shown")
            if not gone:
                # what was sent so far is no whole page: it must not look like one
                request.channel.forceAbortClient()
        finally:
            self._turn.release()


@implementer(IPushProducer)
class Sending:
    """
    One page on its way.

    @ivar done: Fires when it was sent, or can't be.
    """

    def __init__(self, request: Request, measured: Measured, turn: DeferredLock) -> None:
        """
        @param turn: Is waited for by those who are to be answered next.
        """
        self.done: Deferred[None] = Deferred()
        self._request = request
        self._paused = False
        self._turn = turn
        self._stuck: IDelayedCall | None = None
        self._reactor: IReactorTime = request.channel.factory.reactor
        open_metrics = wants_open_metrics(_field(request, b"accept"))
        self._gzip = (
            zlib.compressobj(1, zlib.DEFLATED, _GZIP) if wants_gzip(_field(request, b"accept-encoding")) else None
        )
        _say(request, OPEN_METRICS if open_metrics else TEXT, self._gzip is not None)
        self._limit = self._reactor.callLater(PATIENCE, request.channel.forceAbortClient)
        request.notifyFinish().addErrback(self._gone)
        request.registerProducer(self, True)
        self._task: CooperativeTask[Iterator[object]] = in_turns(
            self._reactor, self._steps(measured.text(open_metrics))
        )
        if self._paused:
            self._task.pause()
        self._task.whenDone().addCallbacks(self._sent, self._failed)

    # As a producer ----------------------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """The reader can't keep up."""
        if not self._paused:
            self._paused = True
            self._task.pause()
            self._stuck = self._reactor.callLater(STUCK, self._make_way)

    def resumeProducing(self) -> None:
        """It reads again."""
        if self._paused:
            self._paused = False
            self._task.resume()
            self._look_no_more()

    def stopProducing(self) -> None:
        """It is gone."""

    # ------------------------------------------------------------------------------------------------------------------

    def _steps(self, text: Iterator[str]) -> Iterator[None]:
        held: list[bytes] = []
        size = 0
        for piece in text:
            data = piece.encode("utf-8", "backslashreplace")
            if self._gzip is not None:
                data = self._gzip.compress(data)
            if data:
                held.append(data)
                size += len(data)
            if size >= _PIECE:
                self._request.write(b"".join(held))
                held.clear()
                size = 0
            yield
        if self._gzip is not None:
            held.append(self._gzip.flush())
        self._request.write(b"".join(held))

    def _sent(self, result: object) -> None:
        self._end()
        self._request.unregisterProducer()
        self._request.finish()
        self.done.callback(None)

    def _failed(self, failure: Failure) -> None:
        self._end()
        if failure.check(TaskStopped):
            self.done.callback(None)
        else:
            self.done.errback(failure)

    def _gone(self, failure: Failure) -> None:
        """The reader is gone: nothing can be sent any more."""
        try:
            self._task.stop()
        except Exception:  # it is through
            pass

    def _make_way(self) -> None:
        """It got no further for long: whoever waits comes first."""
        self._stuck = None
        if self._turn.waiting:
            self._request.channel.forceAbortClient()
        else:
            self._stuck = self._reactor.callLater(_LOOK, self._make_way)

    def _look_no_more(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _end(self) -> None:
        self._look_no_more()
        if self._limit.active():
            self._limit.cancel()


def _field(request: Request, name: bytes) -> str:
    values = request.requestHeaders.getRawHeaders(name, [])
    return b",".join(values).decode("latin-1")


def _say(request: Request, kind: str, compressed: bool) -> None:
    """Set the fields of the response."""
    fields = {"server": "edgegate", "cache-control": "no-store", "x-content-type-options": "nosniff"}
    for name, value in {**fields, "content-type": kind, "vary": "accept, accept-encoding"}.items():
        request.setHeader(name.encode(), value.encode())
    if compressed:
        request.setHeader(b"content-encoding", b"gzip")


def pages(gateway: Gateway) -> dict[bytes, Any]:
    """Return the page by the paths that it is known by, C{/metrics} and Envoy's C{/stats/prometheus}."""
    turn = DeferredLock()
    stats = Resource()
    stats.putChild(b"prometheus", MetricsPage(gateway, turn))
    return {b"metrics": MetricsPage(gateway, turn), b"stats": cast(Any, stats)}


class MetricsRoot(Resource):
    """The root of a site that has these pages alone."""

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Return the page that there is not."""
        return _Missing()


class _Missing(Resource):
    isLeaf = True

    def render(self, request: Request) -> bytes:
        """Say what there is."""
        request.setResponseCode(404)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        return b"no such page; there are /metrics and /stats/prometheus\n"


def metrics_root(gateway: Gateway) -> Resource:
    """Return the root of a site that has these pages alone."""
    root = MetricsRoot()
    for path, page in pages(gateway).items():
        root.putChild(path, page)
    return root
