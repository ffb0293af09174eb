"""Tests of L{edgegate.explain.certificates}."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.certificates import client_refusal, shown
from edgegate.model.origin import Origin
from edgegate.model.tls import ClientVerification
from edgegate.routing.snapshot import FilterChain
from edgegate.tls.secrets import ResolvedTLS
from tests.tls.handshakes import AUTHORITY, CLIENTS, NOW, naming, secrets, server_tls

OTHER = AUTHORITY.server(["*.c.example"])


def chain(*issued: object) -> FilterChain:
    """Return a server that shows certificates."""
    tls = naming(server_tls(*issued))  # type: ignore[arg-type]
    return FilterChain("https.443", Origin("a.yaml", 1, "Gateway default/gw"), ("*",), tls, http=None, tcp=())


class ShownTests(SynchronousTestCase):
    """What a client is shown."""

    def test_one(self) -> None:
        """The only certificate, and whether it is for the name."""
        for name, fits in (("a.example", True), ("c.example", False), ("x.a.example", False), ("", True)):
            (found,) = shown(chain(), secrets(), name, NOW)
            self.assertEqual((set(found.names), found.fits, found.ended), ({"a.example", "b.example"}, fits, None))

    def test_wildcards(self) -> None:
        """A wildcard stands for one label."""
        for name, fits in (("x.c.example", True), ("y.x.c.example", False), ("c.example", False)):
            (found,) = shown(chain(OTHER), secrets(), name, NOW)
            self.assertEqual((found.names, found.fits), (("*.c.example",), fits))

    def test_several(self) -> None:
        """Of several the one that bears the name."""
        both = chain(AUTHORITY.server(["a.example"]), OTHER)
        for name, names in (("x.c.example", ("*.c.example",)), ("a.example", ("a.example",))):
            (found,) = shown(both, secrets(), name, NOW)
            self.assertEqual((found.names, found.fits), (names, True))

    def test_ended(self) -> None:
        """One that has ended."""
        (found,) = shown(chain(), secrets(), "a.example", NOW + timedelta(days=36500))
        self.assertIsNotNone(found.ended)

    def test_on_demand(self) -> None:
        """One on demand is not known here; that of a full name beside it is."""
        server = chain()
        assert server.tls is not None
        server = replace(server, hosts=("a.example", "*"), tls=replace(server.tls, on_demand="default/ca"))
        self.assertEqual(shown(server, secrets(), "x.example", NOW), ())
        self.assertEqual(len(shown(server, secrets(), "a.example", NOW)), 1)

    def test_withheld(self) -> None:
        """One that is to be issued, for which clients are refused until then."""
        missing = replace(server_tls(OTHER).certificates[0], name="to be issued", withheld=True)
        both = ResolvedTLS((server_tls().certificates[0], missing))
        server = FilterChain("https.443", Origin("a.yaml", 1, "Gateway default/gw"), ("*",), naming(both), tcp=())
        for name, issued in (("x.c.example", False), ("a.example", True)):
            (found,) = shown(server, secrets(), name, NOW)
            self.assertEqual((found.issued, found.fits), (issued, True), name)

    def test_plain(self) -> None:
        """In the clear there is none."""
        self.assertEqual(shown(FilterChain("http.80", Origin("a", 1, "b")), secrets(), "", NOW), ())


class ClientsTests(SynchronousTestCase):
    """Certificates of clients."""

    def test_authorities(self) -> None:
        """One of an authority that the server trusts is good; another's is not."""
        verification = ClientVerification(True, CLIENTS.own.chain_pem)
        good = CLIENTS.client("client").chain_pem
        self.assertEqual(client_refusal(good, "c.pem", verification), "")
        self.assertIn("unable to get local issuer", client_refusal(OTHER.chain_pem, "c.pem", verification))

    def test_names(self) -> None:
        """The checks on top, as the server makes them."""
        verification = ClientVerification(True, CLIENTS.own.chain_pem, subject_alt_names=("spiffe://other",))
        good = CLIENTS.client("client").chain_pem
        self.assertEqual(
            client_refusal(good, "c.pem", verification), "none of its subject alternative names is allowed"
        )
