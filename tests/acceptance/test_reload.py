"""Files that change while the real gateway serves them."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from pathlib import Path

from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports
from tests.acceptance.traffic import Traffic, leave

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: [shop.example]}}
  - port: {{number: {https}, name: https, protocol: HTTPS}}
    hosts: [shop.example]
    tls: {{mode: SIMPLE, serverCertificate: certs/shop.example.crt, privateKey: certs/shop.example.key}}
{more}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]
"""
MORE = "  - {{port: {{number: {extra}, name: extra, protocol: HTTP}}, hosts: [shop.example]}}\n"

RELOADS = 20


class ReloadTests(AcceptanceTestCase):
    """Reloads under load."""

    def setUp(self) -> None:
        """Start two backends, and clients that have nobody to ask yet."""
        super().setUp()
        self.certificates("shop.example")
        self.http, self.https, self.extra = free_ports(3)
        self.traffic = Traffic()
        self.backends = [self.traffic.backend(b"A"), self.traffic.backend(b"B")]

    def write(self, backend: int, more: bool = False) -> None:
        """Write the files."""
        ports = {"http": self.http, "https": self.https, "backend": backend}
        extra = MORE.format(extra=self.extra) if more else ""
        (self.folder / "etc" / "gateway.yaml").write_text(FILES.format(more=extra, **ports))

    def renew(self) -> None:
        """Replace the server's certificate and key."""
        certs = self.folder / "etc" / "certs"
        for name in ("shop.example.crt", "shop.example.key"):
            (certs / name).unlink()
        made = self.ask("edgegate", "certs", "--dir=etc/certs", "shop.example")
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)

    def shown(self) -> bytes | None:
        """Return the certificate that new connections are shown."""
        context = ssl.create_default_context(cafile=str(self.folder / "etc/certs/ca.crt"))
        plain = socket.create_connection(("127.0.0.1", self.https), PATIENCE)
        with context.wrap_socket(plain, server_hostname="shop.example") as secure:
            return secure.getpeercert(binary_form=True)

    def reload(self, gateway: Running, word: str, count: int) -> None:
        """Tell the gateway to read its files, and wait for the outcome."""
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says(word, count)

    def test_nobody_notices(self) -> None:
        """Backends switch, a port comes and goes, a certificate is replaced: no request fails, memory stays flat."""
        self.write(self.backends[0])
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--no-watch", "--access-log=log")
        gateway.says("serving HTTPS")
        traffic = self.traffic
        traffic.keep(50, self.http, "shop.example")
        traffic.keep(50, self.https, "shop.example", tls=True)
        traffic.come(20, self.https, "shop.example", tls=True)
        before, sizes = self.shown(), []
        for number in range(1, RELOADS + 1):
            if number % 10 == 5:
                self.renew()
            self.write(self.backends[number % 2], more=number % 3 == 0)
            self.reload(gateway, "reloaded in", number)
            traffic.hears(b"AB"[number % 2 : number % 2 + 1], 100)
            sizes.append(resident(gateway))
        self.assertNotEqual(self.shown(), before)
        (self.folder / "etc" / "broken.yaml").write_text("kind: Gateway\nspec: [\n")
        self.reload(gateway, "reload refused", 1)
        self.assertIn("broken.yaml:3:1: error:", gateway.output)
        traffic.stop()
        self.assertEqual(traffic.failures, [])
        # what the first reloads need once is not needed again
        self.assertLess(sizes[-1], sizes[5] * 1.15, sizes)
        self.assertEqual(gateway.stop(), 0)
        lines = (self.folder / "log").read_text().count('"GET / HTTP/1.1" 200 ')
        self.assertEqual(lines, sum(traffic.answers.values()))


class WatchTests(AcceptanceTestCase):
    """Files that are saved while the gateway watches them."""

    def test_saving(self) -> None:
        """A gateway that begins empty follows what is saved: first file, switch, mistake, mending, certificates."""
        etc = self.folder / "etc"
        self.certificates("shop.example")
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--access-log=none")
        gateway.says("no listener is open")
        traffic = Traffic()
        self.addCleanup(traffic.stop)
        backends = [traffic.backend(b"A"), traffic.backend(b"B")]
        http, https = free_ports(2)

        def save(backend: int) -> None:
            (etc / ".new").write_text(FILES.format(http=http, https=https, backend=backend, more=""))
            (etc / ".new").rename(etc / "gateway.yaml")

        save(backends[0])
        gateway.says("reloaded in", 1)
        traffic.keep(5, https, "shop.example", tls=True)
        traffic.hears(b"A", 10)
        save(backends[1])
        traffic.hears(b"B", 10)
        (etc / "gateway.yaml").write_text("kind: Gateway\nspec: [\n")
        gateway.says("reload refused", 1)
        traffic.hears(b"B", 10)
        save(backends[0])
        traffic.hears(b"A", 10)
        (etc / "certs/shop.example.crt").unlink()
        (etc / "certs/shop.example.key").unlink()
        gateway.says("reload refused", 2)
        self.certificates("shop.example")
        gateway.says("certificate of server")
        self.assertEqual(traffic.failures, [])


class AccessLogTests(AcceptanceTestCase):
    """One line for each request."""

    def test_every_request(self) -> None:
        """Requests that were answered, and those whose clients went away, have one line each."""
        traffic = Traffic()
        backend = traffic.backend(b"A")
        (self.folder / "etc").mkdir()
        (port,) = free_ports(1)
        text = FILES.format(http=port, https=0, backend=backend, more="")
        plain = "\n".join(line for line in text.split("\n") if "https" not in line and "tls" not in line)
        (self.folder / "etc" / "gateway.yaml").write_text(plain.replace("    hosts: [shop.example]\n", ""))
        gateway = self.start(
            "twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--access-log=log", "--access-log-format=json"
        )
        gateway.says("serving HTTP")
        traffic.keep(20, port, "shop.example")
        traffic.come(100, port, "shop.example")
        traffic.keep(5, port, "unknown.example")
        gone = 50
        for number in range(gone):
            leave(port, b"GET /gone/%d HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 5\r\n\r\nab" % number)
        traffic.stop()
        self.assertEqual(gateway.stop(), 0)
        lines = [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]
        answered = [line for line in lines if line["path"] == "/"]
        self.assertEqual(len(answered), sum(traffic.answers.values()))
        left = [line for line in lines if (line["path"] or "").startswith("/gone/")]
        self.assertEqual(len({line["path"] for line in left}), gone)
        self.assertEqual(len(left), gone)
        self.assertEqual({line["response_flags"] for line in left}, {"DC"})
        self.assertEqual(len(lines), len(answered) + gone)


def resident(running: Running) -> int:
    """Return the resident size of a process, in KiB."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
