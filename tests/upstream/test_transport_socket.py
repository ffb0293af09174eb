"""Tests of L{edgegate.upstream.transport_socket}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.connection_options import Opening
from edgegate.net.proxy_protocol import header
from edgegate.routing.clusters import Cluster, Discovery, Keepalive, PoolLimits, ProxyHeader
from edgegate.routing.snapshot import Origin, TCPAddress
from edgegate.routing.tls import UpstreamTLS
from edgegate.tls.client_contexts import ClientContext, Handshakes
from edgegate.upstream.transport_socket import Contact, contact_of
from tests.http.conversation import plain

NAME = "outbound|443||shop.default.svc.cluster.local"
PLAIN = Cluster(NAME, Discovery.STATIC, (), Origin("rule.yaml", 1, "DestinationRule default/shop"))
TERMS = UpstreamTLS(verified=False)
FIXED = UpstreamTLS(sni="shop.example.", verified=False)
CONTEXTS = {terms: ClientContext(terms) for terms in (TERMS, FIXED)}
CLIENT = plain()
OTHER = replace(CLIENT, peer=TCPAddress("192.0.2.8", 1))


def name_of(opening: Opening) -> str:
    """Return whom a connection asks for."""
    assert isinstance(opening.tls, Handshakes)
    return opening.tls.name


class ContactTests(SynchronousTestCase):
    """How connections begin."""

    def contact(self, tls: UpstreamTLS | None = None, version: ProxyHeader | None = None) -> Contact:
        """Return how a cluster is met."""
        contact = contact_of(replace(PLAIN, tls=tls, proxy_header=version), CONTEXTS)
        assert contact is not None
        return contact

    def test_plain(self) -> None:
        """In the clear nothing comes before the first request."""
        self.assertIsNone(contact_of(PLAIN, {}))

    def test_keepalive(self) -> None:
        """Probes of the kernel's keep no requests apart."""
        keepalive = Keepalive(3)
        contact = contact_of(replace(PLAIN, limits=PoolLimits(keepalive=keepalive)), {})
        assert contact is not None
        self.assertEqual(contact.for_request(CLIENT, "shop.example"), Opening(keepalive=keepalive))

    def test_host(self) -> None:
        """The backend is asked for the request's host, and connections of one host are not used for another."""
        contact = self.contact(TERMS)
        self.assertTrue(contact.by_host)
        one, two = contact.for_request(CLIENT, "a.example"), contact.for_request(CLIENT, "b.example")
        self.assertEqual((name_of(one), name_of(two)), ("a.example", "b.example"))
        self.assertNotEqual(one.key, two.key)
        self.assertEqual(one.key, contact.for_request(OTHER, "a.example").key)

    def test_odd_hosts(self) -> None:
        """Addresses are addresses; a name that is none is asked for by nobody."""
        contact = self.contact(TERMS)
        for host, expected in (("192.0.2.1", "192.0.2.1"), ("[2001:db8::7]", "2001:db8::7"), ("a b", "")):
            self.assertEqual(name_of(contact.for_request(CLIENT, host)), expected)

    def test_said_name(self) -> None:
        """A name that the files say is for all requests."""
        contact = self.contact(FIXED)
        self.assertFalse(contact.by_host)
        one, two = contact.for_request(CLIENT, "a.example"), contact.for_request(OTHER, "b.example")
        self.assertEqual((name_of(one), one.key), ("shop.example", two.key))
        self.assertEqual(name_of(contact.for_relay(CLIENT)), "shop.example")

    def test_service(self) -> None:
        """Where nothing says whom a connection is for, it is the service, unless that stands for many hosts."""
        contact = self.contact(TERMS)
        service = "shop.default.svc.cluster.local"
        self.assertEqual(name_of(contact.for_relay(CLIENT)), service)
        self.assertEqual(name_of(contact.for_request(CLIENT, "")), service)
        many = contact_of(replace(PLAIN, name="outbound|443||*.example", tls=TERMS), CONTEXTS)
        assert many is not None
        self.assertEqual(name_of(many.for_relay(CLIENT)), "")

    def test_protocols(self) -> None:
        """HTTP is offered for requests, nothing for relays."""
        contact = self.contact(TERMS)
        offered = [each.tls for each in (contact.for_request(CLIENT, "a.example"), contact.for_relay(CLIENT))]
        self.assertEqual([each.alpn for each in offered if isinstance(each, Handshakes)], [(b"http/1.1",), ()])

    def test_introduced(self) -> None:
        """With a PROXY header a connection is one client's."""
        for tls in (None, TERMS):
            contact = self.contact(tls, ProxyHeader.V2)
            one, two = contact.for_request(CLIENT, "a.example"), contact.for_request(OTHER, "a.example")
            self.assertNotEqual(one.key, two.key)
            self.assertEqual(one.key, contact.for_request(replace(CLIENT), "a.example").key)
            self.assertEqual(one.header, header(ProxyHeader.V2, CLIENT.peer, CLIENT.local))

    def test_equal(self) -> None:
        """Contacts are equal where connections may go on: keepalive does not matter, certificates do."""
        contact = self.contact(TERMS)
        self.assertEqual(contact, replace(contact, keepalive=Keepalive(1)))
        self.assertNotEqual(contact, replace(contact, context=ClientContext(TERMS)))
        self.assertNotEqual(contact, replace(contact, proxy_header=ProxyHeader.V1))
