"""Tests of L{edgegate.upstream.dynamic_hosts}."""

from __future__ import annotations

from edgegate.errors import NO_HEALTHY_UPSTREAM, OVERFLOW
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Discovery, Keepalive, PoolLimits
from edgegate.upstream import dynamic_hosts
from edgegate.upstream.dynamic_hosts import LOOK, MAX_HOSTS, UNUSED, DynamicHosts
from edgegate.upstream.pending_resolution import RESOLVE_TIMEOUT
from edgegate.upstream.registry import ClusterState
from tests.upstream.backends import Backend, static
from tests.upstream.test_registry import RegistryCase

NAME = "outbound|443||*.wiki.test"


def dynamic(pattern: str = "*.wiki.test", **changes: object) -> Backend:
    """Return a cluster of all names of a pattern."""
    return static(NAME, TCPAddress(pattern, 443)).having(discovery=Discovery.DYNAMIC, **changes)


class DynamicHostsTests(RegistryCase):
    """The names that clients ask for."""

    def hosts(self) -> DynamicHosts:
        """Return those of the cluster."""
        hosts = self.state(NAME).hosts
        assert hosts is not None
        return hosts

    def host(self, name: str) -> ClusterState:
        """Ask for a name that can be served."""
        state = self.hosts().of(name)
        assert isinstance(state, ClusterState)
        return state

    def test_resolved_when_asked_for(self) -> None:
        """Nothing is looked up before a client asks; then the name is, once, and has the cluster's port."""
        self.update(dynamic())
        self.assertEqual((self.names.asked, self.state(NAME).endpoints), ([], []))
        state = self.host("en.wiki.test")
        self.assertIs(self.host("en.wiki.test"), state)
        self.assertEqual(self.names.asked, ["en.wiki.test"])
        state.when_resolved(lambda: self.called.append("en"))
        self.names.answer("en.wiki.test", "10.0.0.1", "10.0.0.2")
        self.assertEqual(self.called, ["en"])
        self.assertEqual(str(state.next()), str(state.endpoints[0]))
        self.assertEqual([str(each.address) for each in state.endpoints], ["10.0.0.1:443"])
        self.assertEqual([str(each.address) for each in self.hosts().endpoints()], ["10.0.0.1:443"])
        self.assertEqual(state.name, NAME)

    def test_each_name_apart(self) -> None:
        """Two names have nothing in common."""
        self.update(dynamic())
        one, other = self.host("en.wiki.test"), self.host("de.wiki.test")
        self.names.answer("en.wiki.test", "10.0.0.1")
        self.names.answer("de.wiki.test")
        self.assertIsNotNone(one.next())
        self.assertIsNone(other.next())
        self.assertEqual(len(self.hosts()), 2)

    def test_outside(self) -> None:
        """What is not within the wildcard is never looked up, nor what can be no name."""
        self.update(dynamic())
        for name in ("wiki.test", "metadata.internal", "127.0.0.1", "[::1]", "", "*.wiki.test", "a..wiki.test"):
            self.assertIs(self.hosts().of(name), NO_HEALTHY_UPSTREAM, name)
        self.assertEqual((self.names.asked, len(self.hosts())), ([], 0))

    def test_deadline(self) -> None:
        """A name server that never answers is waited for as long as for other names."""
        self.update(dynamic())
        state = self.host("en.wiki.test")
        state.when_resolved(lambda: self.called.append("en"))
        self.advance(RESOLVE_TIMEOUT + 1)
        self.assertEqual((self.called, state.next()), (["en"], None))

    def test_unused(self) -> None:
        """A name that nobody asks for is forgotten after a while, and not looked up any more; one in use is not."""
        self.update(dynamic())
        state = self.host("en.wiki.test")
        self.names.answer("en.wiki.test", "10.0.0.1")
        busy = self.host("de.wiki.test")
        self.names.answer("de.wiki.test", "10.0.0.2")
        busy.endpoints[0].active = 1
        self.advance(UNUSED + 2 * LOOK)
        self.assertIsNot(self.host("en.wiki.test"), state)
        self.assertIs(self.host("de.wiki.test"), busy)

    def test_used(self) -> None:
        """One that is asked for again and again stays."""
        self.update(dynamic())
        state = self.host("en.wiki.test")
        self.names.answer("en.wiki.test", "10.0.0.1")
        for _ in range(5):
            self.advance(UNUSED / 2)
            self.assertIs(self.host("en.wiki.test"), state)

    def test_bounded(self) -> None:
        """The name that was unused for longest makes room for a new one, unless all are in use."""
        self.update(dynamic())
        states = [self.host(f"n{number}.wiki.test") for number in range(MAX_HOSTS)]
        self.host("n0.wiki.test")
        self.host("more.wiki.test")
        self.assertEqual(len(self.hosts()), MAX_HOSTS)
        self.assertIs(self.host("n0.wiki.test"), states[0])
        self.assertIsNot(self.host("n1.wiki.test"), states[1])
        for host in list(self.hosts()._hosts):
            self.host(host).when_resolved(lambda: None)
        self.assertIs(self.hosts().of("yet-more.wiki.test"), OVERFLOW)

    def test_limits(self) -> None:
        """The limits of the cluster are those of all its names together."""
        self.update(dynamic(limits=PoolLimits(connections=1)))
        one, other = self.host("en.wiki.test"), self.host("de.wiki.test")
        whole = self.state(NAME).circuit_breaker
        assert whole is not None
        self.assertIs(one.circuit_breaker, whole)
        self.names.answer("de.wiki.test", "10.0.0.1")
        self.assertIs(other.endpoints[0].circuit_breaker, whole)

    def test_reload(self) -> None:
        """A reload that leaves the cluster as it is leaves its names alone; one that changes it begins anew."""
        self.update(dynamic())
        state = self.host("en.wiki.test")
        self.update(dynamic())
        self.assertIs(self.host("en.wiki.test"), state)
        self.update(dynamic(connect_timeout=1.0))
        again = self.host("en.wiki.test")
        self.assertIsNot(again, state)
        self.assertEqual(again.cluster.connect_timeout, 1.0)

    def test_reload_to_another_kind(self) -> None:
        """A cluster may come to be of names, and cease to be."""
        self.update(static(NAME, TCPAddress("10.0.0.1", 443)))
        self.assertIsNone(self.state(NAME).hosts)
        self.update(dynamic())
        self.assertEqual(self.state(NAME).endpoints, [])
        self.host("en.wiki.test")
        self.update(static(NAME, TCPAddress("10.0.0.1", 443)))
        self.assertIsNone(self.state(NAME).hosts)
        self.assertEqual(self.addresses(NAME), ["10.0.0.1:443"])

    def test_gone(self) -> None:
        """With the cluster its names go; who waits for one is called back."""
        self.update(dynamic())
        self.host("en.wiki.test").when_resolved(lambda: self.called.append("en"))
        self.update()
        self.names.answer("en.wiki.test", "10.0.0.1")
        self.assertEqual(self.called, ["en"])
        self.assertEqual(self.registry.environment.resolver._names, {})

    def test_stop(self) -> None:
        """At the end nobody is left waiting."""
        self.update(dynamic())
        self.host("en.wiki.test").when_resolved(lambda: self.called.append("en"))
        self.registry.stop()
        self.assertEqual(self.called, ["en"])

    def test_asked_by_name(self) -> None:
        """Connections begin as the cluster's do, for the name: it is asked for by SNI."""
        self.update(dynamic(limits=PoolLimits(keepalive=Keepalive(1))))
        transport_socket = self.host("en.wiki.test").transport_socket
        assert transport_socket is not None
        self.assertEqual(transport_socket.cluster, "outbound|443||en.wiki.test")

    def test_partial(self) -> None:
        """A wildcard may stand for a part of a label."""
        self.update(dynamic("*-v1.wiki.test"))
        self.host("en-v1.wiki.test")
        self.assertIs(self.hosts().of("en-v2.wiki.test"), NO_HEALTHY_UPSTREAM)

    def test_repr(self) -> None:
        """It shows what it is, and how many names it knows."""
        self.update(dynamic())
        self.assertEqual(repr(self.hosts()), f"<DynamicHosts {NAME}: 0>")
        self.assertGreater(dynamic_hosts.UNUSED, dynamic_hosts.LOOK)
