"""Policies that are not honoured: no folder is served more open than its files say."""

from __future__ import annotations

import signal
import urllib.request

from tests.acceptance.processes import PATIENCE, READY, AcceptanceTestCase, free_ports

SERVED = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - {{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: ["*"]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: all, namespace: istio-system}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - directResponse: {{status: 200, body: {{string: open}}}}
"""
DENY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: istio-system}
spec:
  selector: {matchLabels: {app: istio-ingressgateway}}
  action: DENY
  rules: [{}]
"""


class AccessPoliciesTests(AcceptanceTestCase):
    """C{twistd edgegate} with a DENY policy among its files."""

    def setUp(self) -> None:
        """Write the files."""
        super().setUp()
        (self.port,) = free_ports(1)
        self.etc = self.folder / "etc"
        self.etc.mkdir(exist_ok=True)
        (self.etc / "gateway.yaml").write_text(SERVED.format(port=self.port))

    def answer(self) -> bytes:
        """Ask the gateway."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=PATIENCE) as response:
            body: bytes = response.read()
            return body

    def test_refused(self) -> None:
        """It is not served, and what to do is said with its place."""
        (self.etc / "deny.yaml").write_text(DENY)
        done = self.ask("twistd", "-n", "--pidfile=", "edgegate", "--config=etc")
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stdout + done.stderr, r"(?m)^deny\.yaml:1:1: error: .* could be for this gateway: .*")

    def test_ignored(self) -> None:
        """With its kind ignored it is served all the same."""
        (self.etc / "deny.yaml").write_text(DENY)
        options = ("--config=etc", "--ignore-kind=AuthorizationPolicy", "--access-log=none")
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        gateway.says(READY)
        self.assertEqual(self.answer(), b"open")
        gateway.stop()

    def test_reload(self) -> None:
        """One that comes later keeps its folder from being taken over: what was served goes on."""
        options = ("--config=etc", "--no-watch", "--access-log=none")
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        gateway.says(READY)
        (self.etc / "deny.yaml").write_text(DENY)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("could be for this gateway")
        self.assertEqual(self.answer(), b"open")
        gateway.stop()
