"""Tests of L{edgegate.http.router.hash_key}, through the gateway's conversation with three backends."""

from __future__ import annotations

import re
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.router.hash_key import set_cookie
from edgegate.model.clusters import Balancing, ConsistentHash, HashSource, LoadBalancer
from tests.http.conversation import Conversation
from tests.http.h1.test_downstream_connection import OK

COOKIE = ConsistentHash(HashSource.COOKIE, "who", cookie_ttl=60.0, cookie_path="/shop")


class HashingCase(SynchronousTestCase):
    """A cluster of three that hashes."""

    def talk(self, rule: ConsistentHash, hops: int = 0) -> Conversation:
        return Conversation(endpoints=3, hops=hops, balancer=LoadBalancer(hash=rule))

    def backends(self, talk: Conversation, *fields: str, target: str = "/", times: int = 8) -> set[str]:
        """Ask some times; return which backends were asked."""
        found = set()
        for _ in range(times):
            before = len(talk.connects)
            client = talk.client()
            lines = "".join(f"{field}\r\n" for field in fields)
            client.deliver(f"GET {target} HTTP/1.1\r\nhost: web.example\r\n{lines}\r\n".encode())
            self.assertEqual(len(talk.connects), before + 1)
            found.add(str(talk.connects[-1].address))
        return found


class RequestKeyTests(HashingCase):
    """What tells requests apart."""

    def spread(self, talk: Conversation, requests: list[tuple[tuple[str, ...], str]]) -> int:
        """Check that each request has one backend; return how many they have together."""
        found = set()
        for fields, target in requests:
            backends = self.backends(talk, *fields, target=target)
            self.assertEqual(len(backends), 1)
            found |= backends
        return len(found)

    def test_header(self) -> None:
        """A header, all of its values in whatever order."""
        talk = self.talk(ConsistentHash(HashSource.HEADER, "x-user"))
        self.assertEqual(self.spread(talk, [((f"X-User: {number}",), "/") for number in range(20)]), 3)
        one = self.backends(talk, "x-user: a", "x-user: b")
        self.assertEqual(self.backends(talk, "x-user: b", "x-user: a"), one)

    def test_parameter(self) -> None:
        """The first parameter of a name."""
        talk = self.talk(ConsistentHash(HashSource.QUERY_PARAMETER, "user"))
        self.assertEqual(self.spread(talk, [((), f"/{n}?x={n}&user={n}&user=z") for n in range(20)]), 3)
        self.assertEqual(self.backends(talk, target="/a?user=1"), self.backends(talk, target="/b?user=1&user=2"))

    def test_source(self) -> None:
        """The client's address, behind trusted proxies the one that they tell."""
        self.assertEqual(len(self.backends(self.talk(ConsistentHash(HashSource.SOURCE_IP)))), 1)
        talk = self.talk(ConsistentHash(HashSource.SOURCE_IP), hops=1)
        requests = [((f"x-forwarded-for: 198.51.100.{number}",), "/") for number in range(20)]
        self.assertEqual(self.spread(talk, requests), 3)

    def test_cookie(self) -> None:
        """A cookie among others, with quotes or without."""
        talk = self.talk(COOKIE)
        self.assertEqual(self.spread(talk, [((f"cookie: x=1; who=w{number}; y=2",), "/") for number in range(20)]), 3)
        self.assertEqual(self.backends(talk, 'cookie: who="w1"'), self.backends(talk, "cookie: who=w1"))

    def test_nothing(self) -> None:
        """Requests without it go anywhere."""
        for rule in (ConsistentHash(HashSource.HEADER, "x-user"), ConsistentHash(HashSource.QUERY_PARAMETER, "user")):
            self.assertEqual(len(self.backends(self.talk(rule), times=40)), 3)

    def test_passthrough(self) -> None:
        """Who connected to the gateway itself gets the backends in turn."""
        talk = Conversation(endpoints=3, balancer=LoadBalancer(Balancing.PASSTHROUGH))
        self.assertEqual(len(self.backends(talk, times=3)), 3)


class CookieTests(HashingCase):
    """Cookies that the gateway makes."""

    def answered(self, talk: Conversation, *fields: str) -> bytes:
        client = talk.client()
        lines = "".join(f"{field}\r\n" for field in fields)
        client.deliver(f"GET / HTTP/1.1\r\nhost: web.example\r\n{lines}\r\n".encode())
        backend = talk.backend()
        backend.deliver(OK)
        backend.finish()
        return client.take()

    def test_made(self) -> None:
        """A client without the cookie, or with an empty one, gets one, and is known by it from then on."""
        talk = self.talk(COOKIE)
        self.assertIn(b"set-cookie: who=", self.answered(talk, "cookie: who="))
        for _ in range(5):
            answer = self.answered(talk)
            found = re.search(rb"\r\nset-cookie: (who=[0-9a-f]{16}); Max-Age=60; Path=/shop; HttpOnly\r\n", answer)
            assert found is not None
            backend = str(talk.connects[-1].address)
            self.assertEqual(self.backends(talk, f"cookie: {found[1].decode()}"), {backend})

    def test_not_made(self) -> None:
        """A client that has it gets none, nor does anyone where the files name no time for it."""
        self.assertNotIn(b"set-cookie", self.answered(self.talk(COOKIE), "cookie: who=me"))
        self.assertNotIn(b"set-cookie", self.answered(self.talk(replace(COOKIE, cookie_ttl=None))))

    def test_line(self) -> None:
        """A time of 0 lasts as long as the browser; further attributes follow, and none ends the line."""
        rule = replace(COOKIE, cookie_ttl=0.0, cookie_path="", cookie_attributes=(("SameSite", "Lax"), ("Secure", "")))
        self.assertEqual(set_cookie(rule, b"v").h1, b"set-cookie: who=v; SameSite=Lax; Secure; HttpOnly\r\n")
        hostile = replace(rule, cookie_path="/\r\nx: y; z", cookie_attributes=())
        self.assertEqual(set_cookie(hostile, b"v").h1, b"set-cookie: who=v; Path=/x: y z; HttpOnly\r\n")
