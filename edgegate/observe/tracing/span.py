# Hot path: made of each request that is sampled, and of its tries.
"""A span: what one hop of a trace did, from when to when."""

from __future__ import annotations

from typing import Final

Tag = tuple[str, str]


class Span:
    """
    What a request, or one try of it, was.

    @ivar trace_id: 32 hexadecimal digits, or 16; C{span_id}, C{parent_id}: 16, the latter empty where it is the first.
    @ivar state: The tracestate, or empty.
    @ivar server: Whether it was served rather than asked for.
    @ivar started: Nanoseconds since the epoch; so C{ended}, which is not before it.
    @ivar tags: Its own, in their order.
    @ivar common: Those before them that all spans of a gateway have: the same object each time.
    @ivar error: Whether it came to nothing.
    """

    __slots__ = (
        "common",
        "ended",
        "error",
        "name",
        "parent_id",
        "server",
        "span_id",
        "started",
        "state",
        "tags",
        "trace_id",
    )

    def __init__(
        self,
        trace_id: bytes,
        span_id: bytes,
        parent_id: bytes,
        state: bytes,
        name: str,
        server: bool,
        started: int,
        ended: int,
        tags: list[Tag],
        error: bool,
        common: list[Tag],
    ) -> None:
        self.trace_id: Final = trace_id
        self.span_id: Final = span_id
        self.parent_id: Final = parent_id
        self.state: Final = state
        self.name: Final = name
        self.server: Final = server
        self.started: Final = started
        self.ended: Final = max(started, ended)
        self.tags: Final = tags
        self.error: Final = error
        self.common: Final = common
