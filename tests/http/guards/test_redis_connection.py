"""Tests of L{edgegate.http.guards.redis_connection}; real ones are in tests.acceptance.test_policies_redis."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.demo.authority import Authority
from edgegate.http.guards.redis_connection import terms_of
from edgegate.model.guards.rate_limit import RedisServer, RedisTLS


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
        self.assertEqual((terms.password, terms.tls), (None, None))

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
        self.assertIsNotNone(terms_of(RedisServer("redis", 1, tls=RedisTLS("redis", trusted, certificate, key))).tls)
        self.assertIsNotNone(terms_of(RedisServer("redis", 1, tls=RedisTLS("192.0.2.1"))).tls)

    def test_wrong_files(self) -> None:
        """A file that is not there, or has no certificate, is an error that names it."""
        missing = str(self.folder / "none")
        self.assertRaises(OSError, terms_of, RedisServer("redis", 1, password=missing))
        empty = self.file("empty", b"nothing")
        error = self.assertRaises(ValueError, terms_of, RedisServer("redis", 1, tls=RedisTLS("redis", empty)))
        self.assertIn(f"{empty} has no certificate", str(error))
