"""Tests of L{edgegate.routing.snapshot}."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, WeightedCluster
from edgegate.model.tls import KeyPair
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost, prepare

ORIGIN = Origin("shop.yaml", 7, "VirtualService default/shop")


@dataclass
class Asked:
    """A request."""

    path: bytes
    method: bytes = b"GET"
    authority: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    port: int = 80


class LookedThrough(tuple[HTTPRoute, ...]):
    """
    Routes that know how often they were looked through.

    @ivar times: So often.
    """

    times = 0

    def __iter__(self) -> Iterator[HTTPRoute]:
        """Look through them."""
        self.times += 1
        return super().__iter__()


class ValueTests(SynchronousTestCase):
    """The Snapshot's values."""

    def test_texts(self) -> None:
        """Addresses and places look as users write them."""
        self.assertEqual(str(TCPAddress("10.0.0.1", 80)), "10.0.0.1:80")
        self.assertEqual(str(TCPAddress("::", 80)), "[::]:80")
        self.assertEqual(str(UNIXAddress("/run/shop.sock")), "unix:///run/shop.sock")
        self.assertEqual(str(ORIGIN), "shop.yaml:7")

    def test_no_key_shown(self) -> None:
        """No representation shows a private key."""
        self.assertNotIn("SECRET", repr(KeyPair("shop", b"SECRET", b"SECRET")))

    def test_frozen(self) -> None:
        """Nothing is changed in place."""
        with self.assertRaises(FrozenInstanceError):
            Snapshot().listeners = ()  # type: ignore[misc]

    def test_equal(self) -> None:
        """Two Snapshots of the same files are equal."""

        def made() -> Snapshot:
            route = HTTPRoute("shop", ORIGIN, (WeightedCluster("outbound|80||shop", 1),))
            table = HostTable([("shop.example", VirtualHost("shop.example", (route,)))])
            chain = FilterChain("http.80", ORIGIN, ("shop.example",), http=table)
            return Snapshot((Listener("[::]:80", TCPAddress("::", 80), 80, ORIGIN, chain),))

        self.assertEqual(made(), made())


class VirtualHostTests(SynchronousTestCase):
    """Routes of one host."""

    def test_select(self) -> None:
        """A virtual host finds the first of its routes that a request satisfies."""
        narrow = HTTPRoute("narrow", ORIGIN, (), (HTTPMatch(uri=StringMatch(Kind.PREFIX, "/a")),))
        wide = HTTPRoute("wide", ORIGIN, ())
        host = VirtualHost("shop.example", (narrow, wide))
        self.assertIs(host.selector.select(Asked(b"/ab")), narrow)
        self.assertIs(host.selector.select(Asked(b"/b")), wide)
        self.assertIsNone(VirtualHost("shop.example").selector.select(Asked(b"/")))

    def test_table_is_kept(self) -> None:
        """The table of its routes is made once, when a request first needs it."""
        routes = LookedThrough((HTTPRoute("wide", ORIGIN, ()),))
        host = VirtualHost("shop.example", routes)
        self.assertEqual(routes.times, 0)
        for _ in range(3):
            host.selector.select(Asked(b"/"))
        self.assertEqual(routes.times, 1)

    def test_large_table(self) -> None:
        """One that takes milliseconds to make keeps no request waiting."""
        routes = LookedThrough(HTTPRoute(str(number), ORIGIN, ()) for number in range(101))
        table = HostTable([("shop.example", VirtualHost("shop.example", routes))])
        chain = FilterChain("https.443", ORIGIN, ("shop.example", "*"), http=table)
        secure = HostTable([("shop.example", chain), ("*", chain)])
        prepare(Snapshot((Listener("[::]:443", TCPAddress("::", 443), 443, ORIGIN, None, secure),)))
        self.assertEqual(routes.times, 1)

    def test_many_routes(self) -> None:
        """Of many routes, too, the first one that a request satisfies is found."""
        paths = [HTTPMatch(uri=StringMatch(Kind.EXACT, f"/{number}")) for number in range(300)]
        host = VirtualHost("shop.example", tuple(HTTPRoute(path.uri.value, ORIGIN, (), (path,)) for path in paths))
        found = host.selector.select(Asked(b"/299"))
        self.assertEqual(found.name, "/299")
