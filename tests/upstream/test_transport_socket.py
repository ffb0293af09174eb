"""Tests of L{edgegate.upstream.transport_socket}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Keepalive, PoolLimits, ProxyHeader
from edgegate.model.origin import Origin
from edgegate.model.tls import UpstreamTLS
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.proxy_protocol import header
from edgegate.tls.client_contexts import ClientContext, Handshakes
from edgegate.upstream.transport_socket import TransportSocket, transport_socket_of
from tests.http.conversation import plain

NAME = "outbound|443||shop.default.svc.cluster.local"
PLAIN = Cluster(NAME, Discovery.STATIC, Origin("rule.yaml", 1, "DestinationRule default/shop"))
TERMS = UpstreamTLS(verified=False)
FIXED = UpstreamTLS(sni="shop.example.", verified=False)
CONTEXTS = {terms: ClientContext(terms) for terms in (TERMS, FIXED)}
CLIENT = plain()
OTHER = replace(CLIENT, peer=TCPAddress("192.0.2.8", 1))


def name_of(options: ConnectionOptions) -> str:
    """Return whom a connection asks for."""
    assert isinstance(options.tls, Handshakes)
    return options.tls.name


class ContactTests(SynchronousTestCase):
    """How connections begin."""

    def transport_socket(self, tls: UpstreamTLS | None = None, version: ProxyHeader | None = None) -> TransportSocket:
        """Return how a cluster is met."""
        transport_socket = transport_socket_of(replace(PLAIN, tls=tls, proxy_header=version), CONTEXTS)
        assert transport_socket is not None
        return transport_socket

    def test_plain(self) -> None:
        """In the clear nothing comes before the first request."""
        self.assertIsNone(transport_socket_of(PLAIN, {}))

    def test_keepalive(self) -> None:
        """Probes of the kernel's keep no requests apart."""
        keepalive = Keepalive(3)
        transport_socket = transport_socket_of(replace(PLAIN, limits=PoolLimits(keepalive=keepalive)), {})
        assert transport_socket is not None
        self.assertEqual(transport_socket.for_request(CLIENT, "shop.example"), ConnectionOptions(keepalive=keepalive))

    def test_host(self) -> None:
        """The backend is asked for the request's host, and connections of one host are not used for another."""
        transport_socket = self.transport_socket(TERMS)
        self.assertTrue(transport_socket.by_host)
        one, two = transport_socket.for_request(CLIENT, "a.example"), transport_socket.for_request(CLIENT, "b.example")
        self.assertEqual((name_of(one), name_of(two)), ("a.example", "b.example"))
        self.assertNotEqual(one.key, two.key)
        self.assertEqual(one.key, transport_socket.for_request(OTHER, "a.example").key)

    def test_odd_hosts(self) -> None:
        """Addresses are addresses; a name that is none is asked for by nobody."""
        transport_socket = self.transport_socket(TERMS)
        for host, expected in (("192.0.2.1", "192.0.2.1"), ("[2001:db8::7]", "2001:db8::7"), ("a b", "")):
            self.assertEqual(name_of(transport_socket.for_request(CLIENT, host)), expected)

    def test_said_name(self) -> None:
        """A name that the files say is for all requests."""
        transport_socket = self.transport_socket(FIXED)
        self.assertFalse(transport_socket.by_host)
        one, two = transport_socket.for_request(CLIENT, "a.example"), transport_socket.for_request(OTHER, "b.example")
        self.assertEqual((name_of(one), one.key), ("shop.example", two.key))
        self.assertEqual(name_of(transport_socket.for_relay(CLIENT)), "shop.example")

    def test_service(self) -> None:
        """Where nothing says whom a connection is for, it is the service, unless that stands for many hosts."""
        transport_socket = self.transport_socket(TERMS)
        service = "shop.default.svc.cluster.local"
        self.assertEqual(name_of(transport_socket.for_relay(CLIENT)), service)
        self.assertEqual(name_of(transport_socket.for_request(CLIENT, "")), service)
        many = transport_socket_of(replace(PLAIN, name="outbound|443||*.example", tls=TERMS), CONTEXTS)
        assert many is not None
        self.assertEqual(name_of(many.for_relay(CLIENT)), "")

    def test_protocols(self) -> None:
        """HTTP is offered for requests, nothing for relays."""
        transport_socket = self.transport_socket(TERMS)
        offered = [
            each.tls for each in (transport_socket.for_request(CLIENT, "a.example"), transport_socket.for_relay(CLIENT))
        ]
        self.assertEqual([each.alpn for each in offered if isinstance(each, Handshakes)], [(b"http/1.1",), ()])

    def test_introduced(self) -> None:
        """With a PROXY header a connection is one client's."""
        for tls in (None, TERMS):
            transport_socket = self.transport_socket(tls, ProxyHeader.V2)
            one, two = (
                transport_socket.for_request(CLIENT, "a.example"),
                transport_socket.for_request(OTHER, "a.example"),
            )
            self.assertNotEqual(one.key, two.key)
            self.assertEqual(one.key, transport_socket.for_request(replace(CLIENT), "a.example").key)
            self.assertEqual(one.header, header(ProxyHeader.V2, CLIENT.peer, CLIENT.local))

    def test_equal(self) -> None:
        """Contacts are equal where connections may go on: keepalive does not matter, certificates do."""
        transport_socket = self.transport_socket(TERMS)
        self.assertEqual(transport_socket, replace(transport_socket, keepalive=Keepalive(1)))
        self.assertNotEqual(transport_socket, replace(transport_socket, context=ClientContext(TERMS)))
        self.assertNotEqual(transport_socket, replace(transport_socket, proxy_header=ProxyHeader.V1))
