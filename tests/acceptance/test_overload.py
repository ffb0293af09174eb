"""Too many of everything, against the real gateway: who is well-behaved is served all the same."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.processes import PATIENCE
from tests.acceptance.served import ServedTestCase
from tests.acceptance.test_balancing import service

POLICY = "{loadBalancer: {simple: RANDOM}}"
FILES = GATEWAY + service("a", POLICY, "one") + service("slow", POLICY, "slow")
GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
SOON = 5.0
"""Seconds that are far from the deadlines of 10 s and 75 s, by which connections that do nothing end anyway."""


class OverloadTestCase(ServedTestCase):
    """Tests with a gateway that has few descriptors or low limits."""

    files = {"shop.yaml": FILES}
    opened = {"one": "", "slow": "delay=2"}

    def connect(self, address: str = "127.0.0.1", said: bytes = b"") -> socket.socket:
        """Open a connection from an address of this machine."""
        sock = socket.create_connection(("127.0.0.1", self.served.ports["http"]), PATIENCE, (address, 0))
        self.addCleanup(sock.close)
        sock.sendall(said)
        return sock

    def answered(self, sock: socket.socket) -> bool:
        """Whether a connection brings a good answer; it may be closed instead."""
        try:
            return sock.recv(65536).startswith(b"HTTP/1.1 200 ")
        except ConnectionResetError:
            return False

    def timed(self, ask: Callable[[], object]) -> float:
        """Return how many seconds something took."""
        began = time.monotonic()
        ask()
        return time.monotonic() - began


class ConnectionTests(OverloadTestCase):
    """At most ten connections, and at most five of one address."""

    options = ("--max-connections=10", "--max-connections-per-client=5")

    def test_idle(self) -> None:
        """Those that lie idle give way, the longest idle first: everybody is served."""
        kept = [self.connect(f"127.0.0.{number % 10 + 2}", GET) for number in range(30)]
        self.assertEqual([self.answered(sock) for sock in kept], [True] * 30)
        kept[-1].sendall(GET)
        self.assertTrue(self.answered(kept[-1]))
        self.assertEqual(kept[0].recv(1), b"")

    def test_slow_heads(self) -> None:
        """So do those that do not finish what they have begun: they get 408."""
        slow = [self.connect(f"127.0.0.{number % 10 + 2}", GET[:9]) for number in range(10)]
        self.assertLess(self.timed(lambda: self.assertEqual(self.ask().status, 200)), SOON)
        self.assertTrue(slow[0].recv(65536).startswith(b"HTTP/1.1 408 "))

    def test_under_way(self) -> None:
        """What is under way goes on, and others wait for it."""
        asked = GET.replace(b"a.example", b"slow.example")
        busy = [self.connect(f"127.0.0.{number + 2}", asked) for number in range(10)]
        late = self.connect("127.0.0.1", GET)
        self.assertEqual([self.answered(sock) for sock in (late, *busy)], [True] * 11)

    def test_one_client(self) -> None:
        """One address that has too many with requests under way is refused more, and nobody else."""
        asked = GET.replace(b"a.example", b"slow.example")
        busy = [self.connect("127.0.0.2", asked) for _ in range(5)]
        more = self.connect("127.0.0.2")
        more.settimeout(PATIENCE)
        self.assertEqual(more.recv(1), b"")
        other = self.connect("127.0.0.3", GET)
        self.assertEqual([self.answered(sock) for sock in (other, *busy)], [True] * 6)


class DescriptorTests(OverloadTestCase):
    """A process that has 60 descriptors, and would take more connections than that."""

    options = ("--max-connections=1000",)
    before = ("prlimit", "--nofile=60")

    def test_exhausted(self) -> None:
        """Without a descriptor those that lie idle give way; the processor is not kept busy, nor the log filled."""
        pid = self.served.gateway.process.pid
        asked = GET.replace(b"a.example", b"nobody.example")
        for _ in range(100):
            self.assertIn(b" 404 ", self.connect("127.0.0.2", asked).recv(65536))
        slow = [self.connect("127.0.0.2", GET[:9]) for _ in range(100)]
        before = processor(pid)
        time.sleep(1)
        self.assertLess(processor(pid) - before, 0.5)
        self.assertLess(self.timed(lambda: self.ask(host="nobody.example")), SOON)
        for sock in slow:
            sock.close()
        self.assertLess(self.timed(lambda: self.assertEqual(self.ask().status, 200)), SOON)
        self.assertIn("out of descriptors", self.served.gateway.output)
        self.assertLess(self.served.gateway.output.count("out of descriptors"), 5)


def processor(pid: int) -> float:
    """Return the seconds of the processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
