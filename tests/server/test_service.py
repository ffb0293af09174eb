"""Tests of L{edgegate.server.service}: the beginning and the end; see test_service_reload for what lies between."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.net.channel import adopt
from edgegate.net.handed_sockets import HandedSockets
from edgegate.server.gateway_options import GatewayOptions
from edgegate.server.service import GatewayService
from edgegate.sources.loading import Configuration
from edgegate.sources.named import source_named
from tests.net.pairs import until
from tests.server.test_service_reload import FILES
from tests.tls.acme.certificates import made

WAITING = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {{name: ca}}
spec:
  acme: {{server: "https://ca.invalid/dir", agreeToTerms: true}}
  storage: {{directory: store}}
  untilIssued: Wait
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw, annotations: {{edgegate.io/certificate-issuer: ca}}}}
spec:
  servers:
  - port: {{number: {number}, name: https, protocol: HTTPS}}
    bind: 127.0.0.1
    hosts: [a.example.com]
    tls: {{mode: SIMPLE, credentialName: a}}
"""
ASK = b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"


class ServiceTests(TestCase):
    """A gateway that redirects."""

    def make(
        self, number: int = 0, handed: HandedSockets | None = None, text: str = FILES, **options: Any
    ) -> GatewayService:
        """Make a gateway with one port."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "gateway.yaml").write_text(text.format(number=number or 80, host="a.example"))
        configuration = Configuration(source_named(str(folder)), port_map={} if number else {80: 0})
        return GatewayService(
            reactor,  # type: ignore[arg-type]
            configuration.load(),
            configuration.reload,
            options=GatewayOptions(**options),
            handed=handed,
        )

    def start(self, service: GatewayService) -> int:
        """Start as twistd does; return the port."""
        service.privilegedStartService()
        service.startService()
        self.addCleanup(lambda: service.stopService() if service.ready else None)
        bound = service.bound(service.snapshot.listeners[0])
        return getattr(bound, "port", 0)

    def connect(self, port: int) -> socket.socket:
        """Connect."""
        sock = socket.create_connection(("127.0.0.1", port), 10)
        self.addCleanup(sock.close)
        return sock

    async def test_ready(self) -> None:
        """It is ready once its ports are open, and no more when it ends."""
        service = self.make()
        self.assertFalse(service.ready)
        port = self.start(service)
        self.assertTrue(service.ready)
        client = self.connect(port)
        client.sendall(ASK)
        self.assertIn(b"301", await deferToThread(client.recv, 1000))
        self.assertEqual(service.connections, 1)
        client.close()
        await service.stopService()
        self.assertFalse(service.ready)
        self.assertRaises(ConnectionRefusedError, self.connect, port)

    async def test_without_privileges(self) -> None:
        """C{twist} leaves the privileged start out: the ports are opened all the same."""
        service = self.make()
        service.startService()
        self.assertIsNotNone(service.bound(service.snapshot.listeners[0]))
        await service.stopService()

    async def test_port_taken(self) -> None:
        """A port that can't be opened ends the start."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            service = self.make(other.getsockname()[1])
            self.assertRaises(SystemExit, service.privilegedStartService)
        await service.stopService()

    async def test_drain(self) -> None:
        """Who waits for nothing is closed at once; who sends a request still may, for a while, and is then reset."""
        service = self.make(drain=0.3)
        port = self.start(service)
        idle, busy = self.connect(port), self.connect(port)
        idle.sendall(ASK)
        self.assertIn(b"301", await deferToThread(idle.recv, 1000))
        busy.sendall(b"POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n")
        await until(lambda: service.connections == 2)
        stopping = service.stopService()
        self.assertEqual(await deferToThread(idle.recv, 1), b"")
        await stopping
        self.assertEqual(service.connections, 0)

    async def test_hurry(self) -> None:
        """A drain that is hurried ends at once, under way or not, and what it resets is counted."""
        for before in (False, True):
            service = self.make(drain=3600.0)
            busy = self.connect(self.start(service))
            busy.sendall(b"GET / HTTP/1.1\r\n")
            await until(lambda: service.connections == 1)  # noqa: B023
            if before:
                service.hurry()
            stopping = service.stopService()
            if not before:
                self.assertEqual(service.connections, 1)
                service.hurry()
            await stopping
            self.assertEqual(service.connections, 0)

    async def test_hand_over(self) -> None:
        """
        Another service has its port from then on, and is never closed to clients; this one serves who is connected with
        one more answer, and says that it is ready, for the other is.
        """
        service = self.make()
        port = self.start(service)
        self.assertEqual(service.hold(), "")
        self.assertEqual(service.hold(), "the files are just being read again")
        (handed,) = service.handed()
        self.assertEqual([handed.address], service.binds)
        kept, idle = self.connect(port), self.connect(port)
        for client in (kept, idle):
            client.sendall(ASK)
            self.assertIn(b"301", await deferToThread(client.recv, 1000))
        other = self.make(handed=HandedSockets({handed.address: adopt(os.dup(handed.descriptor))}))
        self.start(other)
        service.hand_over(other.binds)
        self.assertTrue(service.ready)
        self.assertEqual(service.hold(), "the gateway does not serve yet, or ends")
        fresh = self.connect(port)
        fresh.sendall(ASK)
        self.assertIn(b"301", await deferToThread(fresh.recv, 1000))
        self.assertEqual((service.connections, other.connections), (2, 1))
        kept.sendall(ASK)
        self.assertIn(b"connection: close", (await deferToThread(kept.recv, 1000)).lower())
        await service.stopService()
        self.assertFalse(service.ready)
        late = self.connect(port)
        late.sendall(ASK)
        self.assertIn(b"301", await deferToThread(late.recv, 1000))
        await other.stopService()

    async def test_first_certificates(self) -> None:
        """It serves, and is ready once its first certificates are there; one that takes another's place is at once."""
        for handed in (None, HandedSockets({})):
            service = self.make(0, handed, WAITING)
            # nobody is asked for a certificate
            service.data_plane.certificates.use = lambda certificates: None  # type: ignore[method-assign]
            self.start(service)
            self.assertEqual((service.ready, service.waiting), (handed is not None, handed is None))
            (certificate,) = service.snapshot.certificates
            service.data_plane._put_issued([made(certificate, 0, 10)])
            self.assertEqual((service.ready, service.waiting), (True, False))
            await service.stopService()

    async def test_children(self) -> None:
        """What belongs to the gateway begins after its ports are open, and ends after nobody is served."""
        service = self.make()
        told: list[object] = []

        class Child(Service):
            """Writes down when it begins and ends."""

            def startService(self) -> None:
                told.append(service.bound(service.snapshot.listeners[0]) is not None)

            def stopService(self) -> None:
                told.append(service.connections)

        Child().setServiceParent(service)
        port = self.start(service)
        client = self.connect(port)
        client.sendall(ASK)
        await deferToThread(client.recv, 1000)
        await service.stopService()
        self.assertEqual(told, [True, 0])
