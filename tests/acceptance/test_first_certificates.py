"""Gateways that wait for their first certificates (C{untilIssued: Wait}), and what they show of them."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from string import Template
from typing import Any

from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import PATIENCE, READY, AcceptanceTestCase, Running, free_ports, wait_until
from tests.acceptance.served import Answer, Client

FILES = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: ca}
spec:
  acme: {server: "$url", agreeToTerms: true$more}
  storage: {directory: $store}
  untilIssued: Wait
  readinessTimeout: $timeout
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, annotations: {edgegate.io/certificate-issuer: ca}}
spec:
  servers:
  - port: {number: $http, name: http, protocol: HTTP}
    hosts: ["*.example.com"]
    tls: {httpsRedirect: true}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: [$hosts]
    tls: {mode: SIMPLE, credentialName: shop}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ["*.example.com"]
  gateways: [shop]
  http: [{directResponse: {status: 200, body: {string: "hi"}}}]
"""

NOT_READY = b"not ready: the first certificates are to be issued\n"


class FirstCertificatesTests(AcceptanceTestCase):
    """A gateway and its authority."""

    def setUp(self) -> None:
        """Choose ports."""
        super().setUp()
        self.http, self.https, self.admin, *self.pebble_ports = free_ports(7)

    def write(self, name: str, http: int, https: int, *hosts: str, **values: str) -> None:
        """Write the files of a gateway, all at once."""
        (self.folder / name).mkdir(exist_ok=True)
        new = self.folder / f"{name}.new"
        values = {"more": "", "timeout": "1m", "store": str(self.folder / "store"), **values}
        new.write_text(Template(FILES).substitute(values, http=http, https=https, hosts=", ".join(hosts)))
        new.rename(self.folder / name / "shop.yaml")

    def serve(self, name: str, admin: int, *options: str) -> Running:
        """Start a gateway."""
        command = ("twistd", "-n", "--pidfile=", "edgegate", f"--config={name}", f"--admin=127.0.0.1:{admin}")
        running = self.start(*command, *options)
        running.says(READY, 2)
        return running

    def admits(self, admin: int, path: str) -> Answer:
        """Ask the admin listener."""
        client = Client(admin)
        try:
            return client.ask("GET", path, "localhost")
        finally:
            client.close()

    def ready(self, admin: int) -> bool:
        """Whether a probe takes the gateway for ready."""
        return self.admits(admin, "/ready").status == 200

    def certs(self, admin: int) -> dict[str, dict[str, Any]]:
        """Return what is said of certificates, by their hosts."""
        found = json.loads(self.admits(admin, "/certs?format=json").body)
        return {row["names"][0]: row for row in found}

    def refusal(self, port: int, host: str) -> str:
        """Connect as a client that takes any certificate; return why it can't."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                context.wrap_socket(connection, server_hostname=host).close()
        except ssl.SSLError as error:
            return str(error.reason)
        return ""

    def test_wait(self) -> None:
        """
        Whoever asks gets an alert and no placeholder, and probes get 503, until all workers have the certificates. A
        host that is added later makes nobody unready, and is refused until it has one; a restart is ready at once.
        """
        pebble = Pebble(self, self.http, self.pebble_ports)
        trusted = {"url": pebble.url, "more": f', caCertificates: "{pebble.ca}"'}
        self.addCleanup(pebble.running.process.send_signal, signal.SIGCONT)
        pebble.running.process.send_signal(signal.SIGSTOP)
        self.write("one", self.http, self.https, "a.example.com", "b.example.com", **trusted)
        gateway = self.serve("one", self.admin, "--workers=2")
        gateway.says("not ready for 60 s at most")
        found = self.admits(self.admin, "/ready")
        self.assertEqual((found.status, found.body), (503, NOT_READY))
        for host in ("a.example.com", "x.example.com"):
            self.assertEqual(self.refusal(self.https, host), "TLSV1_UNRECOGNIZED_NAME")
        gateway.says("no_certificate_yet")
        row = self.certs(self.admin)["a.example.com"]
        self.assertEqual(
            (row["state"], row["status"], row["file"]), ("to be issued", "TO BE ISSUED", "shop.yaml:19"), row
        )
        self.assertIn("\nenvoy_server_state 3", self.admits(self.admin, "/metrics").body.decode())
        pebble.running.process.send_signal(signal.SIGCONT)
        wait_until(lambda: self.ready(self.admin), lambda: gateway.output, pause=0.1)
        for host in ("a.example.com", "b.example.com"):
            # by either worker
            self.assertEqual([self.refusal(self.https, host) for _ in range(4)], [""] * 4, gateway.output)
        self.assertEqual({row["state"] for row in self.certs(self.admin).values()}, {"issued"})
        self.assertEqual(len(pebble.issued), 2)
        pebble.running.process.send_signal(signal.SIGSTOP)
        self.write("one", self.http, self.https, "a.example.com", "c.example.com", **trusted)
        gateway.says("reloaded")
        self.assertTrue(self.ready(self.admin))
        self.assertEqual(self.refusal(self.https, "a.example.com"), "")
        self.assertEqual(self.refusal(self.https, "c.example.com"), "TLSV1_UNRECOGNIZED_NAME")
        gateway.stop()
        self.write("one", self.http, self.https, "a.example.com", "b.example.com", **trusted)
        self.serve("one", self.admin)
        self.assertTrue(self.ready(self.admin), "all that it waits for is in the storage")

    def test_away(self) -> None:
        """An authority that is away keeps nobody waiting for longer than the files say; who asks is told why."""
        nowhere = self.pebble_ports[0]
        self.write(
            "one", self.http, self.https, "a.example.com", url=f"https://127.0.0.1:{nowhere}/dir", timeout="200ms"
        )
        gateway = self.serve("one", self.admin)
        gateway.says("a.example.com is without a certificate after 0.2 s")
        self.assertTrue(self.ready(self.admin))
        self.assertEqual(self.refusal(self.https, "a.example.com"), "TLSV1_UNRECOGNIZED_NAME")
        gateway.says("no certificate for a.example.com by default/ca")
        wait_until(lambda: self.certs(self.admin)["a.example.com"]["state"] == "failing", lambda: gateway.output)
        row = self.certs(self.admin)["a.example.com"]
        self.assertEqual((row["issued_by"], row["file"]), ("default/ca", "shop.yaml:19"))
        self.assertIn("can't be reached", row["last_error"])
        metrics = self.admits(self.admin, "/metrics").body.decode()
        for each in (
            'edgegate_managed_certificates{issuer="default/ca",state="failing"} 1',
            'edgegate_certificate_orders_total{issuer="default/ca",outcome="failed"} 1',
        ):
            self.assertIn(each, metrics)
        shown = self.ask("edgegate", "proxy-config", "secrets", f"--admin=127.0.0.1:{self.admin}")
        self.assertIn("can't be reached", shown.stdout)
        for told in (shown.stdout, json.dumps(row), metrics):
            self.assertNotIn("PRIVATE KEY", told)
