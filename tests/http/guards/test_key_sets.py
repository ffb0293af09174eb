"""Key sets that are fetched in the background."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.fetch_schedule import EARLY, KEPT, REFRESH
from edgegate.access.jwt.key_set import KeySet
from edgegate.http.guards.key_sets import KeySets, KeySource
from edgegate.model.guards.jwt import RemoteKeys
from tests.access.jwt.tokens import key_set, public, rsa, secret

REMOTE = RemoteKeys("https://idp.example/keys", False, 5.0)
DISCOVERED = RemoteKeys("https://idp.example/.well-known/openid-configuration", True, 5.0)
FIRST, SECOND = key_set(public(rsa())).encode(), key_set(public(rsa(1))).encode()


class FakeClient:
    """A client that is answered by the test."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deferred[bytes]]] = []
        self.cancelled = 0

    def fetch(self, url: str, timeout: float) -> Deferred[bytes]:
        """Wait for an answer."""

        def cancelled(_: object) -> None:
            self.cancelled += 1

        answer: Deferred[bytes] = Deferred(cancelled)
        self.asked.append((url, answer))
        return answer

    def answer(self, data: bytes) -> str:
        """Answer what is asked; return its URL."""
        ((url, answer),) = self.asked
        self.asked.clear()
        answer.callback(data)
        return url

    def fail(self) -> None:
        """Fail."""
        ((_, answer),) = self.asked
        self.asked.clear()
        answer.errback(OSError("nobody there"))


class KeySetsTests(SynchronousTestCase):
    """L{KeySets}."""

    def setUp(self) -> None:
        """Make them, with a clock and a client of the test's."""
        self.clock, self.client = Clock(), FakeClient()
        self.sets = KeySets(self.clock, client=self.client)
        self.told: list[str | None] = []

    def take(self, keys: KeySet | None) -> None:
        """Note which keys there are."""
        self.told.append(None if keys is None else ",".join(key.kid for key in keys.keys))

    def start(self, remote: RemoteKeys = REMOTE) -> KeySource:
        """Want keys."""
        return self.sets.add(remote, self.take)

    def test_at_once(self) -> None:
        """Keys are fetched at once, and again after some time; who wants them is told of others."""
        self.start()
        self.assertEqual(self.told, [None])
        self.assertEqual(self.client.answer(FIRST), REMOTE.url)
        self.assertEqual(self.told, [None, "rsa-0"])
        self.clock.advance(REFRESH)
        self.client.answer(FIRST)
        self.assertEqual(self.told, [None, "rsa-0"])
        self.clock.advance(REFRESH)
        self.client.answer(SECOND)
        self.assertEqual(self.told, [None, "rsa-0", "rsa-1"])
        self.assertEqual((self.sets.counts.fetched, self.sets.counts.not_fetched), (3, 0))

    def test_outage(self) -> None:
        """Keys stay through an outage, for a week."""
        self.start()
        self.client.answer(FIRST)
        self.clock.advance(REFRESH)
        while self.clock.seconds() < REFRESH + KEPT - 3700:
            self.client.fail()
            self.clock.advance(min(each.getTime() for each in self.clock.getDelayedCalls()) - self.clock.seconds())
        self.assertEqual(self.told, [None, "rsa-0"])
        for _ in range(3):
            self.client.fail()
            self.clock.advance(min(each.getTime() for each in self.clock.getDelayedCalls()) - self.clock.seconds())
        self.assertEqual(self.told, [None, "rsa-0", None])
        self.client.answer(FIRST)
        self.assertEqual(self.told[-1], "rsa-0")

    def test_rubbish(self) -> None:
        """What is no key set changes nothing, and is asked for again soon."""
        source = self.start()
        self.client.answer(FIRST)
        for data, why in (
            (b"<html>", "no object of JSON"),
            (b'{"keys": []}', "no key of the set can be used: it is empty"),
            (
                key_set(public(secret())).encode(),
                "no key of the set can be used: a secret in a key set that others can read",
            ),
            (b'{"keys": [' + b" " * (1 << 20) + b"]}", "more than 1 MiB"),
        ):
            self.clock.advance(REFRESH)
            self.client.answer(data)
            self.assertEqual(source.error, why)
            self.assertEqual(self.told, [None, "rsa-0"])
        self.clock.advance(1.0)
        self.client.answer(SECOND)
        self.assertEqual((source.error, self.told[-1]), ("", "rsa-1"))

    def test_unknown_key(self) -> None:
        """A token with another key has keys fetched early, but not often, and once at a time."""
        source = self.start()
        source.unknown_key()
        self.client.answer(FIRST)
        source.unknown_key()
        self.client.answer(SECOND)
        source.unknown_key()
        self.assertEqual(self.client.asked, [])
        self.clock.advance(EARLY)
        source.unknown_key()
        source.unknown_key()
        self.client.answer(FIRST)
        self.assertEqual(self.told, [None, "rsa-0", "rsa-1", "rsa-0"])

    def test_discovery(self) -> None:
        """An issuer's configuration says where its keys are, each time anew."""
        self.start(DISCOVERED)
        self.assertEqual(self.client.answer(b'{"jwks_uri": "https://keys.example/1"}'), DISCOVERED.url)
        self.assertEqual(self.client.answer(FIRST), "https://keys.example/1")
        self.clock.advance(REFRESH)
        self.client.answer(b'{"jwks_uri": "https://keys.example/2"}')
        self.assertEqual(self.client.answer(SECOND), "https://keys.example/2")
        self.clock.advance(REFRESH)
        self.client.answer(b'{"jwks_uri": "http://keys.example/2"}')
        self.assertEqual((self.client.asked, self.told[-1]), ([], "rsa-1"))

    def test_shared(self) -> None:
        """Two rules with one key set have it fetched once; it stays as long as one of them does, over a reload."""
        self.start()
        self.client.answer(FIRST)
        others: list[KeySet | None] = []
        self.sets.add(REMOTE, others.append)
        self.assertEqual(self.client.asked, [])
        self.assertEqual([each is not None for each in others], [True])
        self.sets.remove(REMOTE, self.take)
        self.clock.advance(REFRESH)
        self.client.answer(SECOND)
        self.assertEqual((len(others), self.told), (2, [None, "rsa-0"]))

    def test_stop(self) -> None:
        """What nobody wants is not fetched any more, nor waited for."""
        self.start()
        self.sets.remove(REMOTE, self.take)
        self.assertEqual((self.client.cancelled, self.clock.getDelayedCalls()), (1, []))
        self.client.asked.clear()
        self.start()
        self.client.answer(FIRST)
        self.sets.remove(REMOTE, self.take)
        self.assertEqual(self.clock.getDelayedCalls(), [])
