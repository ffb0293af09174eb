"""Tests of L{edgegate.http.selection}; those of C{selected} are the gateway's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import MISDIRECTED, NO_ROUTE
from edgegate.http.selection import virtual_host
from edgegate.model.tls import ClientVerification, Credential, ServerTLS, TLSRules, TLSVersion
from edgegate.routing.snapshot import FilterChain, VirtualHost
from tests.http.conversation import ORIGIN, https_chain, plain, secure

PAIR = Credential("webapp")
OTHER_PAIR = Credential("catalog")
SIMPLE = ServerTLS((PAIR,))
MUTUAL = ServerTLS((PAIR,), TLSRules(verification=ClientVerification(True, b"ca")))


class VirtualHostTests(SynchronousTestCase):
    """Which virtual host a request belongs to."""

    def test_in_the_clear(self) -> None:
        """Only the host decides."""
        found = virtual_host(plain(), "web.example")
        assert isinstance(found, VirtualHost)
        self.assertEqual(found.domain, "web.example")
        self.assertEqual(virtual_host(plain(), "other.example"), NO_ROUTE)
        self.assertEqual(virtual_host(plain(), ""), NO_ROUTE)

    def test_same_terms(self) -> None:
        """A host of another server on the port is served where its terms are the same but for the certificate."""
        chains = {
            "a.example": https_chain("a.example", SIMPLE),
            "b.example": https_chain("b.example", ServerTLS((OTHER_PAIR,))),
        }
        found = virtual_host(secure(chains, "a.example"), "b.example")
        assert isinstance(found, VirtualHost)
        self.assertEqual(found.domain, "b.example")

    def test_other_terms(self) -> None:
        """A host that demands a certificate is not served on a connection that demanded none, nor the other way."""
        chains = {
            "open.example": https_chain("open.example", SIMPLE),
            "locked.example": https_chain("locked.example", MUTUAL),
            "old.example": https_chain("old.example", ServerTLS((PAIR,), TLSRules(minimum=TLSVersion.TLSV1_0))),
            "through.example": FilterChain("through", ORIGIN, ("through.example",), tcp=()),
        }
        for name, host in (
            ("open.example", "locked.example"),
            ("locked.example", "open.example"),
            ("open.example", "old.example"),
            ("open.example", "through.example"),
        ):
            self.assertEqual(virtual_host(secure(chains, name), host), MISDIRECTED, (name, host))

    def test_nobodys_host(self) -> None:
        """A host that no server of the port has is not found."""
        chains = {"a.example": https_chain("a.example", SIMPLE)}
        self.assertEqual(virtual_host(secure(chains, "a.example"), "b.example"), NO_ROUTE)
