from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.origin import Origin
from edgegate.model.routes import TCPRoute, WeightedCluster
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tcp.routes import holds, networks, route_of

ORIGIN = Origin("echo.yaml", 1, "VirtualService default/echo")


def route(name: str, sni: tuple[str, ...] = (), subnets: tuple[str, ...] = ()) -> TCPRoute:
    """Return a route to one cluster."""
    return TCPRoute(ORIGIN, (WeightedCluster(name, 100),), sni, subnets)


LOCAL = TCPAddress("127.0.0.1", 31400)


def downstream(*routes: TCPRoute, server_name: str = "", local: Address = LOCAL) -> ConnectionInfo:
    """Return a client's connection on a filter chain of these routes."""
    chain = FilterChain("echo", ORIGIN, tcp=routes)
    listener = Listener("0.0.0.0_31400", TCPAddress("0.0.0.0", 31400), 31400, ORIGIN, plain=chain)
    return ConnectionInfo(listener, chain, TCPAddress("127.0.0.1", 50000), local, server_name)


class RouteOfTests(SynchronousTestCase):
    def test_first(self) -> None:
        """The first route that takes a connection is chosen."""
        self.assertEqual(route_of(downstream(route("one"), route("two"))), route("one"))

    def test_none(self) -> None:
        """A chain without routes takes nobody."""
        self.assertIsNone(route_of(downstream()))

    def test_not_tcp(self) -> None:
        """A chain that is not for TCP takes nobody either."""
        chain = FilterChain("web", ORIGIN)
        listener = Listener("l", TCPAddress("0.0.0.0", 80), 80, ORIGIN, plain=chain)
        local = TCPAddress("127.0.0.1", 80)
        self.assertIsNone(route_of(ConnectionInfo(listener, chain, local, local)))

    def test_sni(self) -> None:
        """A route with SNI names takes exactly those; one without takes any name, or none."""
        routes = (route("exact", ("a.example",)), route("wild", ("*.b.example", "b.example")), route("rest"))
        for name, expected in (
            ("a.example", "exact"),
            ("x.y.b.example", "wild"),
            ("b.example", "wild"),
            ("x.a.example", "rest"),
            ("", "rest"),
        ):
            chosen = route_of(downstream(*routes, server_name=name))
            assert chosen is not None
            self.assertEqual(chosen.destinations[0].cluster, expected, name)

    def test_source(self) -> None:
        """A route of clients by their address takes no others."""
        near = TCPRoute(ORIGIN, (WeightedCluster("near", 100),), source_subnets=("127.0.0.0/8",))
        far = TCPRoute(ORIGIN, (WeightedCluster("far", 100),), source_subnets=("10.0.0.0/8", "::1"))
        self.assertEqual(route_of(downstream(far, near)), near)
        self.assertIsNone(route_of(downstream(far)))

    def test_unknown_sni(self) -> None:
        """A name that no route knows has none."""
        self.assertIsNone(route_of(downstream(route("a", ("a.example",)), server_name="b.example")))
        self.assertIsNone(route_of(downstream(route("a", ("*.example",)))))

    def test_subnets(self) -> None:
        """A route with destination subnets takes connections to addresses in one of them."""
        routes = (route("ten", subnets=("10.0.0.0/8", "fd00::/8")), route("one", subnets=("127.0.0.1",)))
        for host, expected in (("10.2.3.4", "ten"), ("fd00::9", "ten"), ("127.0.0.1", "one")):
            chosen = route_of(downstream(*routes, local=TCPAddress(host, 80)))
            assert chosen is not None
            self.assertEqual(chosen.destinations[0].cluster, expected, host)
        self.assertIsNone(route_of(downstream(*routes, local=TCPAddress("11.0.0.1", 80))))

    def test_both(self) -> None:
        """Name and subnet must both hold."""
        both = route("both", ("a.example",), ("10.0.0.0/8",))
        inside, outside = TCPAddress("10.0.0.1", 80), TCPAddress("11.0.0.1", 80)
        self.assertIs(route_of(downstream(both, server_name="a.example", local=inside)), both)
        self.assertIsNone(route_of(downstream(both, server_name="a.example", local=outside)))
        self.assertIsNone(route_of(downstream(both, server_name="b.example", local=inside)))


class SubnetTests(SynchronousTestCase):
    def test_mapped(self) -> None:
        """An IPv4 address as a dual-stack socket shows it is in IPv4 subnets."""
        self.assertTrue(holds(("10.0.0.0/8",), TCPAddress("::ffff:10.0.0.1", 80)))
        self.assertFalse(holds(("::/0",), TCPAddress("::ffff:10.0.0.1", 80)))

    def test_families(self) -> None:
        """Everything of one family is nothing of the other."""
        self.assertFalse(holds(("0.0.0.0/0",), TCPAddress("2001:db8::1", 80)))
        self.assertFalse(holds(("::/0",), TCPAddress("10.0.0.1", 80)))

    def test_scoped(self) -> None:
        """A link-local address with its interface is in its subnet."""
        self.assertTrue(holds(("fe80::/10",), TCPAddress("fe80::1%eth0", 80)))

    def test_unix(self) -> None:
        """A UNIX path is in no subnet."""
        self.assertFalse(holds(("0.0.0.0/0", "::/0"), UNIXAddress("/run/echo")))

    def test_host_bits(self) -> None:
        """A subnet may be written with an address of it, as Istio accepts it."""
        self.assertTrue(holds(("10.1.2.3/8",), TCPAddress("10.200.0.1", 80)))

    def test_zone(self) -> None:
        """An address with a zone is a subnet of itself, in whatever zone."""
        self.assertTrue(holds(("fe80::1%eth0",), TCPAddress("fe80::1%eth0", 80)))

    def test_once(self) -> None:
        """Networks are worked out once per route."""
        subnets = ("10.0.0.0/8",)
        self.assertIs(networks(subnets), networks(("10.0.0.0/8",)))
