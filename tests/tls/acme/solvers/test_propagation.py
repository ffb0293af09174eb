"""Tests of L{edgegate.tls.acme.solvers.propagation}."""

from __future__ import annotations

from dns import message, name, rcode
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.solvers.name_servers import MOST_ADDRESSES, NameServer
from edgegate.tls.acme.solvers.propagation import MOST_HOSTS, MOST_MISSES, Propagation, servers_of
from edgegate.tls.acme.solvers.solver import NotAnswered
from tests.tls.acme.solvers.zones import KnownNames, Zones

NAME = "_acme-challenge.example.com"
WHERE = name.from_text(NAME)
ONE, TWO = NameServer("192.0.2.1"), NameServer("192.0.2.2")


class PropagationTests(SynchronousTestCase):
    """Servers of one zone."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.zones: dict[NameServer, Zones | Exception | rcode.Rcode] = {ONE: Zones("example.com")}
        self.asked: list[NameServer] = []
        self.propagation = Propagation(self.exchange, self.clock.seconds, self.clock.advance)

    def exchange(self, asked: message.Message, server: NameServer, timeout: float) -> message.Message:
        """Ask one of them."""
        self.asked.append(server)
        found = self.zones[server]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, Zones):
            return found(asked, server, timeout)
        answer = message.make_response(asked)
        answer.set_rcode(found)
        return answer

    def wait(self, patience: float = 30.0) -> int:
        """Wait for a value at all of them."""
        return self.propagation.wait(self.zones, WHERE, "value", patience)

    def have(self, server: NameServer, *texts: str) -> None:
        """Have a server answer with values."""
        zones = self.zones[server] = Zones("example.com")
        zones.put(NAME, "TXT", *(f'"{each}"' for each in texts))

    def test_all(self) -> None:
        """All of them are waited for; other values beside it don't matter, and a long one comes in parts."""
        self.have(ONE, "other", "value")
        self.have(TWO, "other")
        self.clock.callLater(10, self.have, TWO, "other", "value")
        self.assertEqual(self.wait(), 2)
        self.assertEqual(self.asked.count(ONE), 1)
        self.assertGreaterEqual(self.clock.seconds(), 10)

    def test_never(self) -> None:
        """One that never has it is named, in the end."""
        self.have(ONE, "value")
        self.zones[TWO] = Zones("example.com")
        error = self.assertRaises(NotAnswered, self.wait)
        self.assertEqual(str(error), f"192.0.2.2:53 still answers without the value at {NAME} after 30 s")
        self.assertLess(self.clock.seconds(), 40)

    def test_unreachable(self) -> None:
        """Those that give no answer that is one are left out."""
        self.have(ONE, "value")
        for wrong in (OSError(101, "Network is unreachable"), EOFError(), rcode.REFUSED, rcode.SERVFAIL):
            self.asked.clear()
            self.zones[TWO] = wrong
            self.assertEqual(self.wait(), 1)
            self.assertEqual(self.asked.count(TWO), MOST_MISSES)
        del self.zones[ONE]
        self.assertEqual(self.wait(), 0)

    def test_at_the_end(self) -> None:
        """One that is silent when time is over is none that lacks the value."""
        self.zones[ONE] = OSError()
        self.assertEqual(self.wait(0.1), 0)

    def test_not_asked(self) -> None:
        """Without patience nobody is asked; and of many servers not all are."""
        self.assertEqual((self.wait(0), self.asked), (0, []))
        self.zones = {NameServer(f"192.0.2.{number}"): OSError() for number in range(100)}
        self.wait()
        self.assertEqual(len(set(self.asked)), MOST_ADDRESSES)

    def test_servers(self) -> None:
        """Servers are at all addresses of their names, of so many names."""
        names = KnownNames({f"ns{number}": (f"192.0.2.{number}", f"2001:db8::{number}") for number in range(20)})
        found = servers_of([f"ns{number}." for number in range(20)], names)
        self.assertEqual(found[:2], [NameServer("192.0.2.0"), NameServer("2001:db8::0")])
        self.assertEqual(len(found), 2 * MOST_HOSTS)
        self.assertEqual(servers_of(["nowhere"], names), [])
