"""Tests for L{edgegate.http.formatter_tls}."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.exchange import Exchange
from edgegate.http.request import refused_head
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import Message, rendered
from edgegate.model.headers import Template
from edgegate.tls import facts
from edgegate.tls.authority import Authority, Issued
from edgegate.tls.verification import forwarded_client_cert
from tests.http.conversation import plain
from tests.http.test_exchange import FakeDownstream
from tests.tls.handshakes import connect

CLIENT = Authority.new("Clients").intermediate("Below").client("visitor", ["visitor.example", "spiffe://x/visitor"])
SERVER = Authority.new("Servers").server(["a.example", "b.example", "192.0.2.1"])


def context(issued: Issued) -> SSL.Context:
    """Return a context that shows a certificate and takes any."""
    made = SSL.Context(SSL.TLS_METHOD)
    made.use_certificate(issued.certificate)
    made.use_privatekey(issued.key)
    for each in issued.issuers:
        made.add_extra_chain_cert(each)
    made.set_verify(SSL.VERIFY_PEER, lambda *told: True)
    return made


class OperatorsTests(SynchronousTestCase):
    """Certificates of the client, of the gateway and of the backend."""

    def setUp(self) -> None:
        """Make an exchange on a connection whose client has shown a certificate, and one of a backend's."""
        self.server, self.client = connect(context(SERVER), context(CLIENT))
        self.stream = FakeDownstream()
        self.stream.downstream = replace(
            plain(),
            tls=True,
            secured=self.server,
            client_certificate=forwarded_client_cert(CLIENT.certificate),
        )
        self.exchange = Exchange(cast(Any, self.stream), refused_head(), {})

    def value(self, text: str, secured: SSL.Connection | None = None) -> bytes:
        """Return what a text stands for in the response of a backend."""
        backend = cast(Any, SimpleNamespace(secured=secured))
        return rendered(Template.parse(text), self.exchange, Message([], ResponseHead(200, b"", []), backend))

    def test_downstream(self) -> None:
        """The client's certificate and its chain, the gateway's own, and what they agreed on."""
        chain = [CLIENT.certificate, *CLIENT.issuers]
        digests = [facts.told(each, "FINGERPRINT_256") for each in chain]
        for text, value in (
            ("%DOWNSTREAM_PEER_SUBJECT%", "CN=visitor"),
            ("%DOWNSTREAM_PEER_ISSUER%", "CN=Below"),
            ("%DOWNSTREAM_PEER_DNS_SAN%", "visitor.example"),
            ("%DOWNSTREAM_PEER_URI_SAN%", "spiffe://x/visitor"),
            ("%DOWNSTREAM_PEER_EMAIL_SAN%", ""),
            ("%DOWNSTREAM_PEER_FINGERPRINT_256%", digests[0]),
            ("%DOWNSTREAM_PEER_FINGERPRINT_1%", facts.told(chain[0], "FINGERPRINT_1")),
            ("%DOWNSTREAM_PEER_SERIAL%", facts.told(chain[0], "SERIAL")),
            ("%DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256%", ",".join(digests)),
            ("%DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1%", ",".join(facts.told(each, "FINGERPRINT_1") for each in chain)),
            ("%DOWNSTREAM_PEER_CHAIN_SERIALS%", ",".join(facts.told(each, "SERIAL") for each in chain)),
            ("%DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256%", digests[1]),
            ("%DOWNSTREAM_PEER_ISSUER_SERIAL%", facts.told(chain[1], "SERIAL")),
            ("%DOWNSTREAM_LOCAL_SUBJECT%", "CN=a.example"),
            ("%DOWNSTREAM_LOCAL_DNS_SAN%", "a.example,b.example"),
            ("%DOWNSTREAM_LOCAL_IP_SAN%", "192.0.2.1"),
            ("%DOWNSTREAM_TLS_VERSION%", "TLSv1.3"),
            ("%DOWNSTREAM_TLS_CIPHER%", facts.cipher(self.client)),
            ("%DOWNSTREAM_TLS_GROUP%", facts.group(self.client)),
            ("%DOWNSTREAM_PEER_CERT_V_START(%s)%", f"{CLIENT.certificate.not_valid_before_utc.timestamp():.0f}"),
            ("%DOWNSTREAM_PEER_CERT_V_END(%s)%", f"{CLIENT.certificate.not_valid_after_utc.timestamp():.0f}"),
        ):
            self.assertEqual(self.value(text).decode(), value, text)

    def test_upstream(self) -> None:
        """The backend's certificate, ours, and the name that was asked for."""
        for text, value in (
            ("%UPSTREAM_PEER_SUBJECT%", "CN=a.example"),
            ("%UPSTREAM_PEER_ISSUER%", "CN=Servers"),
            ("%UPSTREAM_PEER_DNS_SAN%", "a.example,b.example"),
            ("%UPSTREAM_LOCAL_URI_SAN%", "spiffe://x/visitor"),
            ("%UPSTREAM_TLS_VERSION%", "TLSv1.3"),
            ("%UPSTREAM_TLS_CIPHER%", facts.cipher(self.server)),
            ("%UPSTREAM_SERVER_NAME%", "a.example"),
            ("%UPSTREAM_PEER_CERT_V_START(%s)%", f"{SERVER.certificate.not_valid_before_utc.timestamp():.0f}"),
        ):
            self.assertEqual(self.value(text, self.client).decode(), value, text)
            self.assertEqual(self.value(text), b"", text)

    def test_in_the_clear(self) -> None:
        """In the clear there is nothing of all that, nor in a request of its backend."""
        self.exchange.connection = plain()
        for text in ("%DOWNSTREAM_PEER_SUBJECT%", "%DOWNSTREAM_PEER_CHAIN_SERIALS%", "%DOWNSTREAM_TLS_VERSION%"):
            self.assertEqual(self.value(text), b"", text)
        self.assertEqual(self.value("%DOWNSTREAM_PEER_CERT_V_START%%DOWNSTREAM_PEER_ISSUER_SERIAL%"), b"")
        message = Message([])
        self.assertEqual(rendered(Template.parse("%UPSTREAM_PEER_SUBJECT%"), self.exchange, message), b"")

    def test_forwarded(self) -> None:
        """Pieces of what a backend is told of the client's certificate; a subject that looks like more is none."""
        self.assertEqual(self.value("%XFCC_VALUE(uri)%"), b"spiffe://x/visitor")
        self.assertEqual(self.value("%XFCC_VALUE(DNS)%"), b"visitor.example")
        self.assertEqual(self.value("%XFCC_VALUE(by)%"), b"")
        forged = b'Hash=ab;Subject="CN=\\";URI=spiffe://forged;DNS=\\"x";URI=spiffe://a'
        self.exchange.connection = replace(self.stream.downstream, client_certificate=forged)
        self.assertEqual(self.value("%XFCC_VALUE(uri)%|%XFCC_VALUE(dns)%"), b"spiffe://a|")
