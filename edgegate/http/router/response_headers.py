# Hot path: made for each response.
"""What clients are told in the head of a response: the backend's, with a destination's changes, and its time."""

from __future__ import annotations

from typing import Final

from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock, fields_in
from edgegate.http.formatter_context import Message
from edgegate.http.header_mutation import changed
from edgegate.http.response import ResponseHead
from edgegate.http.router.request_headers import own_fields
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.headers import HeaderChanges

SERVICE_TIME: Final = b"x-envoy-upstream-service-time"


def _service_time(milliseconds: int) -> FieldBlock:
    return FieldBlock((SERVICE_TIME, b"%d" % milliseconds))


SERVICE_TIMES: Final[tuple[tuple[FieldBlock, ...], ...]] = tuple((_service_time(each),) for each in range(256))
"""What tells a client how many milliseconds its backend took, for those that most take."""


def own_fields_of_response(milliseconds: int, cookie: FieldBlock | None) -> tuple[FieldBlock, ...]:
    """
    Return the fields of one response alone. Without a cookie, L{SERVICE_TIMES} has most of them.

    @param milliseconds: How long its backend took.
    @param cookie: The one that it gives its client.
    """
    time = _service_time(milliseconds)
    return (time,) if cookie is None else (time, cookie)


def changed_response(
    head: ResponseHead,
    own: tuple[FieldBlock, ...],
    changes: tuple[HeaderChanges, ...],
    exchange: Exchange,
    backend: UpstreamStream | None,
    request: UpstreamCallbacks,
) -> tuple[ResponseHead, tuple[FieldBlock, ...]]:
    """
    Return a response's head with the changes of its destination, and the fields of this response alone.

    What is the same each time is made once for each head that is seen again.

    @param own: Those, as L{SERVICE_TIME}, which can be changed as well.
    @param backend: What the response came on.
    @param request: What was sent there.
    """
    if any(SERVICE_TIME in each.names or not each.static for each in changes):
        fields = [*head.fields, *fields_in(own)]
        asked = request.head
        sent = [(b"host", asked.authority), *own_fields(request, framing=True)]
        message = Message(fields, head, backend, [*sent, (b":path", asked.target), (b":authority", asked.authority)])
        return head.with_fields(changed(fields, changes, exchange, message)), ()
    if head.changed_by is not changes or head.changed is None:
        head.changed_by = changes
        head.changed = head.with_fields(changed(head.fields, changes, exchange, Message(head.fields, head, backend)))
    return head.changed, own
