"""Tests for L{edgegate.upstream.membership}; L{tests.upstream.test_registry} tests how addresses change endpoints."""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.clusters import Discovery
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.lookups import SystemLookups
from edgegate.upstream.dns.resolutions import Resolver
from edgegate.upstream.membership import Membership
from tests.upstream.backends import Backend, dns, logical, static
from tests.upstream.resolving import ResolvingReactor
from tests.upstream.test_registry import tcp


class MembershipTests(SynchronousTestCase):
    """Which addresses a cluster has."""

    def setUp(self) -> None:
        reactor = ResolvingReactor()
        self.names = reactor.nameResolver
        self.resolver = Resolver(SystemLookups(reactor), TimerWheel(Clock()), Random(1))
        self.membership = Membership(self.resolver)
        self.changes = 0

    def changed(self) -> None:
        self.changes += 1

    def watch(self, backend: Backend) -> None:
        """Watch the names of a backend."""
        self.membership.watch(backend.cluster.discovery, backend.endpoints, self.changed)

    def addresses(self) -> list[str]:
        """Return the members as they are now."""
        self.membership.work_out()
        return [str(address) for address, _ in self.membership.members]

    def test_fixed(self) -> None:
        """What the files say is what there is, and nobody is asked."""
        self.watch(static("web", tcp(1), UNIXAddress("/run/web")))
        self.assertEqual((self.membership.watches, self.membership.answered), (False, True))
        self.assertEqual(self.addresses(), ["10.0.0.1:80", "unix:///run/web"])
        self.assertFalse(self.membership.work_out())

    def test_names(self) -> None:
        """Addresses of a name stand in its place, with its port and all that is said of it, once they are known."""
        self.watch(dns("web", tcp(1), TCPAddress("b.example", 81)))
        self.assertEqual((self.membership.watches, self.membership.answered), (True, False))
        self.assertEqual(self.addresses(), ["10.0.0.1:80"])
        self.names.answer("b.example", "10.0.0.3", "10.0.0.2")
        self.assertEqual((self.membership.answered, self.changes), (True, 1))
        self.assertTrue(self.membership.work_out())
        self.assertEqual(self.addresses(), ["10.0.0.1:80", "10.0.0.3:81", "10.0.0.2:81"])
        self.assertEqual(self.membership.members[2][1].address, TCPAddress("b.example", 81))

    def test_first(self) -> None:
        """Of a logical name only the first address counts."""
        self.watch(logical("web", "b.example"))
        self.assertEqual(self.addresses(), [])
        self.names.answer("b.example", "10.0.0.3", "10.0.0.2")
        self.assertEqual(self.addresses(), ["10.0.0.3:80"])

    def test_none_of_its_own(self) -> None:
        """A cluster for whatever clients name has no members, though it has an endpoint."""
        self.watch(dns("web", tcp(1)).having(discovery=Discovery.DYNAMIC))
        self.assertEqual(self.addresses(), [])

    def test_other_names(self) -> None:
        """Names that the files do not have any more are watched no longer, those that stay are not asked for again."""
        self.watch(dns("web", TCPAddress("a.example", 80), TCPAddress("b.example", 80)))
        self.watch(dns("web", TCPAddress("b.example", 80), TCPAddress("c.example", 80)))
        self.assertEqual(self.names.asked, ["a.example", "b.example", "c.example"])
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual((self.changes, self.addresses()), (0, []))
        self.names.answer("b.example", "10.0.0.2")
        self.assertEqual((self.changes, self.addresses()), (1, ["10.0.0.2:80"]))

    def test_stop(self) -> None:
        """After the stop nobody is called, and what was known stays; names may be watched once more."""
        cluster = dns("web", TCPAddress("a.example", 80))
        self.watch(cluster)
        self.membership.stop()
        self.membership.stop()
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual((self.changes, self.membership.watches), (0, False))
        self.watch(cluster)
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual((self.changes, self.addresses()), (1, ["10.0.0.1:80"]))
