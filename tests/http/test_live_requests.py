"""Tests of L{edgegate.http.live_requests}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.examples import Examples
from edgegate.http.live_requests import LiveRequests
from edgegate.observe.observers import Observers
from tests.http.conversation import Conversation, to_web

OK = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 500 Oh\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno"


def get(host: bytes = b"web.example", path: bytes = b"/") -> bytes:
    """Return a request."""
    return b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


class LiveRequestsTests(SynchronousTestCase):
    """What a conversation leaves."""

    def setUp(self) -> None:
        """Have somebody look."""
        self.talk = Conversation(to_web(), to_web())
        self.examples = Examples()
        self.live = LiveRequests(self.examples)
        self.talk.environment.observer = Observers([self.talk])
        self.talk.environment.observer.add(self.live)

    def test_counts(self) -> None:
        """Requests are counted by where they went, and each once."""
        for answer in (OK, BAD, OK):
            self.talk.ask(get())
            self.talk.backend().deliver(answer)
        ((key, told),) = self.live.drain()
        listener, host, route, cluster, endpoint = key
        self.assertTrue(host.startswith(f"{listener}|"))
        self.assertEqual((host.rpartition("|")[2], route), ("web.example", f"{host}|0"))
        self.assertEqual((cluster, endpoint), ("web", "10.0.0.1:80"))
        self.assertEqual(told[:3], (3, 1, 0))
        self.assertEqual((sum(told[4].values()), sum(told[5].values())), (3, 3))
        self.assertEqual(self.live.drain(), [])

    def test_no_host(self) -> None:
        """However many hosts a client makes up, what has none of the files is one."""
        for number in range(5):
            self.talk.ask(get(b"h%d.example" % number))
        ((key, told),) = self.live.drain()
        self.assertEqual(key[1:], (f"{key[0]}||", f"{key[0]}||", "", ""))
        self.assertEqual((told[0], told[2], told[3]), (5, 5, {"NR": 5}))

    def test_no_request(self) -> None:
        """What is no request, or has no host, is counted as well."""
        for data in (b"GET / HTTP/1.0\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"):
            self.talk.ask(data)
        told = [told for _, told in self.live.drain()]
        self.assertEqual((sum(each[0] for each in told), sum(each[2] for each in told)), (3, 3))

    def test_slowest(self) -> None:
        """The slowest requests are kept, though none is slow."""
        for _ in range(3):
            self.talk.ask(get(path=b"/a?secret=1"))
            self.talk.backend().deliver(OK)
        ((name, errors, slowest),) = self.examples.told({})
        self.assertEqual((errors, len(slowest)), ([], 3))
        self.assertTrue(name.endswith("|web.example|0"))
        self.assertEqual(slowest[0]["path"], "/a")
