"""Tests of L{edgegate.http.guards.redis_connection}; real ones are in tests.acceptance.test_policies_redis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, Fault
from edgegate.http.guards.redis_connection import RedisRefused, Terms, _Attempt, terms_of
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.redis import RedisServer, RedisTLS
from edgegate.tls.authority import Authority
from edgegate.tls.secrets import BadKeyMaterial


class TermsTests(SynchronousTestCase):
    """What is read for a connection."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def file(self, name: str, content: bytes) -> str:
        """Write a file, and return its name."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def test_plain(self) -> None:
        """Without a password and without TLS nothing is."""
        terms = terms_of(RedisServer("redis", 6379))
        self.assertEqual((terms.password, terms.options), (None, None))

    def test_password(self) -> None:
        """A password is all of a file but the end of its line; it is read anew each time."""
        server = RedisServer("redis", 6379, password=self.file("pw", b" s\xff \r\n"))
        self.assertEqual(terms_of(server).password, b" s\xff ")
        self.file("pw", b"other")
        self.assertEqual(terms_of(server).password, b"other")

    def test_tls(self) -> None:
        """Certificates that are trusted, several in one file, and one of our own."""
        authorities = [Authority.new(name) for name in ("one", "other")]
        trusted = self.file("ca", b"# ours\n" + b"".join(each.own.chain_pem for each in authorities))
        own = authorities[0].client("gateway")
        certificate, key = self.file("crt", own.chain_pem), self.file("key", own.key_pem)
        options = terms_of(RedisServer("redis", 1, tls=RedisTLS("redis", trusted, certificate, key))).options
        assert options is not None
        self.assertIsNotNone(options.tls)
        self.assertIsNotNone(terms_of(RedisServer("redis", 1, tls=RedisTLS("192.0.2.1"))).options)

    def test_wrong_files(self) -> None:
        """A file that is not there, or has no certificate, is an error."""
        missing = str(self.folder / "none")
        self.assertRaises(OSError, terms_of, RedisServer("redis", 1, password=missing))
        empty = self.file("empty", b"nothing")
        self.assertRaises(BadKeyMaterial, terms_of, RedisServer("redis", 1, tls=RedisTLS("redis", empty)))


class Connections:
    """
    Has connections be made when the test says so.

    @ivar asked: The addresses, and who is told that one takes none.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Address, Callable[[Fault], None]]] = []
        self.cancelled = 0

    def connect(self, address: Address, timeout: float, connected: Any, failed: Any, options: Any) -> Connections:
        """See C{Connector.connect}."""
        self.asked.append((address, failed))
        return self

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self.cancelled += 1


class Names:
    """A reactor that finds names when the test says so."""

    def __init__(self) -> None:
        self.nameResolver = self
        self.receiver: Any = None
        self.cancelled = 0

    def resolveHostName(self, receiver: Any, name: str, port: int) -> None:
        """See L{IHostnameResolver}."""
        self.receiver = receiver
        receiver.resolutionBegan(self)

    def cancel(self) -> None:
        """Nobody wants to know."""
        self.cancelled += 1


class AttemptTests(SynchronousTestCase):
    """Which address a connection is made to."""

    def setUp(self) -> None:
        self.connections, self.names = Connections(), Names()

    def attempt(self, host: str, port: int = 6379) -> _Attempt:
        """Begin to connect."""
        return _Attempt(self.names, cast(Any, self.connections), RedisServer(host, port), Terms(None))

    def test_addresses(self) -> None:
        """A name has several addresses, of which one is tried after the other."""
        attempt = self.attempt("redis.example")
        self.names.receiver.addressResolved(IPv6Address("TCP", "::1", 6379))
        self.names.receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", 6379))
        self.assertEqual(self.connections.asked, [])
        self.names.receiver.resolutionComplete()
        self.connections.asked[0][1](CONNECT_REFUSED)
        tried = [address for address, _ in self.connections.asked]
        self.assertEqual(tried, [TCPAddress("::1", 6379), TCPAddress("127.0.0.1", 6379)])
        self.assertNoResult(attempt.ready)
        self.connections.asked[1][1](CONNECT_REFUSED)
        self.assertIn(CONNECT_REFUSED.reason, str(self.failureResultOf(attempt.ready, RedisRefused).value))

    def test_no_address(self) -> None:
        """A name that nobody knows is told."""
        attempt = self.attempt("redis.example")
        self.names.receiver.resolutionComplete()
        self.assertIn("redis.example has no address", str(self.failureResultOf(attempt.ready).value))

    def test_at_once(self) -> None:
        """An address and a socket are what they are."""
        self.attempt("192.0.2.1")
        self.attempt("/run/redis.sock", 0)
        tried = [address for address, _ in self.connections.asked]
        self.assertEqual(tried, [TCPAddress("192.0.2.1", 6379), UNIXAddress("/run/redis.sock")])

    def test_cancelled(self) -> None:
        """Whatever it waits for, it may be given up."""
        waiting = self.attempt("redis.example")
        waiting.ready.cancel()
        self.failureResultOf(waiting.ready)
        self.assertEqual(self.names.cancelled, 1)
        connecting = self.attempt("192.0.2.1")
        connecting.ready.cancel()
        self.failureResultOf(connecting.ready)
        self.assertEqual(self.connections.cancelled, 1)
