"""Tests of L{edgegate.tls.acme.redis_storage}; a real Redis is asked by L{tests.acceptance.test_certificates_redis}."""

from __future__ import annotations

from threading import Event
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.locks import LockLost
from edgegate.tls.acme.redis_client import RedisFailed
from edgegate.tls.acme.redis_storage import BIGGEST, RENEW, RedisStorage
from edgegate.tls.acme.sealing import SEALING, Unopened
from tests.tls.acme.fake_redis import KEY, OTHER_KEY, FakeRedis, place
from tests.tls.acme.test_storage import StorageContract


class Watched(FakeRedis):
    """One of which a test waits for what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed = Event()

    def ask(self, *words: Any) -> Any:
        """Answer."""
        answer = super().ask(*words)
        if words[:2] == ("EVAL", RENEW):
            self.renewed.set()
        return answer


class RedisStorageTests(StorageContract, SynchronousTestCase):
    """Entries in a Redis."""

    def setUp(self) -> None:
        self.redis = Watched()
        self.storage = RedisStorage(place(), self.redis)
        self.other = RedisStorage(place(), self.redis)

    def test_sealed(self) -> None:
        """Nothing that was written can be read there, and it is never the same."""
        seen = set()
        for _ in range(3):
            self.storage.write("a", b"PRIVATE KEY")
            seen.add(self.redis.values["p:a"])
        with self.storage.shown("challenges/x", b"PRIVATE KEY"):
            self.assertNotIn(b"PRIVATE", b"".join(self.redis.values.values()))
        self.assertEqual(len(seen), 3)

    def test_tampered(self) -> None:
        """What was changed, cut, put under another name or under another prefix does not open, and stays as it is."""
        for name in ("a", "b"):
            self.storage.write(name, b"content")
        whole, other = self.redis.values["p:a"], self.redis.values["p:b"]
        elsewhere = RedisStorage(place(prefix="q"), self.redis)
        elsewhere.write("a", b"content")
        flipped = [whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :] for index in range(len(whole))]
        cut = [whole[:index] for index in range(1, len(whole))]
        for value in (*flipped, *cut, other, self.redis.values["q:a"], whole + b"x", b"-----BEGIN PRIVATE KEY-----"):
            self.redis.values["p:a"] = value
            self.assertRaises(Unopened, self.storage.read, "a")
            self.assertEqual(self.redis.values["p:a"], value)
        self.redis.values["p:a"] = b"edgegate2." + whole[10:]
        self.assertIn("of this version", str(self.assertRaises(Unopened, self.storage.read, "a")))
        self.redis.values["p:a"] = whole
        self.assertEqual(self.storage.read("a"), b"content")

    def test_wrong_key(self) -> None:
        """A gateway with another key is told so, whatever it asks for, and changes nothing."""
        self.storage.write("a", b"content")
        before = dict(self.redis.values)
        wrong = RedisStorage(place(OTHER_KEY), self.redis)
        for ask in (
            lambda: wrong.read("a"),
            lambda: wrong.read("other"),
            lambda: wrong.write("a", b"x"),
            lambda: wrong.write("other", b"x"),
            lambda: wrong.stamps(["a"]),
            lambda: wrong.lock("l", wait=False).__enter__(),
            lambda: wrong.shown("challenges/x", b"x").__enter__(),
        ):
            self.assertIn("encryptionKey is not the one", str(self.assertRaises(Unopened, ask)))
        self.assertEqual(self.redis.values, before)

    def test_key_seen_again(self) -> None:
        """After Redis was away it may be another one: it is seen again whether the key is that of the others."""
        self.storage.write("a", b"content")
        self.redis.fails = "away"
        self.assertRaises(RedisFailed, self.storage.read, "a")
        self.redis.fails = ""
        self.redis.values.clear()
        RedisStorage(place(OTHER_KEY), self.redis).write("a", b"content")
        self.assertRaises(Unopened, self.storage.write, "b", b"x")

    def test_rotation(self) -> None:
        """Who has a new key first seals all by it that an old one has sealed; then the old one may go."""
        for name in "abc":
            self.storage.write(name, name.encode())
        other = RedisStorage(place(prefix="pp"), self.redis)
        other.write("a", b"another's")
        self.redis.values["p:broken"] = self.redis.values["p:a"]
        stamps = self.storage.stamps(["a"])
        both = place(OTHER_KEY, KEY)
        self.redis.readonly = True
        with capturedLogs() as events:
            self.assertEqual(RedisStorage(both, self.redis).read("a"), b"a")
        self.assertIn("READONLY", str(formatEvent(events[0])))
        self.redis.readonly = False
        with self.other.lock("l", wait=False) as lock, capturedLogs() as events:
            self.assertEqual(RedisStorage(both, self.redis).read("a"), b"a")
            self.other.write("a", b"a", lock)
        self.assertIn("all entries are encrypted by the first", str(formatEvent(events[0])))
        self.assertNotEqual(self.storage.stamps(["a"]), stamps)
        new = RedisStorage(place(OTHER_KEY), self.redis)
        self.assertEqual([new.read(name) for name in "bc"], [b"b", b"c"])
        self.assertRaises(Unopened, new.read, "broken")
        self.assertRaises(Unopened, RedisStorage(place(), self.redis).read, "b")
        self.assertEqual(other.read("a"), b"another's")

    def test_rolling(self) -> None:
        """While some have one of two keys first, and some the other, reading alone writes nothing."""
        self.storage.write("a", b"a")
        old, new = RedisStorage(place(KEY, OTHER_KEY), self.redis), RedisStorage(place(OTHER_KEY, KEY), self.redis)
        for each in (old, new):
            self.assertEqual(each.read("a"), b"a")
        before = dict(self.redis.values)
        for each in (old, new, old, new):
            self.assertEqual(each.read("a"), b"a")
        self.assertEqual(self.redis.values, before)
        old.write("a", b"b")
        self.assertEqual((old.read("a"), new.read("a")), (b"b", b"b"))

    def test_one_question(self) -> None:
        """Where nothing was written, all stamps take one question that is as short as for one."""
        names = [f"h{number}" for number in range(1000)]
        self.storage.write("h3", b"x")
        first = self.storage.stamps(names)
        self.assertEqual([index for index, stamp in enumerate(first) if stamp is not None], [3])
        before = len(self.redis.asked)
        self.assertEqual(self.storage.stamps(names), first)
        self.assertEqual(len(self.redis.asked) - before, 1)
        # those that are looked at may be others the next time
        self.assertEqual(self.storage.stamps(names[3:4]), first[3:4])
        self.assertEqual(self.storage.stamps([*names[:10], "other"]), [*first[:10], None])
        self.redis.values.clear()
        self.assertEqual(self.storage.stamps(names), [None] * 1000)

    def test_lock_lost(self) -> None:
        """Who has lost a lock writes nothing that is bound to it, nor ends the lock of who has it now."""
        with self.storage.lock("l", wait=False) as lock:
            self.redis.values["p:l"] = b"somebody else's"
            self.assertRaises(LockLost, self.storage.write, "a", b"x", lock)
            self.assertIsNone(self.storage.read("a"))
        self.assertEqual(self.redis.values["p:l"], b"somebody else's")
        del self.redis.values["p:l"]
        with self.storage.lock("l", wait=False) as lock:
            del self.redis.values["p:l"]
            self.assertRaises(LockLost, self.storage.write, "a", b"x", lock)

    def test_lock_renewed(self) -> None:
        """A lock lasts while the work goes on, and ends by itself where nobody goes on."""
        storage = RedisStorage(place(), self.redis, lease=0.03)
        with storage.lock("l", wait=False):
            self.redis.now = 0.02
            # one may have been under way
            for _ in range(2):
                self.redis.renewed.clear()
                self.assertTrue(self.redis.renewed.wait(30))
            self.assertEqual(self.redis.ends["p:l"], 0.05)
        self.assertNotIn("p:l", self.redis.values)
        # one that nobody goes on with has ended
        with self.storage.lock("l", wait=False) as lost:
            self.redis.now = 60.0
            with self.other.lock("l", wait=False) as lock:
                self.assertIsNotNone(lock)
                self.assertRaises(LockLost, self.storage.write, "a", b"x", lost)

    def test_left_locks(self) -> None:
        """Who dies leaves locks, and what was shown, for a time alone."""
        with self.storage.lock("l", wait=False), self.storage.shown("challenges/x", b"x"):
            self.assertEqual(sorted(self.redis.ends), ["p:challenges/x", "p:l"])

    def test_away(self) -> None:
        """While Redis is away all say so; what ends meanwhile ends without a word."""
        with self.storage.lock("l", wait=False), self.storage.shown("challenges/x", b"x"):
            self.redis.fails = "Connection refused"
        for ask in (
            lambda: self.storage.read("a"),
            lambda: self.storage.write("a", b"x"),
            lambda: self.storage.stamps(["a"]),
            lambda: self.storage.lock("l", wait=True).__enter__(),
            lambda: self.storage.shown("challenges/x", b"x").__enter__(),
        ):
            self.assertRaises(RedisFailed, ask)

    def test_back_in_time(self) -> None:
        """Who holds a lock keeps what it has got, if Redis is there again in time."""
        seen: list[str] = []

        def back() -> None:
            seen.append(self.redis.fails)
            if len(seen) == 2:
                self.redis.fails = ""

        self.redis.seen_away = back  # type: ignore[method-assign]
        with self.storage.lock("l", wait=False) as lock:
            self.redis.fails = "away"
            self.storage.write("a", b"x", lock)
            self.assertEqual((self.storage.read("a"), len(seen)), (b"x", 2))
        with RedisStorage(place(), self.redis, lease=0.001).lock("l", wait=False) as lock:
            self.redis.fails = "away for long"
            short = RedisStorage(place(), self.redis, lease=0.001)
            self.assertRaises(RedisFailed, short.write, "a", b"y", lock)

    def test_size(self) -> None:
        """What is too big is not written; what somebody else has made too big is read in part alone."""
        self.storage.write("a", bytes(BIGGEST))
        self.assertEqual(len(self.storage.read("a") or b""), BIGGEST)
        self.assertRaises(OSError, self.storage.write, "a", bytes(BIGGEST + 1))
        self.redis.values["p:a"] = bytes(BIGGEST * 4)
        self.assertRaises(Unopened, self.storage.read, "a")
        self.assertEqual(self.redis.asked[-1], ("GETRANGE", "p:a", 0, BIGGEST + SEALING - 1))
