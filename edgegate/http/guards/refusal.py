# Hot path: each request that a guard refuses gets one.
"""How guards refuse requests."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.errors import grpc_status_for
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.grpc import grpc_fields
from edgegate.model.guards.guard import Guard


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    What a guard answers.

    @ivar details: Envoy's C{RESPONSE_CODE_DETAILS}, for the access log.
    @ivar flag: Envoy's response flag (C{UAEX}, C{RL}); empty: there is none.
    @ivar fields: A C{content-type} among them, where the body is no plain text.
    @ivar grpc_status: What a client of gRPC gets; L{None}: what follows from C{status}.
    """

    status: int
    body: bytes
    details: str
    flag: str = ""
    fields: tuple[Field, ...] = ()
    grpc_status: int | None = None


def grpc_status_of_limit(exhausted: bool) -> int:
    """Return what a client of gRPC gets of a limit: 14 (unavailable), as from Envoy; or 8, where files ask for it."""
    return 8 if exhausted else 14


def refuse(exchange: Exchange, guard: Guard, refusal: Refusal) -> FilterStatus:
    """
    Refuse a request, in the words that its client looks for, and note which guard does; return what a filter returns.

    Where a L{Hold} holds it, C{hold.answer} is what calls this.
    """
    exchange.guard = guard
    if refusal.flag:
        exchange.mark(refusal.flag)
    if exchange.speaks_grpc:
        status = grpc_status_for(refusal.status) if refusal.grpc_status is None else refusal.grpc_status
        others = [field for field in refusal.fields if field[0] != b"content-type"]
        exchange.reply(200, [*grpc_fields(status, refusal.body), *others], b"", refusal.details)
    else:
        fields = [*refusal.fields]
        if refusal.body and not any(name == b"content-type" for name, _ in fields):
            fields.insert(0, (b"content-type", b"text/plain"))
        exchange.reply(refusal.status, fields, refusal.body, refusal.details)
    return FilterStatus.STOP
