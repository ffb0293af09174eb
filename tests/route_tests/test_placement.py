"""Tests of L{edgegate.route_tests.placement}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.placement import Unplaced, placed
from edgegate.routing.snapshot import Snapshot
from tests.route_tests.shop import snapshot


class PlacementTests(SynchronousTestCase):
    """Where a request is sent of which only the host is known."""

    def place(self, authority: str, secure: bool | None = None) -> tuple[int, bool]:
        """Return the port, and whether it is TLS."""
        found = placed(snapshot(), Unplaced("GET", authority, "/", secure=secure))
        return found.port, found.tls

    def test_ports(self) -> None:
        """It goes to a port that has the host, in the clear before TLS, unless either is asked for."""
        self.assertEqual(self.place("shop.example"), (80, False))
        self.assertEqual(self.place("shop.example", secure=True), (443, True))
        self.assertEqual(self.place("shop.example:443"), (443, True))
        self.assertEqual(self.place("shop.example:99"), (80, False))
        self.assertEqual(self.place("locked.example"), (443, True))
        self.assertEqual(self.place("moved.example"), (81, False))

    def test_nowhere(self) -> None:
        """A host that no port has goes to the first, and to 80 where there is none."""
        self.assertEqual(self.place("nobody.example"), (80, False))
        found = placed(Snapshot(), Unplaced("GET", "a.example", "/"))
        self.assertEqual((found.port, found.tls), (80, False))

    def test_question(self) -> None:
        """The authority stays as it was written; over TLS the client has a certificate."""
        found = placed(snapshot(), Unplaced("POST", "locked.example:8443", "/a?b", ((b"a", b"b"),)))
        self.assertEqual(
            (found.authority, found.target, found.headers), (b"locked.example:8443", b"/a?b", ((b"a", b"b"),))
        )
        self.assertTrue(found.certificate)
        self.assertRaises(ValueError, Unplaced("GET", "a.example", "b").question, 80, False)
