# Hot path: every byte of a request passes here.
"""
The request on its way to the stream of its try: its body, who does not keep up with that, and what is kept of it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.limits import KEPT_PIECE
from edgegate.http.router.request_owner import RequestOwner
from edgegate.http.router.shadow import Shadow
from edgegate.http.router.upstream_request import UpstreamRequest
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.routes import HTTPRoute
from edgegate.net.stream import Stream

NO_SHADOWS: Final[list[Shadow]] = []
NO_TRAILERS: Final[list[Field]] = []


class RequestBody(RequestOwner):
    """
    What of a request is sent: taken from the client, and given to the try that is under way and to mirrors.

    It owns what is kept of the body for another try, and the copies for
    mirrors. A body is kept up to the limit on it, and on those of all requests,
    and while no stream is there yet the client is not read beyond that. Its subclass sets everything:
    it is made for each request.
    """

    __slots__ = (
        "_environment",
        "_exchange",
        "_held",
        "_held_bytes",
        "_paused",
        "_request",
        "_route",
        "_settled",
        "_shadows",
        "_trailers",
        "_upload_paused",
        "_whole",
    )

    _environment: HTTPEnvironment
    _exchange: Exchange
    _held: list[bytes]
    _held_bytes: int
    _paused: bool
    _request: UpstreamRequest | None
    _route: HTTPRoute
    _settled: bool
    _shadows: list[Shadow]
    _trailers: list[Field]
    _upload_paused: bool
    _whole: bool

    @abstractmethod
    def _limit(self, seconds: float) -> None:
        """The request is whole: its route's timeout counts from now on."""

    # The exchange's upload --------------------------------------------------------------------------------------------

    def upload(self, data: bytes) -> None:
        """Take a piece of the request's body."""
        for shadow in self._shadows:
            shadow.send(data)
        environment = self._environment
        if self.replayable:
            self._held.append(data)
            self._held_bytes += len(data)
            environment.kept_bodies += len(data) + KEPT_PIECE
        request = self._request
        stream = None if request is None else request.stream
        limits = environment.limits
        over = self._held_bytes > limits.upload_bytes or environment.kept_bodies > limits.kept_bodies_bytes
        if stream is not None:
            stream.body(data)
            if over and self.replayable:
                self.replayable = False
                self._let_go()
        elif over and not self._upload_paused:
            self._upload_paused = True
            self._exchange.stream.pause_upload()

    def upload_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        self._whole = True
        self._trailers = trailers
        for shadow in self._shadows:
            shadow.finish(trailers)
        request = self._request
        stream = None if request is None else request.stream
        if stream is not None:
            stream.end(trailers)
            retries = self._route.retries
            if retries is not None and retries.per_try_timeout is not None:
                self._limit_try()
        timeout = self._route.timeout
        if request is not None and request.head.timeout is not None:
            # of gRPC: its client waits no longer, whatever the route says
            asked = request.head.timeout
            timeout = asked if timeout is None else min(timeout, asked)
        if timeout is not None:
            self._limit(timeout)

    def flush(self) -> None:
        """Send on what was taken in this turn."""
        request = self._request
        stream = None if request is None else request.stream
        if stream is not None:
            stream.flush()
        for shadow in self._shadows:
            shadow.flush()

    def run_sink(self) -> Stream | None:
        """Let the kernel pass on a body that nobody else wants to see, and that can't be sent again anyway."""
        request = self._request
        stream = None if request is None else request.stream
        seen = self.replayable or self._shadows or self._exchange.bodies is not None
        return None if stream is None or seen else stream.run_sink()

    def pause(self) -> None:
        """The client does not read its response."""
        if not self._paused:
            self._paused = True
            request = self._request
            stream = None if request is None else request.stream
            if stream is not None:
                stream.pause()

    def resume(self) -> None:
        """The client reads again."""
        if self._paused:
            self._paused = False
            request = self._request
            stream = None if request is None else request.stream
            if stream is not None:
                stream.resume()

    # As the owner of its tries ----------------------------------------------------------------------------------------

    def begin(self, stream: UpstreamStream) -> None:
        """Send what is there of the request behind its head."""
        for piece in self._held:
            stream.body(piece)
        environment = self._environment
        limits = environment.limits
        if self._held_bytes > limits.upload_bytes or environment.kept_bodies > limits.kept_bodies_bytes:
            self.replayable = False
            self._let_go()
        if self._whole:
            stream.end(self._trailers)
            self._limit_try()
        if self._paused:
            stream.pause()
        exchange = self._exchange
        if exchange.head.expects_continue:
            exchange.stream.continue_upload()
        if self._upload_paused:
            self._upload_paused = False
            exchange.stream.resume_upload()

    def settle(self) -> None:
        """Something of a response goes to the client: nothing is kept for another try."""
        self._settled = True
        self.replayable = False
        if self._held:
            self._let_go()

    def upload_blocked(self, blocked: bool) -> None:
        """The backend cannot keep up with the body, or can again."""
        downstream = self._exchange.stream
        if blocked and not self._upload_paused:
            self._upload_paused = True
            downstream.pause_upload()
        elif not blocked and self._upload_paused:
            self._upload_paused = False
            downstream.resume_upload()

    # ------------------------------------------------------------------------------------------------------------------

    def _let_go(self) -> None:
        """Keep nothing of the body any more."""
        held, self._held = self._held, []
        if held:
            self._environment.kept_bodies -= self._held_bytes + KEPT_PIECE * len(held)

    def _limit_try(self) -> None:
        """The request is sent: from now on its response must begin within the time that the route says."""
        policy = self._route.retries
        request = self._request
        if request is not None and policy is not None and policy.per_try_timeout is not None and not self._settled:
            request.limit(policy.per_try_timeout)
