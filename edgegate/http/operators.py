"""
What the command operators in headers' values stand for
(U{https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter}).

What an exchange does not have is empty, and a header whose value is empty is
left out, as Envoy does.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Sequence
from time import gmtime, monotonic, strftime, time
from typing import NamedTuple

from edgegate.http.answer import AnswerHead
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.routing.headers import Operator, Template
from edgegate.routing.snapshot import TCPAddress

_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_FRACTION = re.compile(r"%([0-9]?)f")
_ELEMENT = re.compile(rb'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;]*)(?:;|$)')
"""Of C{x-forwarded-client-cert}; what is quoted, as a subject, may hold all that parts elements."""

_DEFAULT_TIME = "%Y-%m-%dT%H:%M:%S.%3fZ"


class Message(NamedTuple):
    """
    A request or an answer whose headers are being changed.

    @ivar fields: As they are at present.
    @ivar answer: The answer's head as it came; L{None} for a request.
    """

    fields: Sequence[Field]
    answer: AnswerHead | None = None


Meaning = Callable[[Exchange, Message, str], bytes]
"""Gets the exchange, the message that is changed, and the operator's argument or an empty text."""


def rendered(template: Template, exchange: Exchange, message: Message) -> bytes:
    """Return the value that a template has in a message of an exchange."""
    if template.constant is not None:
        return template.constant
    value = b"".join(part if isinstance(part, bytes) else _value(part, exchange, message) for part in template.parts)
    return _UNSAFE.sub(b"", value).strip(b" \t")


def _value(operator: Operator, exchange: Exchange, message: Message) -> bytes:
    value = MEANINGS[operator.name](exchange, message, operator.argument or "")
    return value if operator.longest is None else value[: operator.longest]


def identity_fields(lines: bytes) -> list[Field]:
    """Return the lines that tell a backend who the client is as fields."""
    fields = []
    for line in lines.split(b"\r\n"):
        name, colon, value = line.partition(b": ")
        if colon:
            fields.append((name, value))
    return fields


def _request(exchange: Exchange, message: Message, argument: str) -> bytes:
    """C{%REQ(X?Y)%}: the first field X, or where there is none the first Y."""
    head = exchange.head
    fields = message.fields
    if message.answer is not None:
        fields = [*head.fields, *identity_fields(exchange.identity)]
    pseudo = {b":path": head.target, b":method": head.method, b":authority": head.authority, b"host": head.authority}
    pseudo[b":scheme"] = exchange.scheme
    for name in argument.lower().encode().split(b"?"):
        found = pseudo.get(name) or _first(fields, name)
        if found:
            return found
    return b""


def _answer(exchange: Exchange, message: Message, argument: str) -> bytes:
    if message.answer is None:
        return b""
    names = argument.lower().encode().split(b"?")
    return next((found for name in names if (found := _first(message.fields, name))), b"")


def _first(fields: Sequence[Field], name: bytes) -> bytes:
    return next((value for key, value in fields if key == name), b"")


def _certificate(key: bytes) -> Meaning:
    """Return what finds a part of C{x-forwarded-client-cert}, which the channel keeps."""

    def find(exchange: Exchange, message: Message, argument: str) -> bytes:
        elements = _ELEMENT.finditer(exchange.connection.client_certificate)
        return next((found[2].strip(b'"') for found in elements if found[1] == key), b"")

    return find


def _shown(address: object) -> bytes:
    return b"" if address is None else str(address).encode()


def _host(address: object) -> bytes:
    return address.host.encode() if isinstance(address, TCPAddress) else _shown(address)


def _client(exchange: Exchange, message: Message, argument: str) -> bytes:
    """The client by the trusted hops; the connection's where they tell nothing else."""
    return _first(identity_fields(exchange.identity), b"x-envoy-external-address")


def _start_time(exchange: Exchange, message: Message, argument: str) -> bytes:
    """C{%START_TIME(%Y %3f)%}: C{strftime}'s letters, C{%s} seconds since the epoch, C{%3f} digits of the second."""
    began = time() - (monotonic() - exchange.started)
    fraction = f"{began % 1:.9f}"[2:]
    form = _FRACTION.sub(lambda found: fraction[: int(found[1] or 9)], argument or _DEFAULT_TIME)
    return strftime(form.replace("%s", str(int(began))), gmtime(began)).encode()


MEANINGS: dict[str, Meaning] = {
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": lambda exchange, message, _: _shown(exchange.connection.peer),
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": lambda exchange, message, _: _host(exchange.connection.peer),
    "DOWNSTREAM_LOCAL_ADDRESS": lambda exchange, message, _: _shown(exchange.connection.local),
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": lambda exchange, message, _: _host(exchange.connection.local),
    "DOWNSTREAM_LOCAL_PORT": lambda exchange, message, _: b"%d" % exchange.port,
    "DOWNSTREAM_PEER_CERT": _certificate(b"Cert"),
    "DOWNSTREAM_PEER_DNS_SAN": _certificate(b"DNS"),
    "DOWNSTREAM_PEER_FINGERPRINT_256": _certificate(b"Hash"),
    "DOWNSTREAM_PEER_SUBJECT": _certificate(b"Subject"),
    "DOWNSTREAM_PEER_URI_SAN": _certificate(b"URI"),
    "DOWNSTREAM_REMOTE_ADDRESS": lambda exchange, message, _: _shown(exchange.connection.peer),
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": _client,
    "ENVIRONMENT": lambda exchange, message, argument: os.environb.get(argument.encode(), b""),
    "HOSTNAME": lambda exchange, message, _: platform.node().encode(),
    "PROTOCOL": lambda exchange, message, _: b"HTTP/" + exchange.head.version.encode(),
    "REQ": _request,
    "REQUESTED_SERVER_NAME": lambda exchange, message, _: exchange.connection.server_name.encode(),
    "RESP": _answer,
    "RESPONSE_CODE": lambda exchange, message, _: b"%d" % message.answer.status if message.answer else b"",
    "RESPONSE_FLAGS": lambda exchange, message, _: exchange.flags.encode(),
    "ROUTE_NAME": lambda exchange, message, _: exchange.route.name.encode() if exchange.route is not None else b"",
    "START_TIME": _start_time,
    "STREAM_ID": lambda exchange, message, _: _first(identity_fields(exchange.identity), b"x-request-id"),
    "UPSTREAM_CLUSTER": lambda exchange, message, _: exchange.cluster.encode(),
    "UPSTREAM_HOST": lambda exchange, message, _: _shown(exchange.upstream),
    "UPSTREAM_LOCAL_ADDRESS": lambda exchange, message, _: _shown(exchange.upstream_local),
    "UPSTREAM_REMOTE_ADDRESS": lambda exchange, message, _: _shown(exchange.upstream),
}
"""What each operator of L{edgegate.routing.headers.OPERATORS} stands for."""
