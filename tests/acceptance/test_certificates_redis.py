"""Certificates that are kept in a real Redis, by gateways that share nothing else."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import replace
from itertools import count
from typing import Any

import redis as client

from edgegate.model.certificates import CertificateRedis
from edgegate.model.redis import RedisServer, RedisTLS
from edgegate.tls.acme.locks import LockLost
from edgegate.tls.acme.redis_client import RedisClient, RedisFailed
from edgegate.tls.acme.redis_storage import RedisStorage
from edgegate.tls.authority import Authority
from tests.acceptance.issued import ISSUER, WAIT, IssuedTestCase
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import AcceptanceTestCase, free_ports, wait_until
from tests.acceptance.redis import Redis
from tests.tls.acme.test_storage import StorageContract

KEY, OTHER_KEY = secrets.token_bytes(32), secrets.token_bytes(32)

AWAY = "can't be read: Redis "

HOSTS = ("a.example.com", "b.example.com", "c.example.com", "d.example.com")


class RedisStorageTests(StorageContract, AcceptanceTestCase):
    """What is asked of Redis is understood by it."""

    def setUp(self) -> None:
        """Start one."""
        super().setUp()
        self.redis = Redis(self)
        self.place = CertificateRedis(RedisServer("127.0.0.1", self.redis.port), "p", (KEY,))
        self.storage = RedisStorage(self.place)
        self.other = RedisStorage(self.place)

    def asked(self, **more: Any) -> Any:
        """Return a client of the test's own."""
        found = client.Redis("127.0.0.1", self.redis.port, **more)
        self.addCleanup(found.close)
        return found

    def test_lock_lost(self) -> None:
        """Who has lost a lock does not write, nor end that of another one."""
        asked = self.asked()
        with self.storage.lock("l", wait=False) as lock:
            self.assertGreater(asked.pttl("p:l"), 0)
            asked.delete("p:l")
            with self.other.lock("l", wait=False):
                self.assertRaises(LockLost, self.storage.write, "a", b"x", lock)
                holder = asked.get("p:l")
        self.assertIsNone(self.storage.read("a"))
        self.assertIsNotNone(holder)
        self.assertIsNone(asked.get("p:l"))

    def test_lock_renewed(self) -> None:
        """A lock lasts longer than its lease while the work goes on."""
        storage = RedisStorage(self.place, lease=3.0)
        asked = self.asked()
        with storage.lock("l", wait=False) as lock:
            wait_until(lambda: asked.pttl("p:l") < 2300)
            wait_until(lambda: asked.pttl("p:l") > 2300)
            storage.write("a", b"x", lock)
        self.assertEqual(self.storage.read("a"), b"x")

    def test_rotation(self) -> None:
        """A new key seals all that an old one has sealed; what is shown for a while still ends."""
        for number in range(1200):
            self.storage.write(f"h{number}", b"z")
        self.storage.write("a", b"x")
        both = RedisStorage(replace(self.place, keys=(OTHER_KEY, KEY)))
        with self.storage.shown("challenges/x", b"y"):
            self.assertEqual((both.read("a"), both.read("challenges/x")), (b"x", b"y"))
            self.assertGreater(self.asked().pttl("p:challenges/x"), 0)
        new = RedisStorage(replace(self.place, keys=(OTHER_KEY,)))
        self.assertEqual(new.read("a"), b"x")
        self.assertEqual({new.read(f"h{number}") for number in range(1200)}, {b"z"})
        self.assertRaises(OSError, RedisStorage(self.place).read, "a")

    def test_many(self) -> None:
        """A thousand certificates are looked at by one short question."""
        names = [f"h{number}" for number in range(1000)]
        for name in names:
            self.storage.write(name, b"x")
        first = self.storage.stamps(names)
        self.assertEqual(len(set(first)), 1000)
        asked = self.asked()
        before = asked.info("stats")["total_net_input_bytes"], asked.info("stats")["total_commands_processed"]
        self.assertEqual(self.storage.stamps(names), first)
        after = asked.info("stats")["total_net_input_bytes"], asked.info("stats")["total_commands_processed"]
        # with the question for the numbers itself, twice
        self.assertLess(after[0] - before[0], 300)
        self.assertEqual(after[1] - before[1], 3)

    def test_hangs(self) -> None:
        """One that answers nothing costs one wait; then what is asked fails at once, for a while."""
        clock = count(0.0, 0.3)
        redis = RedisClient(self.place.server, lambda: next(clock), 1.0)
        redis.ask("SET", "x", "y")
        self.redis.hang()
        self.assertIn("imeout", str(self.assertRaises(RedisFailed, redis.ask, "GET", "x")))
        self.redis.go_on()
        for _ in range(3):
            self.assertIn("imeout", str(self.assertRaises(RedisFailed, redis.ask, "GET", "x")))
        self.assertEqual(redis.ask("GET", "x"), b"y")
        self.assertEqual(redis.failures, 1)

    def test_refused(self) -> None:
        """What Redis refuses is told in its words: without copies, as a copy, and without the right password."""
        self.storage.write("a", b"x")
        asked = self.asked()
        asked.config_set("min-replicas-to-write", 1)
        self.assertIn("NOREPLICAS", str(self.assertRaises(RedisFailed, self.storage.write, "a", b"y")))
        asked.config_set("min-replicas-to-write", 0)
        asked.replicaof("127.0.0.1", 1)
        self.assertIn("read only replica", str(self.assertRaises(RedisFailed, self.storage.write, "a", b"y")))
        self.assertEqual(self.storage.read("a"), b"x")
        asked.replicaof("NO", "ONE")
        self.storage.write("a", b"z")
        asked.config_set("requirepass", "pass word")
        self.assertIn("uthentication", str(self.assertRaises(RedisFailed, RedisStorage(self.place).read, "a")))
        password = self.folder / "password"
        server = replace(self.place.server, password=str(password))
        for content, words in ((None, "No such file"), (b"no\n", "invalid"), (b"pass word\n", "")):
            if content is not None:
                password.write_bytes(content)
            storage = RedisStorage(replace(self.place, server=server))
            if words:
                self.assertIn(words, str(self.assertRaises(RedisFailed, storage.read, "a")))
            else:
                self.assertEqual(storage.read("a"), b"z")

    def test_tls(self) -> None:
        """Over TLS its certificate is for the name, and of the authorities that are given."""
        authority, other = Authority.new("Redis"), Authority.new("another")
        own = authority.server(["redis.example"])
        for name, content in (
            ("server.crt", own.chain_pem),
            ("server.key", own.key_pem),
            ("ca.crt", authority.own.chain_pem),
            ("other.crt", other.own.chain_pem),
        ):
            (self.folder / name).write_bytes(content)
        redis = Redis(self, tls=self.folder)
        trusted, another = str(self.folder / "ca.crt"), str(self.folder / "other.crt")
        for tls, words in (
            (RedisTLS("redis.example", trusted), ""),
            (RedisTLS("redis.elsewhere", trusted), "certificate verify failed"),
            (RedisTLS("redis.example", another), "certificate verify failed"),
            (RedisTLS("redis.example"), "certificate verify failed"),
        ):
            asked = RedisClient(RedisServer("127.0.0.1", redis.port, 1, tls=tls))
            if words:
                self.assertIn(words, str(self.assertRaises(RedisFailed, asked.ask, "GET", "a")))
            else:
                self.assertIsNone(asked.ask("GET", "a"))


class GatewaysTests(IssuedTestCase):
    """Two gateways with a Redis between them, one of them with two workers."""

    def setUp(self) -> None:
        """Start the authority, and a Redis that has ended."""
        super().setUp()
        self.http, self.https, self.other_http, self.other_https, *others = free_ports(10)
        self.admins = others[:2]
        self.pebble = Pebble(self, self.http, others[2:])
        self.redis = Redis(self, "--appendonly", "yes", "--dir", str(self.folder))
        self.redis.kill()
        self.url, self.ca = self.pebble.url, self.pebble.ca
        self.storage = f'{{redis: {{address: "127.0.0.1:{self.redis.port}", db: 3, encryptionKey: {{file: key}}}}}}'

    def write(self, name: str, http: int, https: int, *hosts: str, **more: str) -> None:
        """Write the files of a gateway, all at once."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "key").write_bytes(base64.b64encode(KEY))
        super().write(name, http, https, *hosts, **more)

    def everywhere(self, *hosts: str) -> None:
        """Wait until clients are served by both gateways."""
        for port in (self.https, self.other_https):
            self.wait(port, hosts, self.root)

    def test_shared(self) -> None:
        """
        Each host is issued one certificate that both serve; whether Redis is there when they start, or goes away
        meanwhile, they serve what they have, and go on when it is there again.
        """
        self.root = str(self.pebble.root())
        self.write("one", self.http, self.https, *HOSTS)
        more = WAIT.format("1m")
        self.write("two", self.other_http, self.other_https, *HOSTS, more=more)
        one = self.serve("one")
        one.says(AWAY)
        self.assertFalse(self.trusted(self.https, HOSTS[0], self.root))
        self.redis.start()
        # its workers of later files have, while Redis is away, no more than was there when the files were read before
        self.wait(self.https, HOSTS, self.root)
        (admin,) = self.admins
        two = self.serve("two", "--workers=2")
        # each worker has them
        wait_until(lambda: self.ready(admin), lambda: two.output, pause=0.2)
        self.everywhere(*HOSTS)
        self.assertEqual(len(self.pebble.issued), len(HOSTS))
        self.nothing_readable()
        before = {running: sum(AWAY in line for line in running.lines) for running in (one, two)}
        self.redis.kill()
        for running, lines in before.items():
            running.says(AWAY, lines + 1)
        # files that come meanwhile take no certificate away
        self.write("one", self.http, self.https, *HOSTS, "new.example.com")
        self.write("two", self.other_http, self.other_https, *HOSTS, "new.example.com", more=more)
        for running in (one, two):
            running.says("reloaded")
        self.everywhere(*HOSTS)
        self.assertFalse(self.trusted(self.https, "new.example.com", self.root))
        self.redis.start()
        self.everywhere(*HOSTS, "new.example.com")
        self.assertEqual(len(self.pebble.issued), len(HOSTS) + 1)
        self.nothing_readable()
        listed = self.ask("edgegate", "certs", "list", "--config=one", ISSUER, "--output=json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        states = {each["host"]: each["state"] for each in json.loads(listed.stdout)}
        self.assertEqual(states, dict.fromkeys([*HOSTS, "new.example.com"], "issued"))
        self.redis.kill()
        listed = self.ask("edgegate", "certs", "list", "--config=one", ISSUER)
        self.assertEqual(listed.returncode, 1)
        self.assertIn("Connection refused", listed.stderr)

    def nothing_readable(self) -> None:
        """Look at all that is in Redis."""
        with client.Redis("127.0.0.1", self.redis.port, 3) as asked:
            values: dict[bytes, Any] = {each: asked.get(each) for each in asked.scan_iter()}
        self.assertGreater(len(values), 2 * len(HOSTS))
        for name, value in values.items():
            self.assertTrue(name.startswith(b"edgegate-certificates:"), name)
            self.assertTrue(value.startswith(b"edgegate1.") or len(value) == 32, name)
            for words in (b"PRIVATE KEY", b"CERTIFICATE", b"example.com", b"not_before"):
                self.assertNotIn(words, value)
