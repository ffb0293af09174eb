"""Tests for L{edgegate.http.forwarded}."""

from __future__ import annotations

from itertools import combinations
from operator import eq
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.forwarded import Client, request_id
from edgegate.http.request import HostMemory, RequestHead, h1_head
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.origin import Origin
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.snapshot import FilterChain, Listener

ORIGIN = Origin("a.yaml", 1, "Gateway default/a")
LISTENER = Listener("l", TCPAddress("::", 80), 80, ORIGIN)


def downstream(**kwargs: object) -> ConnectionInfo:
    """Make a client's connection."""
    given: dict[str, object] = {"peer": TCPAddress("192.0.2.7", 5000), "local": TCPAddress("127.0.0.1", 80)}
    given.update(kwargs)
    return ConnectionInfo(LISTENER, FilterChain("c", ORIGIN), **given)  # type: ignore[arg-type]


def head(*fields: Field) -> RequestHead:
    """Make a request's head."""
    return h1_head(b"GET", b"/", "1.1", True, [(b"host", b"a"), *fields], HostMemory())


def lines(client: Client, *fields: Field) -> dict[bytes, bytes]:
    """Return what a backend is told, by name."""
    asked = head(*fields)
    identity, number = client.identity(asked, b"")
    pairs = [*identity.fields, (b"x-request-id", number)]
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


class ClientTests(SynchronousTestCase):
    """What a backend is told about the client."""

    def test_plain_client(self) -> None:
        """The address of the connection, its scheme, and a new request id."""
        told = lines(Client(downstream(), 0))
        UUID(told.pop(b"x-request-id").decode())
        self.assertEqual(
            told,
            {
                b"x-forwarded-for": b"192.0.2.7",
                b"x-forwarded-proto": b"http",
                b"x-envoy-external-address": b"192.0.2.7",
            },
        )

    def test_known_id(self) -> None:
        """A request that has an id keeps it, whatever a trusted proxy says."""
        for hops in (0, 1):
            self.assertEqual(Client(downstream(), hops).identity(head((b"x-request-id", b"other")), b"7")[1], b"7")

    def test_client_is_not_believed(self) -> None:
        """Without trusted hops a client's own word is passed on in x-forwarded-for, and counts for nothing."""
        told = lines(
            Client(downstream(tls=True), 0),
            (b"X-Forwarded-For", b"10.0.0.1, 10.0.0.2"),
            (b"X-Forwarded-For", b"10.0.0.3"),
            (b"X-Forwarded-Proto", b"ftp"),
            (b"X-Request-Id", b"mine"),
        )
        self.assertEqual(told[b"x-forwarded-for"], b"10.0.0.1, 10.0.0.2,10.0.0.3,192.0.2.7")
        self.assertEqual(told[b"x-forwarded-proto"], b"https")
        self.assertEqual(told[b"x-envoy-external-address"], b"192.0.2.7")
        self.assertNotEqual(told[b"x-request-id"], b"mine")

    def test_trusted_hops(self) -> None:
        """With N trusted hops the Nth address from the right is the client, and its proxy's word is kept."""
        told = lines(
            Client(downstream(), 2),
            (b"x-forwarded-for", b"6.6.6.6, 203.0.113.9, 10.0.0.2"),
            (b"x-forwarded-proto", b"https"),
            (b"x-request-id", b"kept"),
        )
        self.assertEqual(told[b"x-forwarded-for"], b"6.6.6.6, 203.0.113.9, 10.0.0.2,192.0.2.7")
        self.assertEqual(told[b"x-envoy-external-address"], b"203.0.113.9")
        self.assertEqual(told[b"x-forwarded-proto"], b"https")
        self.assertEqual(told[b"x-request-id"], b"kept")

    def test_no_address(self) -> None:
        """What is no address is never the client, and an empty element is one like any other (Envoy)."""
        client = Client(downstream(), 1)
        for values, found in (
            ([b"203.0.113.9"], b"203.0.113.9"),
            ([b" 203.0.113.9\t"], b"203.0.113.9"),
            ([b"2001:DB8:0::1"], b"2001:db8::1"),
            ([b"::ffff:1.2.3.4"], b"::ffff:1.2.3.4"),
            ([b"garbage, 203.0.113.9"], b"203.0.113.9"),
            ([b"6.6.6.6", b"203.0.113.9"], b"203.0.113.9"),
            ([b"garbage"], b"192.0.2.7"),
            ([b"unknown"], b"192.0.2.7"),
            ([b"1.2.3.4:567"], b"192.0.2.7"),
            ([b"01.2.3.4"], b"192.0.2.7"),
            ([b"1.2.3"], b"192.0.2.7"),
            ([b"16909060"], b"192.0.2.7"),
            ([b"[2001:db8::1]"], b"192.0.2.7"),
            ([b"[2001:db8::1]:80"], b"192.0.2.7"),
            ([b"fe80::1%eth0"], b"192.0.2.7"),
            ([b"\xd9\xa1.2.3.4"], b"192.0.2.7"),
            ([b"1.2.3.4 5.6.7.8"], b"192.0.2.7"),
            ([b"6.6.6.6,"], b"192.0.2.7"),
            ([b"6.6.6.6", b""], b"192.0.2.7"),
            ([b""], b"192.0.2.7"),
            ([b"1" * 5000], b"192.0.2.7"),
        ):
            asked = head(*((b"x-forwarded-for", value) for value in values))
            self.assertEqual(client.external(asked), found, values)
            self.assertEqual(client.external(asked, b""), b"" if found == b"192.0.2.7" else found, values)
            told = lines(client, *((b"x-forwarded-for", value) for value in values))
            self.assertEqual(told[b"x-envoy-external-address"], found, values)
            self.assertTrue(told[b"x-forwarded-for"].endswith(b"192.0.2.7"), values)

    def test_fewer_hops_than_trusted(self) -> None:
        """Where fewer proxies have written than are trusted, the connection's address is the client."""
        told = lines(Client(downstream(), 2), (b"x-forwarded-for", b"203.0.113.9"))
        self.assertEqual(told[b"x-envoy-external-address"], b"192.0.2.7")
        self.assertEqual(Client(downstream(), 2).external(head((b"x-forwarded-for", b"203.0.113.9")), b""), b"")

    def test_trusted_proxys_odd_scheme(self) -> None:
        """Even a trusted proxy's scheme is one of two."""
        told = lines(Client(downstream(), 1), (b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-proto", b"gopher"))
        self.assertEqual(told[b"x-forwarded-proto"], b"http")

    def test_trusted_proxys_scheme(self) -> None:
        """A trusted proxy's scheme may be spelled in any case."""
        told = lines(Client(downstream(), 1), (b"x-forwarded-proto", b"HTTPS"))
        self.assertEqual(told[b"x-forwarded-proto"], b"https")

    def test_client_certificate(self) -> None:
        """A verified certificate is described; a client's own description never passes."""
        told = lines(Client(downstream(client_certificate=b"Hash=ab"), 0), (b"X-Forwarded-Client-Cert", b"Hash=forged"))
        self.assertEqual(told[b"x-forwarded-client-cert"], b"Hash=ab")
        self.assertNotIn(b"x-forwarded-client-cert", lines(Client(downstream(), 3), (b"x-forwarded-client-cert", b"f")))

    def test_unix_client(self) -> None:
        """A client on a UNIX socket has no address."""
        told = lines(Client(downstream(peer=UNIXAddress("")), 0))
        self.assertEqual(told[b"x-forwarded-for"], b"unknown")

    def test_what_routes_look_at(self) -> None:
        """How a body is framed is told, though it is framed anew towards the backend."""
        client = Client(downstream(), 0)
        for length, sized, field in ((0, True, b"0"), (7, True, b"7"), (UNKNOWN_LENGTH, False, b"chunked")):
            asked = head()
            asked.length, asked.sized = length, sized
            name = b"transfer-encoding" if length == UNKNOWN_LENGTH else b"content-length"
            self.assertIn((name, field), client.seen(asked))

    def test_what_routes_look_at_of_the_gateways_own(self) -> None:
        """They see what the backend is told of the client, never the client's own word (Envoy)."""
        names = (b"x-forwarded-client-cert", b"x-envoy-external-address", b"x-request-id")
        asked = head(*((name, b"forged") for name in names), (b"x-forwarded-for", b"203.0.113.9"))
        known = downstream(client_certificate=b"Hash=ab")
        for client, told in (
            (Client(known, 0), (b"Hash=ab", b"192.0.2.7", None)),
            (Client(known, 1), (b"Hash=ab", b"203.0.113.9", b"forged")),
            (Client(downstream(), 0), (None, b"192.0.2.7", None)),
        ):
            seen = dict(client.seen(asked))
            self.assertEqual(tuple(seen.get(name) for name in names), told)

    def test_head_of_many(self) -> None:
        """Clients whose heads are one and the same are told apart."""
        asked = head((b"x-a", b"1"))
        clients = [
            Client(downstream(peer=TCPAddress(host, 9), tls=host > "192.0.2.1"), 0)
            for host in ("192.0.2.1", "192.0.2.2")
        ]
        for _ in range(2):
            told = [dict(client.seen(asked)) for client in clients]
            self.assertEqual([each[b"x-forwarded-for"] for each in told], [b"192.0.2.1", b"192.0.2.2"])
            self.assertEqual([each[b"x-forwarded-proto"] for each in told], [b"http", b"https"])


class RequestIdTests(SynchronousTestCase):
    """Request ids are UUIDs."""

    def test_version_and_variant(self) -> None:
        """They are random ones of RFC 9562."""
        seen = {request_id() for _ in range(2000)}
        self.assertEqual(len(seen), 2000)
        for value in seen:
            uuid = UUID(value.decode())
            self.assertEqual((uuid.version, uuid.variant), (4, "specified in RFC 4122"))
            self.assertEqual(str(uuid).encode(), value)
        self.assertEqual({value[19:20] for value in seen}, {b"8", b"9", b"a", b"b"})

    def test_every_digit(self) -> None:
        """Every digit is drawn by itself: no two agree more often than by chance, nor do those of two ids."""
        seen = [request_id().replace(b"-", b"") for _ in range(2000)]
        free = [place for place in range(32) if place not in (12, 16)]
        columns = {place: [value[place] for value in seen] for place in free}
        for place, other in combinations(free, 2):
            same = sum(map(eq, columns[place], columns[other]))
            self.assertLess(same, 250, (place, other))
        for place in free:
            self.assertEqual(len(set(columns[place])), 16, place)
            self.assertLess(sum(map(eq, columns[place], columns[place][1:])), 250, place)
