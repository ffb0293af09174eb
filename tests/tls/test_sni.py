"""Tests of L{edgegate.tls.sni}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.origin import Origin
from edgegate.model.tls import ClientVerification, Credential, KeyPair, TLSRules
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import BadKeyMaterial, ResolvedTLS, load_certificates
from edgegate.tls.sni import ContextMap
from tests.tls.handshakes import AUTHORITY, CLIENTS, RSA_KEY, client_context, naming, pair, secrets, server_tls, shake

ORIGIN = Origin("shop.yaml", 1, "Gateway default/shop")
MUTUAL = TLSRules(verification=ClientVerification(True, CLIENTS.own.chain_pem))


def chain(name: str, tls: ResolvedTLS | None, *hosts: str) -> FilterChain:
    """A filter chain for some hosts."""
    return FilterChain(name, ORIGIN, hosts, None if tls is None else naming(tls), tcp=())


def shown_number(pair: KeyPair) -> int:
    """The serial number of a certificate."""
    return load_certificates(pair.chain, pair.name)[0].serial_number


def listener(*chains: FilterChain) -> Listener:
    """A listener of these chains."""
    secure = HostTable((host, each) for each in chains for host in each.hosts)
    return Listener("0.0.0.0_8443", TCPAddress("0.0.0.0", 8443), 8443, ORIGIN, secure=secure)


class ContextMapTests(SynchronousTestCase):
    """Which server a client means."""

    def setUp(self) -> None:
        self.exact = chain("exact", server_tls(), "a.example", "b.example")
        self.locked = chain("locked", server_tls(rules=MUTUAL), "locked.example", "*.locked.example")
        self.passed = chain("passed", None, "passed.example")
        self.contexts = ContextMap(listener(self.exact, self.locked, self.passed), secrets())

    def test_names(self) -> None:
        """A name finds its chain, exact or by wildcard; an unknown one finds nothing."""
        for name, expected in {
            "a.example": self.exact,
            "x.locked.example": self.locked,
            "passed.example": self.passed,
        }.items():
            found = self.contexts.lookup(name)
            assert found is not None
            self.assertIs(found[0], expected)
        self.assertIsNone(self.contexts.lookup("c.example"))
        self.assertEqual(len(self.contexts), 5)

    def test_passthrough(self) -> None:
        """Where TLS is passed through, there is a chain and no context."""
        self.assertEqual(self.contexts.lookup("passed.example"), (self.passed, None))

    def test_no_name(self) -> None:
        """A client that names nobody gets the server of C{*}, and none where there is no such server."""
        self.assertIsNone(self.contexts.lookup(""))
        anyone = chain("anyone", server_tls(), "*")
        found = ContextMap(listener(anyone, self.locked), secrets()).lookup("")
        assert found is not None
        self.assertIs(found[0], anyone)

    def test_no_name_on_a_port_of_one(self) -> None:
        """Where only one server ends TLS on a port, a client that names nobody gets it, and none that names another."""
        only = ContextMap(listener(self.locked), secrets())
        found = only.lookup("")
        assert found is not None
        self.assertIs(found[0], self.locked)
        self.assertIsNone(only.lookup("c.example"))
        self.assertIsNone(ContextMap(listener(self.passed), secrets()).lookup(""))

    def test_no_name_but_an_address(self) -> None:
        """Of several certificates, who names nobody is shown that for the address it has come to; else the first."""
        tls = server_tls(*(AUTHORITY.server([name]) for name in ("10.0.0.1", "::1", "a.example")))
        contexts = ContextMap(listener(chain("addresses", tls, "10.0.0.1", "a.example")), secrets())

        def shown(address: Address | None) -> object:
            found = contexts.lookup("", address)
            assert found is not None
            return found[1]

        one, six = shown(TCPAddress("10.0.0.1", 443)), shown(TCPAddress("::1", 443))
        self.assertIsNot(one, six)
        for other in (None, TCPAddress("10.0.0.2", 443), UNIXAddress("/run/a")):
            self.assertIs(shown(other), one)
        self.assertIsNone(self.contexts.lookup("", TCPAddress("10.0.0.1", 443)))

    def test_one_context_for_a_chain(self) -> None:
        """All names of a server share its context, so sessions are resumed under any of them."""
        one, other = self.contexts.lookup("a.example"), self.contexts.lookup("b.example")
        assert one is not None and other is not None
        self.assertIs(one[1], other[1])

    def test_servers_never_share(self) -> None:
        """Two servers with the same certificate and rules have contexts of their own."""
        twin = replace(self.exact, name="twin", hosts=("twin.example",))
        contexts = ContextMap(listener(self.exact, twin), secrets())
        one, other = contexts.lookup("a.example"), contexts.lookup("twin.example")
        assert one is not None and other is not None
        self.assertIsNot(one[1], other[1])

    def test_neighbour_asks_for_a_certificate(self) -> None:
        """On one port, one server serves anyone and the other only clients with a certificate, session or not."""
        exact, locked = self.contexts.lookup("a.example"), self.contexts.lookup("locked.example")
        assert exact is not None and exact[1] is not None and locked is not None and locked[1] is not None
        client = client_context()
        client.check_hostname = False
        first = shake(exact[1], client, "a.example")
        self.assertEqual(first.refused, "")
        self.assertNotEqual(shake(locked[1], client, "locked.example", first.client.session).refused, "")
        self.assertNotEqual(shake(locked[1], client, "locked.example").refused, "")

    def shown(self, contexts: ContextMap, name: str) -> int:
        """Return the serial number of the certificate that a client is shown which asks for a name."""
        found = contexts.lookup(name)
        assert found is not None and found[1] is not None
        client = client_context()
        client.check_hostname = False
        talk = shake(found[1], client, name or None)
        self.assertEqual((talk.refused, talk.failed), ("", ""))
        shown = talk.client.getpeercert()
        assert shown is not None
        return int(str(shown["serialNumber"]), 16)

    def test_several_of_a_kind(self) -> None:
        """Of certificates of one kind the one is shown that bears the name, else a wildcard, else the first."""
        issued = [
            AUTHORITY.server(names)
            for names in (["a.example"], ["b.example", "c.example"], ["*.example"], ["x.a.example"])
        ]
        rsa = AUTHORITY.server(["a.example"], key=RSA_KEY)
        numbers = [each.certificate.serial_number for each in issued]
        everyone = chain("everyone", server_tls(*issued, rsa), "*")
        contexts = ContextMap(listener(everyone, self.passed), secrets())
        for name, expected in {
            "a.example": numbers[0],
            "b.example": numbers[1],
            "c.example": numbers[1],
            "d.example": numbers[2],
            "x.a.example": numbers[3],
            "y.a.example": numbers[0],
            "": numbers[0],
        }.items():
            self.assertEqual(self.shown(contexts, name), expected, name)
        self.assertEqual(contexts.lookup("passed.example"), (self.passed, None))

    def test_several_of_a_kind_are_kept(self) -> None:
        """After a reload each certificate's context is the one that it was, so that sessions go on."""
        both = chain("both", server_tls(AUTHORITY.server(["a.example"]), AUTHORITY.server(["b.example"])), "*")
        before = ContextMap(listener(both), secrets())
        after = ContextMap(listener(both), secrets(), before)
        for name in ("a.example", "b.example", "c.example"):
            one, other = before.lookup(name), after.lookup(name)
            assert one is not None and other is not None
            self.assertIs(one[1], other[1], name)

    def test_withheld(self) -> None:
        """A name whose certificate is to be issued is refused, whoever else the server serves, until there is one."""
        there = pair(AUTHORITY.server(["a.example"]))
        missing = [replace(pair(AUTHORITY.server([name])), withheld=True) for name in ("b.example", "*.c.example")]
        tls = naming(ResolvedTLS((missing[0], there, missing[1])))
        both = FilterChain("both", ORIGIN, ("*",), tls, tcp=())
        contexts = ContextMap(listener(both, self.passed), secrets())
        for name in ("b.example", "x.c.example"):
            self.assertEqual((contexts.lookup(name), contexts.withholds(name)), (None, True), name)
        for name in ("a.example", "other.example", ""):
            self.assertEqual(self.shown(contexts, name), shown_number(there), name)
        self.assertEqual((contexts.withholds("a.example"), contexts.withholds("passed.example")), (False, False))
        issued = replace(missing[0], withheld=False)
        after = ContextMap(listener(both, self.passed), secrets().replaced(issued), contexts)
        self.assertEqual(self.shown(after, "b.example"), shown_number(issued))
        before, now = contexts.lookup("a.example"), after.lookup("a.example")
        assert before is not None and now is not None
        self.assertIs(before[1], now[1], "its sessions go on")

    def test_all_withheld(self) -> None:
        """A server that has none of its certificates refuses all; its neighbours do not."""
        missing = [replace(pair(AUTHORITY.server([f"{name}.example"])), withheld=True) for name in "mn"]
        for withheld in (missing, missing[:1]):
            chain = FilterChain("none", ORIGIN, ("m.example", "*.m.example"), naming(ResolvedTLS(tuple(withheld))))
            contexts = ContextMap(listener(chain, self.exact), secrets())
            for name in ("m.example", "x.m.example"):
                self.assertEqual((contexts.lookup(name), contexts.withholds(name)), (None, True), name)
            self.assertIsNotNone(contexts.lookup("a.example"))
            alone = ContextMap(listener(chain), secrets())
            self.assertEqual((alone.lookup(""), alone.withholds("")), (None, True))
            self.assertEqual((alone.lookup("other.example"), alone.withholds("other.example")), (None, False))

    def test_bad_material(self) -> None:
        """A listener with a useless certificate is refused as a whole, before anything is served."""
        broken = chain("broken", replace(server_tls(), rules=TLSRules(ciphers=("NONSENSE",))), "broken.example")
        self.assertRaises(BadKeyMaterial, ContextMap, listener(self.exact, broken), secrets())

    def test_on_demand(self) -> None:
        """What a wildcard of a server with certificates on demand stands for has no context here; full names have."""
        there = chain("there", server_tls(), "a.example", "*.example")
        assert there.tls is not None
        there = replace(there, tls=replace(there.tls, on_demand="default/ca"))
        contexts = ContextMap(listener(there), secrets())
        found = contexts.lookup("a.example")
        assert found is not None
        self.assertIsNotNone(found[1])
        self.assertEqual(contexts.lookup("c.example"), (there, None))
        none = replace(there, hosts=("*",), tls=replace(naming(server_tls()), credentials=(), on_demand="default/ca"))
        contexts = ContextMap(listener(none), secrets())
        self.assertEqual((contexts.lookup("c.example"), contexts.lookup("")), ((none, None), (none, None)))
        with self.subTest("also while that of the full name is not there yet"):
            (pair,) = server_tls().certificates
            held = replace(there, tls=replace(there.tls, credentials=(Credential("held"),)))
            contexts = ContextMap(listener(held), Secrets([replace(pair, name="held", withheld=True)]))
            self.assertEqual((contexts.lookup("a.example"), contexts.lookup("c.example")), (None, (held, None)))
