"""Tests of L{edgegate.net.system_resolver}."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from twisted.trial.unittest import TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from edgegate.net.system_resolver import MOST_THREADS, SystemResolver

HANGS = """
import threading
from twisted.internet import reactor
from edgegate.net.system_resolver import SystemResolver
from tests.net.test_system_resolver import Receiver

resolver = SystemResolver(reactor, lambda *_: threading.Event().wait())
reactor.callWhenRunning(resolver.resolveHostName, Receiver(), "a.example")
reactor.callLater(0.01, reactor.stop)
reactor.run()
print("ended")
"""


@implementer(IResolutionReceiver)
class Receiver:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.addresses: list[IAddress] = []
        self.complete: Deferred[list[IAddress]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self.resolution = resolutionInProgress

    def addressResolved(self, address: IAddress) -> None:
        self.addresses.append(address)

    def resolutionComplete(self) -> None:
        self.complete.callback(self.addresses)


class SystemResolverTests(TestCase):
    """What C{getaddrinfo} finds."""

    async def test_no_thread(self) -> None:
        """Where there can be no thread nothing is found, and names are found again once there can."""

        def start(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        resolver = SystemResolver(reactor, lambda *_: [(2, 1, 6, "", ("127.0.0.1", 0))])  # type: ignore[arg-type]
        patched = self.patch(threading.Thread, "start", start)
        receivers = [Receiver() for _ in range(2 * MOST_THREADS)]
        for receiver in receivers:
            resolver.resolveHostName(receiver, "a.example")
        for receiver in receivers:
            self.assertEqual(await receiver.complete, [])
        patched.restore()
        receiver = Receiver()
        resolver.resolveHostName(receiver, "a.example")
        self.assertEqual(len(await receiver.complete), 1)

    def ask(self, getaddrinfo: Callable[..., Any], name: str = "a.example", *terms: Any) -> Receiver:
        """Ask for a name."""
        receiver = Receiver()
        resolver = SystemResolver(reactor, getaddrinfo)  # type: ignore[arg-type]
        verifyObject(IHostnameResolver, resolver)
        verifyObject(IHostResolution, resolver.resolveHostName(receiver, name, *terms))
        return receiver

    async def test_found(self) -> None:
        """Addresses are told in the system's order, with what was asked for."""
        asked: list[object] = []

        def getaddrinfo(*terms: object) -> object:
            asked.append(terms)
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 80, 0, 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80)),
                (socket.AF_UNIX, socket.SOCK_STREAM, 6, "", ("else",)),
            ]

        found = await self.ask(getaddrinfo, "a.example", 80).complete
        self.assertEqual(found, [IPv6Address("TCP", "2001:db8::1", 80), IPv4Address("TCP", "192.0.2.1", 80)])
        await self.ask(getaddrinfo, "b.example", 53, [IPv4Address], "UDP").complete
        self.assertEqual(
            asked,
            [
                ("a.example", 80, socket.AF_UNSPEC, socket.SOCK_STREAM),
                ("b.example", 53, socket.AF_INET, socket.SOCK_DGRAM),
            ],
        )

    async def test_system(self) -> None:
        """The system itself knows C{localhost}, and can't read some names."""
        found = await self.ask(socket.getaddrinfo, "localhost", 0, [IPv4Address]).complete
        self.assertEqual(found, [IPv4Address("TCP", "127.0.0.1", 0)])
        self.assertEqual(await self.ask(socket.getaddrinfo, "a" * 70 + ".example").complete, [])

    async def test_unknown(self) -> None:
        """A name that is not known has no address."""

        def getaddrinfo(*_: object) -> object:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        self.assertEqual(await self.ask(getaddrinfo).complete, [])

    async def test_many(self) -> None:
        """Only some are asked for at one time; the next ones wait, and who gave up is told nothing."""
        answered = threading.Event()
        self.addCleanup(answered.set)
        asked: list[str] = []

        def getaddrinfo(name: str, *_: object) -> object:
            asked.append(name)
            answered.wait()
            return []

        resolver = SystemResolver(reactor, getaddrinfo)  # type: ignore[arg-type]
        receivers = [Receiver() for _ in range(MOST_THREADS + 2)]
        for number, receiver in enumerate(receivers):
            resolver.resolveHostName(receiver, str(number))
        receivers[0].resolution.cancel()
        self.assertLessEqual(len(asked), MOST_THREADS)
        answered.set()
        for receiver in receivers[1:]:
            await receiver.complete
        self.assertEqual(sorted(asked, key=int), [str(number) for number in range(MOST_THREADS + 2)])
        self.assertNoResult(receivers[0].complete)

    def test_end_of_the_process(self) -> None:
        """A name that is never found does not hold up the end of the process."""
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            [sys.executable, "-c", HANGS], cwd=root, capture_output=True, text=True, timeout=60, check=True
        )
        self.assertEqual(done.stdout, "ended\n")
