"""Tests of L{edgegate.admin.service} and L{edgegate.cli.admin_client}: a client asks the listener."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from contextlib import ExitStack
from pathlib import Path

import click
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThread
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from edgegate.admin.options import AdminOptions
from edgegate.admin.service import METRICS, MOST_CONNECTIONS, AdminService, SiteFactory
from edgegate.cli.admin_client import Admin, fetch
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.channel import Channel, pair
from edgegate.server.handover import Handed
from edgegate.server.predecessor import Predecessor
from edgegate.startup import CannotStart
from tests.admin.served import PretendedGateway
from tests.net.pairs import PATIENCE

TOKEN = "0123456789abcdef"


def mode_of(path: str) -> int | None:
    """Return the permissions of a file; L{None} where there is none."""
    try:
        return stat.S_IMODE(Path(path).lstat().st_mode)
    except FileNotFoundError:
        return None


class AdminServiceTests(TestCase):
    """The listener."""

    def start(self, address: Address) -> AdminService:
        """Open it."""
        service = AdminService(reactor, PretendedGateway(), address)
        service.privilegedStartService()
        service.startService()
        self.addCleanup(service.stopService)
        return service

    async def test_tcp(self) -> None:
        """Over TCP, on a port that the kernel chose."""
        service = self.start(TCPAddress("127.0.0.1", 0))
        assert service.port is not None
        host = service.port.getHost()
        address = TCPAddress("127.0.0.1", host.port)  # type: ignore[attr-defined]
        answer = await fetch(reactor, Admin(address), "GET", "/live")
        self.assertEqual((answer.status, answer.text), (200, "live\n"))
        self.assertEqual(answer.gateway, f"the gateway at {address}: pid {os.getpid()}, config /etc/edge gate")
        answer = await fetch(reactor, Admin(address), "POST", "/reload")
        self.assertEqual((answer.status, answer.text.split()[0]), (200, "unchanged"))

    async def test_unix(self) -> None:
        """Over a UNIX socket that only its owner can open; it is gone afterwards."""
        path = self.mktemp()
        service = self.start(UNIXAddress(path))
        self.assertEqual(mode_of(path), 0o600)
        self.assertEqual((await fetch(reactor, Admin(UNIXAddress(path)), "GET", "/ready")).status, 200)
        await service.stopService()
        self.assertEqual((mode_of(path), mode_of(f"{path}.lock")), (None, None))

    async def test_token(self) -> None:
        """Who has the token is let in, and who has not learns how to."""
        address = UNIXAddress(self.mktemp())
        service = AdminService(reactor, PretendedGateway(), address, options=self.with_token(f"{TOKEN}\n"))
        service.startService()
        self.addCleanup(service.stopService)
        self.assertEqual((await fetch(reactor, Admin(address, TOKEN.encode()), "POST", "/reload")).status, 200)
        for token, words in ((b"", "asks for a token"), (b"another", "does not take this token")):
            with self.assertRaises(click.ClickException) as caught:
                await fetch(reactor, Admin(address, token), "POST", "/reload")
            self.assertIn(words, caught.exception.message)

    def test_no_token(self) -> None:
        """Without a token in its file nothing is opened, and one line says why."""
        address, options = UNIXAddress(self.mktemp()), self.with_token("short")
        service = AdminService(reactor, PretendedGateway(), address, options=options)
        error = self.assertRaises(CannotStart, service.privilegedStartService)
        self.assertIn(f"--admin-token-file: {options.token_file}: a token has 16 to 4096 characters", str(error))
        self.assertFalse(Path(address.path).exists())

    def with_token(self, content: str) -> AdminOptions:
        """Return options with a file that has this."""
        file = Path(self.mktemp())
        file.write_text(content)
        return AdminOptions(str(file))

    async def test_handed_over(self) -> None:
        """
        A port is handed to the service of a new process, and is never closed; who asks the old one is answered, and
        asks the new one then. A socket that is for another address is not taken.
        """
        before = self.start(TCPAddress("127.0.0.1", 0))
        (handed,) = before.handed()
        predecessor = Predecessor(Channel(pair()[0]))
        self.addCleanup(predecessor.channel.close)
        predecessor.take([Handed(handed.role, handed.address, os.dup(handed.descriptor))])
        self.addCleanup(predecessor.close)
        assert before.port is not None
        address = TCPAddress("127.0.0.1", before.port.getHost().port)  # type: ignore[attr-defined]
        after = AdminService(reactor, PretendedGateway(), TCPAddress("127.0.0.1", 0), before=predecessor)
        after.privilegedStartService()
        after.startService()
        self.addCleanup(after.stopService)
        predecessor.close()
        with socket.create_connection((address.host, address.port), 10) as kept:
            kept.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"live", await deferToThread(kept.recv, 1000))
            await before.hand_over(1)
            self.assertIsNone(before.port)
            self.assertEqual((await fetch(reactor, Admin(address), "GET", "/live")).status, 200)
            await before.stopService()
            await after.stopService()
        with self.assertRaisesRegex(click.ClickException, "refused"):
            await fetch(reactor, Admin(address), "GET", "/live")

    async def test_kept_connections(self) -> None:
        """Connections that are open end with the service."""
        path = self.mktemp()
        service = self.start(UNIXAddress(path))
        with socket.socket(socket.AF_UNIX) as client:
            await deferToThread(self.ask, client, path)
            await service.stopService()
            self.assertEqual(await deferToThread(client.recv, 1), b"")

    def ask(self, client: socket.socket, path: str) -> None:
        """Ask on a connection that stays open."""
        client.settimeout(PATIENCE)
        client.connect(path)
        client.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200 "))

    async def test_many_connections(self) -> None:
        """There are so many connections at one time; one more is closed, and the log says so."""
        path = self.mktemp()
        self.start(UNIXAddress(path))
        with ExitStack() as clients:
            kept = [clients.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(MOST_CONNECTIONS)]
            for client in kept:
                await deferToThread(self.ask, client, path)
            with capturedLogs() as logged, socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(path)
                self.assertEqual(await deferToThread(client.recv, 1), b"")
            (line,) = [formatEvent(event) for event in logged]
            self.assertEqual(line, "the admin listener has 100 connections: others are closed")

    async def test_gone(self) -> None:
        """Where what answers cannot be loaded the connection ends, and the log says why in a line."""

        def gone() -> Factory:
            raise ImportError("No module named 'edgegate.admin.site'")

        path = self.mktemp()
        port = reactor.listenUNIX(path, SiteFactory(gone, METRICS))  # type: ignore[attr-defined]
        self.addCleanup(port.stopListening)
        with capturedLogs() as logged, socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(path)
            self.assertEqual(await deferToThread(client.recv, 1), b"")
        said = [formatEvent(event) for event in logged if event["log_level"] is LogLevel.error]
        self.assertEqual(len(said), 1)
        self.assertIn("the metrics listener cannot answer: ", said[0])

    def test_left_behind(self) -> None:
        """A socket that a process which was killed has left is taken over; one in use is not."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(path)
        ended = subprocess.Popen(["true"])
        ended.wait()
        Path(f"{path}.lock").symlink_to(str(ended.pid))
        self.start(UNIXAddress(path))
        self.assertRaises(SystemExit, self.start, UNIXAddress(path))

    def test_no_folder(self) -> None:
        """A socket in a folder that is not there, or may not be written to, ends the start with one line."""
        path = str(Path(self.mktemp()) / "admin.sock")
        error = self.assertRaises(CannotStart, self.start, UNIXAddress(path))
        self.assertEqual(str(error), f"cannot bind unix://{path} for the admin listener: No such file or directory")

    def test_port_taken(self) -> None:
        """A port that is taken ends the start with one line, but for the default, without which a gateway does."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = TCPAddress("127.0.0.1", other.getsockname()[1])
            self.assertRaises(SystemExit, self.start, address)
            service = AdminService(reactor, PretendedGateway(), address, required=False)
            with capturedLogs() as logged:
                service.privilegedStartService()
            service.startService()
            self.assertIsNone(service.port)
            (line,) = [formatEvent(event) for event in logged]
            self.assertIn("this gateway can't be asked", line)
            self.assertIn("--admin of its own", line)
            self.successResultOf(service.stopService())


class FetchTests(TestCase):
    """When nobody answers."""

    async def test_nobody(self) -> None:
        """A gateway that does not run is a line for users."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = TCPAddress("127.0.0.1", other.getsockname()[1])
        with self.assertRaises(click.ClickException) as caught:
            await fetch(reactor, Admin(address), "GET", "/live")
        self.assertIn(f"no gateway answers at {address} (Connection refused)", caught.exception.message)
        with self.assertRaises(click.ClickException):
            await fetch(reactor, Admin(UNIXAddress(self.mktemp())), "GET", "/live")
