"""Certificates by a second authority, Caddy's, whose answers are others than Pebble's."""

from __future__ import annotations

import json

from tests.acceptance.caddy import Caddy
from tests.acceptance.issued import ISSUER, IssuedTestCase
from tests.acceptance.processes import free_ports, wait_until

HOSTS = ("a.example.com", "b.example.com")


class CaddyTests(IssuedTestCase):
    """A gateway, and an authority that suggests no windows, and issues for an hour."""

    def setUp(self) -> None:
        """Start the authority."""
        super().setUp()
        self.http, self.https, admin, port, unused = free_ports(5)
        self.admins = [admin]
        self.caddy = Caddy(self, self.http, port, unused)
        self.url, self.ca = self.caddy.url, self.caddy.ca

    def certs(self, word: str, *options: str) -> tuple[int, str, str]:
        """Run a command."""
        done = self.ask("edgegate", "certs", word, "--config=one", ISSUER, *options)
        return done.returncode, done.stdout, done.stderr

    def test_life(self) -> None:
        """Hosts are issued, renewed and revoked; what it does not issue for is told with its words."""
        self.write("one", self.http, self.https, *HOSTS, "a.example.org")
        gateway = self.serve("one")
        root = str(self.ca)
        self.wait(self.https, HOSTS, root)
        line = gateway.finds(lambda line: "no certificate for a.example.org" in line)
        self.assertIn("(shop.yaml:17)", line)
        self.assertIn("rejectedIdentifier", line)
        first = self.serial(self.https, HOSTS[0], root)
        status, said, error = self.certs("renew", "--force", HOSTS[0])
        self.assertEqual(status, 0, error)
        wait_until(lambda: self.serial(self.https, HOSTS[0], root) != first, lambda: said, pause=0.2)
        second = self.serial(self.https, HOSTS[1], root)
        status, said, error = self.certs("revoke", HOSTS[1])
        self.assertEqual(status, 0, error)
        wait_until(lambda: self.serial(self.https, HOSTS[1], root) != second, lambda: said, pause=0.2)
        status, said, error = self.certs("list", "-o", "json")
        states = {each["host"]: each["state"] for each in json.loads(said)}
        self.assertEqual(states, {**dict.fromkeys(HOSTS, "issued"), "a.example.org": "failing"})
