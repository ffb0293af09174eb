"""Tests of L{edgegate.http.selection}; what requests see of it is tested with the gateway."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import MISDIRECTED, NO_ROUTE, Fault
from edgegate.http.request import HostMemory, h1_head
from edgegate.http.selection import selected
from edgegate.model.routes import HTTPRoute
from edgegate.model.tls import ClientVerification, Credential, ServerTLS, TLSRules, TLSVersion
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.snapshot import FilterChain
from tests.http.conversation import ORIGIN, https_chain, plain, secure
from tests.routing.test_matching import Asked

PAIR = Credential("webapp")
OTHER_PAIR = Credential("catalog")
SIMPLE = ServerTLS((PAIR,))
MUTUAL = ServerTLS((PAIR,), TLSRules(verification=ClientVerification(True, b"ca")))


def selection(downstream: ConnectionInfo, host: str) -> HTTPRoute | Fault | int:
    """Select what a request for a host gets."""
    fields = [(b"Host", host.encode())] if host else []
    head = h1_head(b"GET", b"/", "1.1" if host else "1.0", True, fields, HostMemory())
    return selected(downstream, head, Asked(), 0)


class SelectedTests(SynchronousTestCase):
    """Which virtual host a request belongs to."""

    def test_in_the_clear(self) -> None:
        """Only the host decides."""
        found = selection(plain(), "slow.example")
        assert isinstance(found, HTTPRoute)
        self.assertEqual(found.timeout, 5.0)
        self.assertEqual(selection(plain(), "moved-far.example"), 8443)
        self.assertEqual(selection(plain(), "other.example"), NO_ROUTE)
        self.assertEqual(selection(plain(), ""), NO_ROUTE)

    def test_same_terms(self) -> None:
        """A host of another server on the port is served where its terms are the same but for the certificate."""
        chains = {
            "a.example": https_chain("a.example", SIMPLE),
            "b.example": https_chain("b.example", ServerTLS((OTHER_PAIR,))),
        }
        table = chains["b.example"].http
        assert table is not None
        host = table.lookup("b.example")
        assert host is not None
        self.assertIs(selection(secure(chains, "a.example"), "b.example"), host.routes[0])

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
            self.assertEqual(selection(secure(chains, name), host), MISDIRECTED, (name, host))

    def test_nobodys_host(self) -> None:
        """A host that no server of the port has is not found."""
        chains = {"a.example": https_chain("a.example", SIMPLE)}
        self.assertEqual(selection(secure(chains, "a.example"), "b.example"), NO_ROUTE)
