"""How the gateway ends: who has connected by then is served, and nobody is reset who need not be."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
from pathlib import Path

from edgegate.tls.authority import Authority
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - port: {{number: {http}, name: http, protocol: HTTP}}
    bind: 127.0.0.1
    hosts: [a.example]
  - port: {{number: {https}, name: https, protocol: HTTPS}}
    bind: 127.0.0.1
    hosts: [a.example]
    tls: {{mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs}}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - directResponse: {{status: 200, body: {{string: served}}}}
"""

AUTHORITY = Authority.new("Test authority")

ASK = b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"

SERVED = b"\r\n\r\nserved"


class Handshaking:
    """A client of TLS whose ClientHello was sent, and that goes on when it is asked to."""

    def __init__(self, sock: socket.socket, authority: Path) -> None:
        self._socket = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=str(authority))
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="a.example")
        self._step(self._tls.do_handshake)

    def _step(self, call: object) -> bytes | None:
        """Call something of OpenSSL's, and send what comes of it; return nothing where it wants to read first."""
        try:
            done = call()  # type: ignore[operator]
        except ssl.SSLWantReadError:
            done = False
        self._socket.sendall(self._outgoing.read())
        return done if isinstance(done, bytes) else None if done is False else b""

    def ask(self, end: bytes | None = None) -> bytes:
        """Finish the handshake, ask, and return all that is said up to some bytes, or to the end."""
        answer = b""
        while self._step(self._tls.do_handshake) is None:
            self._receive()
        self._tls.write(ASK)
        while True:
            if end is not None and answer.endswith(end):
                return answer
            piece = self._step(lambda: self._tls.read(65536))
            if piece == b"":
                return answer
            if piece is None:
                self._receive()
            else:
                answer += piece

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("ended in the middle")
        self._incoming.write(data)


class DrainTests(AcceptanceTestCase):
    """SIGTERM while clients come."""

    def setUp(self) -> None:
        """Start the gateway."""
        super().setUp()
        self.http, self.https = free_ports(2)
        certs = self.folder / "etc/certs"
        certs.mkdir(parents=True)
        self.authority = certs / "ca.crt"
        self.authority.write_bytes(AUTHORITY.own.chain_pem)
        issued = AUTHORITY.server(["a.example"])
        (certs / "a.example.crt").write_bytes(issued.chain_pem)
        (certs / "a.example.key").write_bytes(issued.key_pem)
        (self.folder / "etc/gw.yaml").write_text(FILES.format(http=self.http, https=self.https))
        self.gateway = self.serve("--admin=none")

    def serve(self, *more: str) -> Running:
        """Start a gateway."""
        options = ("--config=etc", "--no-watch", "--access-log=none", *more)
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        gateway.says("serving HTTPS")
        return gateway

    def connect(self, port: int) -> socket.socket:
        """Connect to it."""
        sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def freeze(self) -> None:
        """Have the process stand still; the kernel goes on."""
        pid = self.gateway.process.pid
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(lambda: self.gateway.process.poll() is None and os.kill(pid, signal.SIGCONT))
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)

    def end(self) -> None:
        """Tell it to end, and let it go on."""
        self.gateway.process.send_signal(signal.SIGTERM)
        self.gateway.process.send_signal(signal.SIGCONT)

    def ended(self) -> None:
        """It ends by itself, in good order."""
        self.assertEqual(self.gateway.ends(), 0)
        self.assertNotIn("Traceback", self.gateway.output)
        self.assertNotIn("resetting", self.gateway.output)

    def test_waiting_in_the_kernel(self) -> None:
        """Connections that wait in the backlog with their requests, fresh and kept, are served."""
        kept = self.connect(self.http)
        kept.sendall(ASK)
        self.assertTrue(kept.recv(65536).endswith(SERVED))
        self.freeze()
        kept.sendall(ASK)
        clients = [self.connect(self.http) for _ in range(200)]
        handshakes = [Handshaking(self.connect(self.https), self.authority) for _ in range(20)]
        for client in clients:
            client.sendall(ASK)
        self.end()
        told = 0
        for client in (kept, *clients):
            answer = client.makefile("rb").read()
            self.assertTrue(answer.endswith(SERVED), answer)
            told += b"\r\nconnection: close\r\n" in answer
        # what is ready beside the signal may be answered before it is seen
        self.assertGreater(told, len(clients) // 2)
        for handshake in handshakes:
            self.assertTrue(handshake.ask().endswith(SERVED))
        self.ended()

    def test_taken_already(self) -> None:
        """Connections that the gateway has taken and that have not said anything yet may still ask once."""
        plain, secure = self.connect(self.http), self.connect(self.https)
        probe = self.connect(self.http)
        probe.sendall(ASK)
        self.assertTrue(probe.recv(65536).endswith(SERVED))  # so the two before it are taken
        self.gateway.process.send_signal(signal.SIGTERM)
        self.gateway.says("draining")
        self.assertEqual(probe.recv(1), b"")
        # a request that crosses with the end of its connection is no reason to reset it
        for _ in range(2):
            probe.sendall(ASK)
            self.assertEqual(probe.recv(1), b"")
        plain.sendall(ASK)
        self.assertTrue(plain.makefile("rb").read().endswith(SERVED))
        self.assertTrue(Handshaking(secure, self.authority).ask().endswith(SERVED))
        self.ended()

    def test_under_load(self) -> None:
        """Nobody who has connected is reset, in the clear or over TLS, and then nobody can connect."""
        lost: list[Exception] = []
        served = [0] * 8
        going = threading.Barrier(len(served) + 1)

        def come(number: int) -> None:
            port = self.https if number % 2 else self.http
            going.wait(PATIENCE)
            while True:
                try:
                    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
                except ConnectionRefusedError:
                    return
                with sock:
                    try:
                        if port == self.https:
                            answered = Handshaking(sock, self.authority).ask(SERVED)
                        else:
                            sock.sendall(ASK)
                            answered = sock.recv(65536)
                        if not answered.endswith(SERVED):
                            raise ConnectionError("no answer")
                    except OSError as error:
                        lost.append(error)
                        return
                served[number] += 1

        clients = [threading.Thread(target=come, args=(number,)) for number in range(len(served))]
        for client in clients:
            client.start()
        going.wait(PATIENCE)
        self.busy(served)
        self.gateway.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join(PATIENCE)
        self.assertEqual(lost, [])
        self.ended()

    def test_kept_connections(self) -> None:
        """
        Clients that keep their connections, and think between two requests, lose none: each is told to go by the answer
        to its next one.
        """
        lost: list[str] = []
        told = [False] * 20
        served = [0] * len(told)

        def come(number: int) -> None:
            with socket.create_connection(("127.0.0.1", self.http), PATIENCE) as sock, sock.makefile("rb") as file:
                while not told[number]:
                    sock.sendall(ASK)
                    lines = [file.readline() for _ in range(5)]
                    if not lines[0].startswith(b"HTTP/1.1 200 ") or lines[-1:] == [b""]:
                        lost.append(repr(lines))
                        return
                    told[number] = b"connection: close\r\n" in lines
                    while lines[-1] != b"\r\n":
                        lines.append(file.readline())
                    file.read(len("served"))
                    served[number] += 1
                    threading.Event().wait(0.02)

        clients = [threading.Thread(target=come, args=(number,)) for number in range(len(told))]
        for client in clients:
            client.start()
        self.busy(served)
        self.gateway.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join(PATIENCE)
        self.assertEqual((lost, told), ([], [True] * len(told)))
        self.ended()

    def test_told_by_command(self) -> None:
        """
        `edgegate drain` ends it as SIGTERM does, which does not hurry it then: it is not ready from that moment on, its
        ports stay open for the delay, and what is under way ends.
        """
        self.gateway.stop()
        (admin,) = free_ports(1)
        where = f"--admin=127.0.0.1:{admin}"
        self.gateway = self.serve(where, "--drain-delay=6s", "--drain-timeout=1m")
        self.gateway.says("admin listener")
        self.assertEqual(self.ask("edgegate", "drain", where, "--status").stdout, "serving, 0 connections\n")
        held = self.connect(self.http)
        held.sendall(ASK[:10])
        done = self.ask("edgegate", "drain", where)
        self.assertEqual((done.returncode, done.stdout), (0, "draining, 1 connections\n"))
        self.gateway.process.send_signal(signal.SIGTERM)
        ready = self.ask("curl", "-s", "-o/dev/null", "-w%{http_code}", f"http://127.0.0.1:{admin}/ready")
        self.assertEqual(ready.stdout, "503")
        late = self.connect(self.http)
        late.sendall(ASK)
        self.assertNotIn(b"connection: close", late.recv(65536))
        self.gateway.says("draining 2 connections for up to 60 seconds")
        self.assertRaises(ConnectionRefusedError, self.refused, self.http)
        held.sendall(ASK[10:])
        answer = held.makefile("rb").read()
        self.assertIn(b"\r\nconnection: close\r\n", answer)
        self.assertTrue(answer.endswith(SERVED))
        self.ended()

    def refused(self, port: int) -> None:
        """Connect until it is refused, which it is once the handshakes that had begun have had their time."""
        while True:
            with socket.create_connection(("127.0.0.1", port), PATIENCE):
                threading.Event().wait(0.05)

    def busy(self, served: list[int]) -> None:
        """Wait until all of the clients have been served some times."""
        while min(served) < 20:
            if self.gateway.process.poll() is not None:
                raise AssertionError(self.gateway.output)
            threading.Event().wait(0.01)

    def test_told_again(self) -> None:
        """A second signal ends a drain at once, and any number of them without a traceback."""
        held = self.connect(self.http)
        held.sendall(ASK)
        held.recv(65536)
        held.sendall(ASK[:10])
        self.gateway.process.send_signal(signal.SIGTERM)
        self.gateway.says("draining")
        for _ in range(3):
            self.gateway.process.send_signal(signal.SIGTERM)
        self.gateway.says("resetting")
        self.assertEqual(self.gateway.ends(), 0)
        self.assertNotIn("Traceback", self.gateway.output)
        self.assertNotIn("Error", self.gateway.output)

    def test_told_at_the_same_moment(self) -> None:
        """Two signals of different kinds that come together end it as two that come one after the other."""
        held = self.connect(self.http)
        # who is answered knows that the reactor runs, and listens
        held.sendall(ASK)
        held.recv(65536)
        held.sendall(ASK[:10])
        self.freeze()
        self.gateway.process.send_signal(signal.SIGINT)
        self.end()
        # by SIGTERM where it comes in the moment between Twisted's beginning to listen to it and ours
        self.assertIn(self.gateway.ends(), (0, -signal.SIGINT, -signal.SIGTERM))
        self.assertNotIn("Traceback", self.gateway.output)
        self.assertNotIn("Error", self.gateway.output)
