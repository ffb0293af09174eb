"""Tests of L{edgegate.access.facts}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.facts import Facts
from edgegate.model.addresses import TCPAddress, UNIXAddress
from tests.access.asking import Asked, Connected, Port, asked, with_claims


class FactsTests(SynchronousTestCase):
    """What conditions look at."""

    def test_request(self) -> None:
        """The request, and its connection."""
        facts = Facts(Connected(), Asked(b"PUT", b"/a", b"b=c", authority=b"A.example:80"))
        self.assertEqual((facts.method, facts.path, facts.host), (b"PUT", b"/a", b"a.example:80"))
        self.assertEqual(
            (facts.server_name, facts.peer, facts.local), (b"app.example.com", "192.0.2.10", "198.51.100.1")
        )
        self.assertEqual(facts.header(b":path"), [b"/a?b=c"])
        self.assertEqual(facts.header(b":method") + facts.header(b":authority"), [b"PUT", b"A.example:80"])
        self.assertEqual(facts.header(b":other"), [])

    def test_nothing(self) -> None:
        """Where there is no request there is nothing of one."""
        facts = Facts(Connected(peer=UNIXAddress("/s"), listener=Port(80, UNIXAddress("/s"))))
        self.assertEqual((facts.method, facts.path, facts.host, facts.claims), (b"", b"", b"", None))
        self.assertEqual((facts.peer, facts.client, facts.ports), ("", "", (80, 80)))
        self.assertEqual(facts.header(b"a") + facts.header(b":path"), [])
        self.assertIsNone(facts.metadata("a", "b"))

    def test_headers(self) -> None:
        """Fields of a name, whatever was asked for before."""
        facts = Facts(Connected(), asked("/", "a: 1", "b: 2 ", "a: 3"))
        for _ in range(2):
            self.assertEqual(facts.header(b"a"), [b"1", b"3"])
            self.assertEqual(facts.header(b"b"), [b"2"])
            self.assertEqual(facts.header(b"c"), [])

    def test_hosts(self) -> None:
        """A host in the form in which it is routed, with its port."""
        for authority, expected in (
            (b"A.example.", b"a.example"),
            (b"a.example.:80", b"a.example:80"),
            (b"[::0:1]:80", b"[::1]:80"),
            (b"[::0:1]", b"[::1]"),
            (b"a.example:", b"a.example:"),
            (b"no host", b"no host"),
            (b"", b""),
        ):
            self.assertEqual(Facts(Connected(), asked(authority=authority)).normal_host, expected)

    def test_claims(self) -> None:
        """Those of a verified token, if they are some."""
        self.assertEqual(Facts(Connected(), with_claims(asked(), a=1)).claims, {"a": 1})
        for metadata in ({}, {"envoy.filters.http.jwt_authn": {}}, {"envoy.filters.http.jwt_authn": {"payload": "a"}}):
            self.assertIsNone(Facts(Connected(), asked(metadata=metadata)).claims)

    def test_introduced(self) -> None:
        """Who has connected is the peer, unless it was for another."""
        facts = Facts(Connected(introducer=TCPAddress("10.0.0.1", 1)))
        self.assertEqual((facts.peer, facts.client), ("10.0.0.1", "192.0.2.10"))
