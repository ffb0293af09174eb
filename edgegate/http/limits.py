"""What a client or a backend may send, and how long it may take: one value for all of HTTP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from edgegate.http.fields import Underscores
from edgegate.overload.limits import NO_LIMIT

KEPT_PIECE: Final = 64
"""Bytes that each piece of a body that is kept is taken for beside what is in it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Bytes, counts and seconds; the defaults are the safe ones.

    @ivar head_bytes: Of a request's head, request line and empty line included (Envoy's limit is 60 KiB); more is
        answered 431.
    @ivar head_fields: Header fields of a request, or trailer fields; more is answered 431.
    @ivar unfinished_heads_bytes: Of all heads whose ends have not come yet; past it the largest are answered 431.
    @ivar underscores: What becomes of a request's fields with underscores in their names.
    @ivar head_seconds: From the first byte of a head to its end, however steadily it drips; then 408.
    @ivar body_bytes: Of a request's body; more is answered 413, or resets the request where its answer has begun.
    @ivar body_seconds: Without a byte of a request's body while the gateway is reading; then 408.
    @ivar body_rate: Bytes a second that a request's body must bring on average while the gateway is reading and no
        answer has begun; C{body_seconds} are given in advance; then 408. 0: at whatever rate.
    @ivar idle_seconds: Between requests on a kept connection, and before the first.
    @ivar stall_seconds: In which a client that does not keep up with its response must read some of it, or is reset.
    @ivar stall_bytes: How much that is.
    @ivar linger_seconds: Reading on after a response that ended the connection, so that the client sees the response.
    @ivar linger_bytes: How much is thrown away meanwhile.
    @ivar upload_bytes: Of a body held by a filter or while its backend is being connected, and kept for a second try.
    @ivar kept_bodies_bytes: Of such bodies of all requests together. Past it no further one is kept for a second try,
        and none is read further while it is held.
    @ivar response_head_bytes: Of a backend's response head (Envoy's limit is 60 KiB), and of its trailer fields; more
        is answered 502, or cuts the response off.
    @ivar response_fields: Header fields of a response.
    @ivar interim_responses: 1xx answers before the final one.
    @ivar stream_idle_seconds: Without a byte from the backend while a response is awaited or under way; then 504. While
        an upload goes on it may take as long again. Also without a byte either way of a tunnel; then it is reset.
    @ivar http2_bytes: That all connections of HTTP/2 clients keep until their client, or a backend, goes on: beginnings
        of header blocks, bodies that nobody takes yet, responses that wait for room. Past it the connections that keep
        most end with ENHANCE_YOUR_CALM.
    @ivar shadows: Copies of requests that are on their way to mirrors at one time; more are not made.
    """

    head_bytes: int = 60 * 1024
    head_fields: int = 100
    unfinished_heads_bytes: int = 64 * 1024 * 1024
    underscores: Underscores = Underscores.ALLOW
    head_seconds: float = 10.0
    body_bytes: int = NO_LIMIT
    body_seconds: float = 60.0
    body_rate: int = 240
    idle_seconds: float = 75.0
    stall_seconds: float = 60.0
    stall_bytes: int = 64 * 1024
    linger_seconds: float = 5.0
    linger_bytes: int = 1024 * 1024
    upload_bytes: int = 64 * 1024
    kept_bodies_bytes: int = 16 * 1024 * 1024
    response_head_bytes: int = 60 * 1024
    response_fields: int = 200
    interim_responses: int = 16
    stream_idle_seconds: float = 300.0
    http2_bytes: int = 64 * 1024 * 1024
    shadows: int = 1024

    def divided(self, processes: int) -> Limits:
        """Return the limits of each of several processes: what all requests or connections have is divided."""

        def share(limit: int) -> int:
            return limit if limit >= NO_LIMIT else -(-limit // processes)

        return replace(
            self,
            unfinished_heads_bytes=share(self.unfinished_heads_bytes),
            kept_bodies_bytes=share(self.kept_bodies_bytes),
            http2_bytes=share(self.http2_bytes),
            shadows=share(self.shadows),
        )
