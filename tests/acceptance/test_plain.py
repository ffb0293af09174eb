"""The gateway on a system without much of what Linux has: macOS and the BSDs, as far as Linux can be one."""

from __future__ import annotations

import os
import signal
import socket

from edgegate.tls.authority import Authority
from tests.acceptance.echo import EchoBackends
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports
from tests.acceptance.served import Client

# What is hidden before anything of Twisted or edgegate is imported.
PLAIN = """\
import os, select, socket, sys
hidden = {
    os: "splice pipe2 memfd_create sched_getaffinity pidfd_open eventfd posix_fadvise",
    select: "epoll",
    socket: "SOCK_CLOEXEC SOCK_NONBLOCK TCP_INFO TCP_CORK TCP_CONGESTION TCP_USER_TIMEOUT TCP_DEFER_ACCEPT"
    " MSG_CMSG_CLOEXEC AF_NETLINK SO_PEERCRED SO_REUSEPORT",
}
for module, names in hidden.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "freebsd14"
sys.modules["twisted.internet.inotify"] = None
from twisted.scripts.twistd import run
run()
"""

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
    tls: {{mode: SIMPLE, serverCertificate: a.crt, privateKey: a.key}}
  - port: {{number: {tcp}, name: tcp, protocol: TCP}}
    bind: 127.0.0.1
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs}}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - match: [{{uri: {{exact: {path}}}}}]
    route: [{{destination: {{host: backend.example, port: {{number: 80}}}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: relay}}
spec:
  hosts: ["*"]
  gateways: [gw]
  tcp:
  - match: [{{port: {tcp}}}]
    route: [{{destination: {{host: backend.example, port: {{number: 80}}}}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: se}}
spec:
  hosts: [backend.example]
  ports: [{{number: 80, targetPort: {backend}, name: http, protocol: HTTP}}]
  resolution: STATIC
  endpoints: [{{address: 127.0.0.1}}]
"""


class PlainTests(AcceptanceTestCase):
    """What a user of such a system can do."""

    def setUp(self) -> None:
        """Start a gateway in front of a backend."""
        super().setUp()
        backends = EchoBackends()
        self.addCleanup(backends.stop)
        self.http, self.https, self.tcp = free_ports(3)
        self.backend = backends.open("backend")
        (self.folder / "etc").mkdir()
        issued = Authority.new("Test authority").server(["a.example"])
        (self.folder / "etc/a.crt").write_bytes(issued.chain_pem)
        (self.folder / "etc/a.key").write_bytes(issued.key_pem)
        self.write("/")
        self.gateway = self.begin()

    def write(self, path: str) -> None:
        """Have the files route a path."""
        text = FILES.format(http=self.http, https=self.https, tcp=self.tcp, backend=self.backend, path=path)
        (self.folder / "etc/gw.yaml").write_text(text)

    def begin(self) -> Running:
        """Start it."""
        options = ("--config=etc", "--admin=none", "--access-log=access.log")
        gateway = self.start("python", "-c", PLAIN, "-n", "--pidfile=", "--reactor=poll", "edgegate", *options)
        gateway.says("serving TCP")
        return gateway

    def status(self, port: int, path: str = "/", sni: str | None = None, body: bytes | None = None) -> int:
        """Ask once, and return the status; where there is a body the backend has got all of it."""
        client = Client(port, sni)
        self.addCleanup(client.close)
        answer = client.ask("GET" if body is None else "POST", path, "a.example", (), body)
        if body is not None:
            self.assertEqual(answer.echo["body"], body.decode())
        return answer.status

    def test_serves(self) -> None:
        """HTTP, HTTPS and TCP are served, large bodies too, and connections that wait are as many as ever."""
        body = b"x" * 3_000_000
        for port, sni in ((self.http, None), (self.https, "a.example"), (self.tcp, None)):
            self.assertEqual((self.status(port, sni=sni), self.status(port, sni=sni, body=body)), (200, 200))
        idle = [socket.create_connection(("127.0.0.1", self.http), PATIENCE) for _ in range(200)]
        self.assertEqual(self.status(self.http), 200)
        for each in idle:
            each.close()

    def test_reloads_and_ends(self) -> None:
        """Without inotify it is told to reload; logs are reopened; it ends in good order."""
        self.gateway.says("this system has no inotify")
        self.write("/other")
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.says("reloaded in")
        self.assertEqual((self.status(self.http), self.status(self.http, "/other")), (404, 200))
        kept = Client(self.http)
        self.addCleanup(kept.close)
        self.assertEqual(kept.ask("GET", "/other", "a.example").status, 200)
        os.kill(self.gateway.process.pid, signal.SIGTERM)
        self.gateway.says("draining")
        self.assertEqual(kept.ask("GET", "/other", "a.example").values("connection"), ["close"])
        self.assertEqual(self.gateway.ends(), 0)
        self.assertNotIn("Traceback", self.gateway.output)
        self.assertIn("/other", (self.folder / "access.log").read_text())
