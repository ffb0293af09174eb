# Hot path: changes the messages of routes that say so.
"""
The fields of messages changed on their way, as a route and its destination say (Istio's C{Headers}).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgegate.http.fields import Field
from edgegate.http.formatter_context import Message, StreamInfo
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import rendered
from edgegate.model.headers import HeaderChanges

_SET_LAST: Final = frozenset((b"content-type", b"grpc-status", b"grpc-message"))


def changed_reply(
    status: int, fields: list[Field], changes: tuple[HeaderChanges, ...], exchange: StreamInfo
) -> list[Field]:
    """
    Return the fields of a response of the gateway's own after the changes of its route.

    The type of its body is set after them, unless they give another, and what
    a gRPC client is told is set whatever they say (Envoy).
    """
    set_last = [field for field in fields if field[0] in _SET_LAST]
    fields = [field for field in fields if field[0] not in _SET_LAST]
    found = changed(fields, changes, exchange, Message(fields, ResponseHead(status, b"", fields)))
    names = {name for name, _ in set_last}
    if b"grpc-status" not in names:
        names.difference_update(name for name, _ in found)
        set_last = [field for field in set_last if field[0] in names]
    return [*(field for field in found if field[0] not in names), *set_last]


def changed(
    fields: Iterable[Field], changes: Iterable[HeaderChanges], exchange: StreamInfo, message: Message | None = None
) -> list[Field]:
    """
    Return fields after changes: what is removed goes first, then what is set replaces, then comes what is added.

    All values of one change are made from what the removals have left (Envoy).

    @param message: What is changed, but for its fields; L{None}: the request.
    """
    found = list(fields)
    for each in changes:
        found = [field for field in found if field[0] not in each.remove]
        now = Message(found) if message is None else message._replace(fields=found)
        to_set = [(name, value) for name, template in each.set if (value := rendered(template, exchange, now))]
        to_add = [(name, value) for name, template in each.add if (value := rendered(template, exchange, now))]
        gone = {name for name, _ in to_set}
        found = [*(field for field in found if field[0] not in gone), *to_set, *to_add]
    return found
