"""What the command operators that ask for TLS and certificates stand for."""

from __future__ import annotations

import re
from collections.abc import Callable

from cryptography import x509
from OpenSSL import SSL

from edgegate.http.formatter_context import Meaning, Message, StreamInfo
from edgegate.http.formatter_time import formatted
from edgegate.tls import facts

_ELEMENT = re.compile(rb'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;]*)(?:;|$)')
"""Of C{x-forwarded-client-cert}; what is quoted, as a subject, may hold all that parts elements."""

_Side = Callable[[StreamInfo, Message], SSL.Connection | None]


def _downstream(exchange: StreamInfo, message: Message) -> SSL.Connection | None:
    return exchange.connection.secured


def _upstream(exchange: StreamInfo, message: Message) -> SSL.Connection | None:
    return None if message.backend is None else message.backend.secured


def _of_connection(side: _Side, ask: Callable[[SSL.Connection], str]) -> Meaning:
    def find(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        connection = side(exchange, message)
        return b"" if connection is None else ask(connection).encode()

    return find


def _of_certificate(side: _Side, choose: Callable[[SSL.Connection], x509.Certificate | None], what: str) -> Meaning:
    def find(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        connection = side(exchange, message)
        certificate = None if connection is None else choose(connection)
        return b"" if certificate is None else facts.told(certificate, what).encode()

    return find


def _of_chain(what: str) -> Meaning:
    def find(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        connection = exchange.connection.secured
        chain = [] if connection is None else facts.peer_chain(connection)
        return ",".join(facts.told(each, what) for each in chain).encode()

    return find


def _issuer(connection: SSL.Connection) -> x509.Certificate | None:
    """Return the certificate of who signed the client's, where the client has sent it."""
    return next(iter(facts.peer_chain(connection)[1:]), None)


def _validity(side: _Side, end: int) -> Meaning:
    def find(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        connection = side(exchange, message)
        certificate = None if connection is None else facts.peer_certificate(connection)
        return b"" if certificate is None else formatted(facts.validity(certificate)[end].timestamp(), argument)

    return find


def _client_certificate(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%XFCC_VALUE(uri)%}: an element of C{x-forwarded-client-cert}."""
    wanted = argument.lower().encode()
    elements = _ELEMENT.finditer(exchange.connection.client_certificate)
    return next((found[2].strip(b'"') for found in elements if found[1].lower() == wanted), b"")


MEANINGS: dict[str, Meaning] = {
    **{
        f"{name}_{what}": _of_connection(side, ask)
        for name, side in (("DOWNSTREAM_TLS", _downstream), ("UPSTREAM_TLS", _upstream))
        for what, ask in (("CIPHER", facts.cipher), ("VERSION", facts.version), ("GROUP", facts.group))
    },
    "UPSTREAM_SERVER_NAME": _of_connection(_upstream, facts.server_name),
    **{
        f"{name}_{what}": _of_certificate(side, choose, what)
        for name, side, choose in (
            ("DOWNSTREAM_PEER", _downstream, facts.peer_certificate),
            ("DOWNSTREAM_LOCAL", _downstream, facts.local_certificate),
            ("UPSTREAM_PEER", _upstream, facts.peer_certificate),
            ("UPSTREAM_LOCAL", _upstream, facts.local_certificate),
        )
        for what in facts.PARTS
    },
    **{
        f"{name}_PEER_CERT_V_{word}": _validity(side, end)
        for name, side in (("DOWNSTREAM", _downstream), ("UPSTREAM", _upstream))
        for end, word in enumerate(("START", "END"))
    },
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1": _of_chain("FINGERPRINT_1"),
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256": _of_chain("FINGERPRINT_256"),
    "DOWNSTREAM_PEER_CHAIN_SERIALS": _of_chain("SERIAL"),
    "DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256": _of_certificate(_downstream, _issuer, "FINGERPRINT_256"),
    "DOWNSTREAM_PEER_ISSUER_SERIAL": _of_certificate(_downstream, _issuer, "SERIAL"),
    "XFCC_VALUE": _client_certificate,
}
"""By the operators' names; some that Envoy does not have are among them, and are never asked for."""
