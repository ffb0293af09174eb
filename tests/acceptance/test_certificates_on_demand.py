"""Certificates for names that no file says, by a real authority, for clients that ask for them first."""

from __future__ import annotations

import json
import os
import subprocess
from string import Template
from typing import Any

from tests.acceptance.login_services import LoginService, Reply
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import READY, AcceptanceTestCase, Running, free_ports, wait_until

FILES = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: pebble}
spec:
  acme: {server: "$url", agreeToTerms: true, caCertificates: "$ca"}
  storage: {directory: $store}
  onDemand: {ask: "$ask", allow: ["*.customers.example"], rate: {certificates: 2, period: 1h}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, annotations: {edgegate.io/certificate-issuer: pebble}}
spec:
  servers:
  - port: {number: $http, name: http, protocol: HTTP}
    hosts: ["*"]
    tls: {httpsRedirect: true}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, credentialName: shop}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ["*"]
  gateways: [shop]
  http: [{directResponse: {status: 200, body: {string: "hi"}}}]
"""

OURS = "a.customers.example"
FOREIGN = "b.customers.example"


class OnDemandTests(AcceptanceTestCase):
    """A gateway of two workers that serves the names of its customers."""

    def setUp(self) -> None:
        """Start the authority, and the service that knows the customers."""
        super().setUp()
        self.http, self.https, self.admin, asked, *others = free_ports(8)
        self.service = LoginService(asked, lambda server, request: Reply(404 if FOREIGN in request.path else 200))
        self.addCleanup(self.service.stop)
        self.pebble = Pebble(self, self.http, others)
        values: dict[str, Any] = {
            "url": self.pebble.url,
            "ca": self.pebble.ca,
            "store": self.folder / "store",
            "ask": f"http://127.0.0.1:{asked}/may",
        }
        (self.folder / "files").mkdir()
        text = Template(FILES).substitute(values, http=self.http, https=self.https)
        (self.folder / "files" / "shop.yaml").write_text(text)

    def serve(self) -> Running:
        """Start the gateway."""
        admin = f"--admin=127.0.0.1:{self.admin}"
        running = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=files", "--workers=2", admin)
        running.says(READY, 2)
        return running

    def curl(self, host: str, root: str) -> subprocess.CompletedProcess[str]:
        """Ask as a client that trusts the authority."""
        name = host.rstrip(".").lower()
        place = f"{name}:{self.https}:127.0.0.1"
        return self.ask("curl", "-sS", "--resolve", place, "--cacert", root, f"https://{host}:{self.https}/")

    def renewed(self, host: str, root: str) -> None:
        """Have a host's certificate fall due, and wait for another."""
        (state,) = (self.folder / "store").rglob(f"{host}.*.state")
        (pair,) = (self.folder / "store").rglob(f"{host}.*.pem")
        before = pair.read_bytes()
        state.write_text(json.dumps({**json.loads(state.read_text()), "not_before": 0, "renew_at": 1}))
        # a look at the state comes with a new certificate, or when it was said to be due
        os.utime(pair)
        wait_until(lambda: pair.read_bytes() != before, pause=0.2)
        self.assertEqual(self.curl(host, root).stdout, "hi")

    def asked(self) -> list[str]:
        """The questions so far."""
        return [target for _, target, _, _ in self.service.asked]

    def test_on_demand(self) -> None:
        """The first request for a name that is allowed is served; one that is not gets an alert, and no certificate."""
        gateway, root = self.serve(), str(self.pebble.root())
        answer = self.curl(OURS, root)
        self.assertEqual((answer.returncode, answer.stdout), (0, "hi"), answer.stderr)
        for host in (OURS, OURS.upper()) * 4:
            self.assertEqual(self.curl(host, root).stdout, "hi")
        self.assertEqual((self.asked(), len(self.pebble.issued)), ([f"/may?domain={OURS}"], 1))
        with self.subTest("one that is due is renewed once the service has said that it may be"):
            self.renewed(OURS, root)
            self.assertEqual((set(self.asked()), len(self.pebble.issued)), ({f"/may?domain={OURS}"}, 2))
            # by each worker that holds it
            self.assertIn(len(self.asked()), (2, 3))
        with self.subTest("a name that the service refuses, and one that is not on the list"):
            for host in (FOREIGN, "a.example.com", "x_y.customers.example"):
                answer = self.curl(host, root)
                self.assertEqual(answer.returncode, 35, answer)
                self.assertIn("unrecognized name", answer.stderr)
            self.assertEqual({each for each in self.asked() if OURS not in each}, {f"/may?domain={FOREIGN}"})
        with self.subTest("no more than there may be, whatever the service says"):
            served = [self.curl(f"{name}.customers.example", root).returncode for name in "cde"]
            self.assertEqual(served, [0, 35, 35])
            self.assertEqual(len(self.pebble.issued), 3)
        listed = self.ask("edgegate", "certs", "list", "--config=files", "--output=json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        states = {each["host"]: each["state"] for each in json.loads(listed.stdout)}
        self.assertEqual(states, {OURS: "issued", "c.customers.example": "issued"})
        with self.subTest("a restart serves what is in the store, and asks nobody"):
            self.pebble.running.stop()
            gateway.stop()
            asked = len(self.asked())
            self.serve()
            self.assertEqual(self.curl(OURS, root).stdout, "hi")
            self.assertEqual(len(self.asked()), asked)
