"""Certificates for names that no file says, by a real authority, for clients that ask for them first."""

from __future__ import annotations

import json
import os
import subprocess

from tests.acceptance.issued import ISSUER, IssuedTestCase
from tests.acceptance.login_services import LoginService, Reply
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import free_ports, wait_until

RULES = """\
  onDemand: {{ask: "{}", allow: ["*.customers.example"], rate: {{certificates: 2, period: 1h}}}}
"""

OURS = "a.customers.example"
FOREIGN = "b.customers.example"


class OnDemandTests(IssuedTestCase):
    """A gateway of two workers that serves the names of its customers."""

    def setUp(self) -> None:
        """Start the authority, and the service that knows the customers."""
        super().setUp()
        self.http, self.https, admin, asked, *others = free_ports(8)
        self.admins = [admin] * 2
        self.service = LoginService(asked, lambda server, request: Reply(404 if FOREIGN in request.path else 200))
        self.addCleanup(self.service.stop)
        self.pebble = Pebble(self, self.http, others)
        self.url, self.ca = self.pebble.url, self.pebble.ca
        more = RULES.format(f"http://127.0.0.1:{asked}/may")
        self.write("files", self.http, self.https, '"*"', plain='"*"', more=more)

    def curl(self, host: str, root: str) -> subprocess.CompletedProcess[str]:
        """Ask as a client that trusts the authority."""
        name = host.rstrip(".").lower()
        place = f"{name}:{self.https}:127.0.0.1"
        return self.ask("curl", "-sS", "--resolve", place, "--cacert", root, f"https://{host}:{self.https}/")

    def renewed(self, host: str, root: str) -> None:
        """Have a host's certificate fall due, and wait for another."""
        (state,) = self.store.rglob(f"{host}.*.state")
        (pair,) = self.store.rglob(f"{host}.*.pem")
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
        gateway, root = self.serve("files", "--workers=2"), str(self.pebble.root())
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
        listed = self.ask("edgegate", "certs", "list", "--config=files", ISSUER, "--output=json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        states = {each["host"]: each["state"] for each in json.loads(listed.stdout)}
        self.assertEqual(states, {OURS: "issued", "c.customers.example": "issued"})
        with self.subTest("a restart serves what is in the store, and asks nobody"):
            self.pebble.running.stop()
            gateway.stop()
            asked = len(self.asked())
            self.serve("files", "--workers=2")
            self.assertEqual(self.curl(OURS, root).stdout, "hi")
            self.assertEqual(len(self.asked()), asked)
