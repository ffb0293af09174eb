"""Tests of L{edgegate.access.api_keys}."""

from __future__ import annotations

from hashlib import sha256

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.api_keys import LONGEST_KEY, KeyRing, parse_keys, shown_keys
from edgegate.model.guards.credentials import KeyLocation, KeyPlace


def hashed(key: bytes) -> bytes:
    """Return the hash of a key as a file has it."""
    return sha256(key).hexdigest().encode()


class KeyFileTests(SynchronousTestCase):
    """Files of keys."""

    def test_keys(self) -> None:
        """A client may have several keys, so that they can be changed."""
        file = parse_keys(b"# keys\napp: %b\napp:%b\nbob@x:%b\n" % (hashed(b"1"), hashed(b"2"), hashed(b"3").upper()))
        self.assertEqual(file.mistakes, [])
        self.assertEqual(sorted(file.keys.values()), ["app", "app", "bob@x"])
        self.assertEqual(file.keys[sha256(b"3").digest()], "bob@x")

    def test_mistakes(self) -> None:
        """Each is told with its line; a key that was written in place of its hash is not repeated."""
        lines = (b"app:open-sesame", b"app", b"a b:" + hashed(b"1"), b"x:" + hashed(b"2"), b"y:" + hashed(b"2"))
        file = parse_keys(b"\n".join(lines))
        self.assertEqual([each.line for each in file.mistakes], [1, 2, 3, 5])
        self.assertNotIn("sesame", str(file.mistakes))
        self.assertEqual([each.line for each in parse_keys(b"\n").mistakes], [1])


class KeyRingTests(SynchronousTestCase):
    """Whose key it is."""

    def setUp(self) -> None:
        keys = [(sha256(key).digest(), client) for key, client in ((b"1", "app"), (b"2", "app"), (b"3", "bob"))]
        self.ring = KeyRing(keys)

    def test_client(self) -> None:
        """A key is known by all of it; its hash is none."""
        self.assertEqual(self.ring.client(b"1"), "app")
        for key in (b"", b"4", hashed(b"1"), sha256(b"1").digest(), b"1" * LONGEST_KEY, b"1" * (LONGEST_KEY + 1)):
            self.assertIsNone(self.ring.client(key))

    def test_several(self) -> None:
        """Several keys must all be one client's: nobody hides a wrong one behind a right one."""
        self.assertEqual(self.ring.client_of([b"1"]), "app")
        self.assertEqual(self.ring.client_of([b"1", b"2"]), "app")
        for shown in ([], [b"1", b"3"], [b"1", b"4"], [b"4", b"5"], [b""], [b"1"] * 5):
            self.assertIsNone(self.ring.client_of(shown), shown)

    def test_shown(self) -> None:
        """Keys are looked for where the policy says, and nowhere else."""
        places = (
            KeyPlace(KeyLocation.HEADER, b"authorization", b"ApiKey "),
            KeyPlace(KeyLocation.HEADER, b"x-api-key"),
            KeyPlace(KeyLocation.QUERY, b"key"),
            KeyPlace(KeyLocation.COOKIE, b"key"),
        )
        fields = [
            (b"authorization", b"apikey a"),
            (b"authorization", b"Bearer b"),
            (b"x-api-key", b"c"),
            (b"cookie", b"key=d"),
            (b"x-key", b"e"),
        ]
        self.assertEqual(shown_keys(places, fields, b"key=f%67&x=y"), [b"a", b"c", b"fg", b"d"])
        self.assertEqual(shown_keys(places, [], b""), [])
