"""Backends that speak TLS, as DestinationRules say, through the real gateway: openssl s_server and Python's ssl."""

from __future__ import annotations

import json
import socket
from datetime import datetime, timedelta, timezone
from pathlib import Path

from edgegate.tls.authority import Authority, Issued
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports
from tests.tls.backends import TLSBackend

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: [shop.example]}}
  - {{port: {{number: {tcp}, name: tcp, protocol: TCP}}, hosts: ["*"]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - route: [{{destination: {{host: shop.example}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: bytes}}
spec:
  hosts: ["*"]
  gateways: [gw]
  tcp:
  - match: [{{port: {tcp}}}]
    route: [{{destination: {{host: shop.example}}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: shop}}
spec:
  hosts: [shop.example]
  resolution: STATIC
  ports: [{{number: 443, name: http, protocol: HTTP, targetPort: {backend}}}]
  endpoints: [{{address: 127.0.0.1}}]
"""
RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: shop}}
spec:
  host: shop.example
  trafficPolicy: {policy}
"""
NOW = datetime.now(timezone.utc)
AUTHORITY, STRANGER, CLIENTS = (Authority.new(name) for name in ("Ours", "A stranger's", "Clients'"))
TRUSTED = {"mode": "SIMPLE", "caCertificates": "ca.crt"}


class UpstreamTLSCase(AcceptanceTestCase):
    """A gateway with one backend."""

    def setUp(self) -> None:
        """Make a folder."""
        super().setUp()
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        self.authorities(AUTHORITY)
        self.http, self.tcp, port = free_ports(3)
        self.admin = f"127.0.0.1:{port}"

    def authorities(self, *known: Authority) -> None:
        """Write the file of authorities."""
        self.write("ca.crt", b"".join(each.own.chain_pem for each in known))

    def write(self, name: str, content: bytes) -> None:
        """Write one of the files, at once."""
        path = self.etc / f".{name}"
        path.write_bytes(content)
        path.rename(self.etc / name)

    def rule(self, **policy: object) -> None:
        """Write how the backend is spoken to."""
        self.write("rule.yaml", RULE.format(policy=json.dumps(policy)).encode())

    def backend(self, certificate: Issued | None = None, **options: object) -> TLSBackend:
        """Open a backend."""
        issued = certificate or AUTHORITY.server(["shop.example"])
        backend = TLSBackend(Path(self.mktemp()), issued, **options)  # type: ignore[arg-type]
        self.addCleanup(backend.close)
        return backend

    def serve(self, port: int, **policy: object) -> None:
        """Start the gateway."""
        self.rule(**policy)
        self.write("gateway.yaml", FILES.format(http=self.http, tcp=self.tcp, backend=port).encode())
        options = (
            "--config=etc",
            "--no-watch",
            f"--admin={self.admin}",
            "--access-log=log",
            "--access-log-format=json",
        )
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving TCP")

    def reload(self) -> None:
        """Have it read its files again."""
        done = self.ask("edgegate", "reload", f"--admin={self.admin}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def get(self) -> str:
        """Ask with curl; return body and status."""
        options = ("-s", "-m", "20", "-H", "Host: shop.example", "-w", " %{http_code}")
        return self.ask("curl", *options, f"http://127.0.0.1:{self.http}/").stdout

    def flags(self) -> list[str]:
        """End the gateway, and return the response flags of all requests."""
        self.assertEqual(self.gateway.stop(), 0)
        return [json.loads(line)["response_flags"] for line in (self.folder / "log").read_text().splitlines()]


class VerifiedTests(UpstreamTLSCase):
    """Whom the gateway speaks to."""

    def test_right_name(self) -> None:
        """The right name and authority; the next connection resumes the session."""
        backend = self.backend(closes=True)
        self.serve(backend.port, tls=TRUSTED)
        self.assertEqual([self.get() for _ in range(3)], ["hello 200"] * 3)
        self.assertEqual([visit.reused for visit in backend.visits], [False, True, True])
        self.assertEqual({visit.name for visit in backend.visits}, {"shop.example"})

    def test_wrong_name(self) -> None:
        """A backend with a certificate for another name gets no request: 503, UF, and the log says why."""
        backend = self.backend(AUTHORITY.server(["other.example"]))
        self.serve(backend.port, tls=TRUSTED)
        self.assertEqual(self.get(), "certificate is not for this name (UF)\n 503")
        self.gateway.says("its certificate is for other.example, not for shop.example")
        self.assertEqual(sum(visit.requests for visit in backend.visits), 0)
        self.assertIn("UF", self.flags()[0].split(","))

    def test_listed_name(self) -> None:
        """The names that the rule lists count; the SNI name is the rule's, too."""
        backend = self.backend(AUTHORITY.server(["other.example"]))
        tls = {**TRUSTED, "subjectAltNames": ["other.example"], "sni": "asked.example"}
        self.serve(backend.port, tls=tls)
        self.assertEqual(self.get(), "hello 200")
        self.assertEqual(backend.visits[0].name, "asked.example")

    def test_not_trusted(self) -> None:
        """Strangers and certificates that have expired are refused; unless nothing is to be verified."""
        old = AUTHORITY.server(["shop.example"], NOW - timedelta(days=30), timedelta(days=10))
        for issued, words in ((STRANGER.server(["shop.example"]), "unable to get issuer"), (old, "has expired")):
            backend = self.backend(issued)
            self.serve(backend.port, tls=TRUSTED)
            self.assertEqual(self.get(), "certificate is not trusted (UF)\n 503")
            self.gateway.says(words)
            self.rule(tls={"mode": "SIMPLE", "insecureSkipVerify": True})
            self.reload()
            self.assertEqual(self.get(), "hello 200")
            self.gateway.stop()

    def test_system(self) -> None:
        """Without caCertificates the system's authorities count, which do not know ours."""
        backend = self.backend()
        self.serve(backend.port, tls={"mode": "SIMPLE"})
        self.assertEqual(self.get(), "certificate is not trusted (UF)\n 503")

    def test_openssl(self) -> None:
        """C{openssl s_server} is satisfied, too."""
        (port,) = free_ports(1)
        issued = AUTHORITY.server(["shop.example"])
        (self.folder / "server.pem").write_bytes(issued.key_pem + issued.chain_pem)
        server = self.start("openssl", "s_server", "-accept", str(port), "-cert", "server.pem", "-www")
        server.says("ACCEPT")
        self.serve(port, tls=TRUSTED)
        self.assertIn("s_server -accept", self.get())

    def test_rotated(self) -> None:
        """A file of authorities that changes while the gateway runs counts at once."""
        backend = self.backend()
        self.serve(backend.port, tls=TRUSTED)
        self.assertEqual(self.get(), "hello 200")
        self.authorities(STRANGER)
        self.reload()
        self.assertEqual(self.get(), "certificate is not trusted (UF)\n 503")
        self.authorities(STRANGER, AUTHORITY)
        self.reload()
        self.assertEqual(self.get(), "hello 200")


class MutualTests(UpstreamTLSCase):
    """What the gateway shows for itself."""

    def test_shown(self) -> None:
        """A backend that demands a certificate gets it, and serves nobody else."""
        own = CLIENTS.client("gateway")
        self.write("gw.crt", own.chain_pem)
        self.write("gw.key", own.key_pem)
        backend = self.backend(clients=CLIENTS.own.chain_pem)
        shown = {"clientCertificate": "gw.crt", "privateKey": "gw.key"}
        self.serve(backend.port, tls={**TRUSTED, **shown, "mode": "MUTUAL"})
        self.assertEqual(self.get(), "hello 200")
        self.assertEqual(backend.visits[0].certificate["subject"], ((("commonName", "gateway"),),))
        self.rule(tls=TRUSTED)
        self.reload()
        self.assertTrue(self.get().endswith(" 503"))
        self.gateway.says("certificate required")


class RelayTests(UpstreamTLSCase):
    """Bytes."""

    def talk(self) -> bytes:
        """Send bytes to the TCP port, and return what comes back."""
        with socket.create_connection(("127.0.0.1", self.tcp), PATIENCE) as sock:
            sock.sendall(b"secret")
            try:
                return sock.recv(100)
            except ConnectionError:
                return b""

    def test_relayed(self) -> None:
        """They are encrypted for the service by its name, and for nobody else."""
        backend = self.backend(echoes=True)
        self.serve(backend.port, tls=TRUSTED)
        self.assertEqual(self.talk(), b"secret")
        self.assertEqual(backend.visits[0].name, "shop.example")
        self.rule(tls={**TRUSTED, "subjectAltNames": ["other.example"]})
        self.reload()
        self.assertEqual(self.talk(), b"")
        self.gateway.says("not for other.example")

    def test_introduced(self) -> None:
        """The backend is told the client's address before all else."""
        backend = self.backend(introduced=True)
        self.serve(backend.port, tls=TRUSTED, proxyProtocol={"version": "V1"})
        self.assertEqual(self.get(), "hello 200")
        self.assertRegex(backend.visits[0].header, rb"^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$")
