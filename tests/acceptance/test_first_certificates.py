"""Gateways that wait for their first certificates (C{untilIssued: Wait}), and what they show of them."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from typing import Any

from edgegate.tls.authority import Authority
from tests.acceptance.issued import WAIT, IssuedTestCase
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import PATIENCE, free_ports, wait_until

NOT_READY = b"not ready: the first certificates are to be issued\n"


class FirstCertificatesTests(IssuedTestCase):
    """A gateway and its authority."""

    def setUp(self) -> None:
        """Choose ports."""
        super().setUp()
        self.http, self.https, self.admin, *self.pebble_ports = free_ports(7)
        self.admins = [self.admin] * 2

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
        self.url, self.ca, more = pebble.url, pebble.ca, WAIT.format("1m")
        self.addCleanup(pebble.running.process.send_signal, signal.SIGCONT)
        pebble.running.process.send_signal(signal.SIGSTOP)
        self.write("one", self.http, self.https, "a.example.com", "b.example.com", more=more)
        gateway = self.serve("one", "--workers=2")
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
        self.write("one", self.http, self.https, "a.example.com", "c.example.com", more=more)
        gateway.says("reloaded")
        self.assertTrue(self.ready(self.admin))
        self.assertEqual(self.refusal(self.https, "a.example.com"), "")
        self.assertEqual(self.refusal(self.https, "c.example.com"), "TLSV1_UNRECOGNIZED_NAME")
        gateway.stop()
        self.write("one", self.http, self.https, "a.example.com", "b.example.com", more=more)
        self.serve("one")
        self.assertTrue(self.ready(self.admin), "all that it waits for is in the storage")

    def test_away(self) -> None:
        """An authority that is away keeps nobody waiting for longer than the files say; who asks is told why."""
        self.url, self.ca = f"https://127.0.0.1:{self.pebble_ports[0]}/dir", self.folder / "ca.crt"
        self.ca.write_bytes(Authority.new("nobody").own.chain_pem)
        self.write("one", self.http, self.https, "a.example.com", more=WAIT.format("200ms"))
        gateway = self.serve("one")
        gateway.says("a.example.com is without a certificate after 0.2 s")
        self.assertTrue(self.ready(self.admin))
        self.assertEqual(self.refusal(self.https, "a.example.com"), "TLSV1_UNRECOGNIZED_NAME")
        gateway.says("no certificate for a.example.com by certificates/pebble")
        wait_until(lambda: self.certs(self.admin)["a.example.com"]["state"] == "failing", lambda: gateway.output)
        row = self.certs(self.admin)["a.example.com"]
        self.assertEqual((row["issued_by"], row["file"]), ("certificates/pebble", "shop.yaml:19"))
        self.assertIn("can't be reached", row["last_error"])
        metrics = self.admits(self.admin, "/metrics").body.decode()
        for each in (
            'edgegate_managed_certificates{issuer="certificates/pebble",state="failing"} 1',
            'edgegate_certificate_orders_total{issuer="certificates/pebble",outcome="failed"} 1',
        ):
            self.assertIn(each, metrics)
        shown = self.ask("edgegate", "proxy-config", "secrets", f"--admin=127.0.0.1:{self.admin}")
        self.assertIn("can't be reached", shown.stdout)
        for told in (shown.stdout, json.dumps(row), metrics):
            self.assertNotIn("PRIVATE KEY", told)
