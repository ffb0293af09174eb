"""Certificates that gateways have issued themselves, by a real authority that speaks ACME."""

from __future__ import annotations

import json
import os
import time

from tests.acceptance.issued import ISSUER, WAIT, IssuedTestCase
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import PATIENCE, free_ports, wait_until
from tests.acceptance.served import Client

HOSTS = ("a.example.com", "b.example.com", "c.example.com")


class CertificatesTests(IssuedTestCase):
    """Two gateways on one storage, one of them with two workers."""

    def setUp(self) -> None:
        """Start the authority."""
        super().setUp()
        self.http, self.https, self.other_http, self.other_https, *others = free_ports(10)
        self.admins = others[:2]
        self.pebble = Pebble(self, self.http, others[2:])
        self.url, self.ca = self.pebble.url, self.pebble.ca

    def test_issued_once_and_served_by_all(self) -> None:
        """Each host has one certificate, whoever has asked for it; a new host gets one without a restart."""
        self.write("one", self.http, self.https, *HOSTS)
        self.write("two", self.other_http, self.other_https, *HOSTS, more=WAIT.format("1m"))
        one = self.serve("one")
        (admin,) = self.admins
        two = self.serve("two", "--workers=2")
        # each worker has them
        wait_until(lambda: self.ready(admin), lambda: two.output, pause=0.2)
        root = str(self.pebble.root())
        for port in (self.https, self.other_https):
            self.wait(port, HOSTS, root)
        self.assertEqual(len(self.pebble.issued), len(HOSTS))
        self.assert_private(self.store)
        self.assertEqual(list((self.store / "challenges").iterdir()), [])
        with self.subTest("what is no authority's question goes its usual way"):
            client = Client(self.http)
            self.addCleanup(client.close)
            answer = client.ask("GET", f"/.well-known/acme-challenge/{'a' * 40}", "a.example.com")
            self.assertEqual(answer.status, 301)
        with self.subTest("one is renewed while clients come and stay"):
            self.renewed_under_load(HOSTS[0], root)
        # who has forgotten the account, as all else
        self.pebble.running.stop()
        self.pebble.start()
        self.write("one", self.http, self.https, *HOSTS, "new.example.com")
        one.says("reloaded")
        self.wait(self.https, ("new.example.com",), str(self.pebble.root()))
        self.assertTrue(self.trusted(self.https, HOSTS[0], root))
        self.assertEqual(len(self.pebble.issued), 1)
        listed = self.ask("edgegate", "certs", "list", "--config=one", ISSUER, "--output=json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        states = {each["host"]: each["state"] for each in json.loads(listed.stdout)}
        self.assertEqual(states, dict.fromkeys([*HOSTS, "new.example.com"], "issued"))

    def renewed_under_load(self, host: str, root: str) -> None:
        """Have a host's certificate fall due, and see no client fail, nor anybody else ask for one."""
        issued = len(self.pebble.issued)
        ports = (self.https, self.other_https)
        before = {port: self.serial(port, host, root) for port in ports}
        staying = [Client(port, sni=host) for port in ports]
        for client in staying:
            self.addCleanup(client.close)
        (state,) = self.store.rglob(f"{host}.*.state")
        (pair,) = self.store.rglob(f"{host}.*.pem")
        state.write_text(json.dumps({**json.loads(state.read_text()), "not_before": 0, "renew_at": 1}))
        # a look at the state comes with a new certificate, or when it was said to be due
        os.utime(pair)
        renewed: set[int] = set()
        deadline = time.monotonic() + PATIENCE
        while len(renewed) < len(ports):
            self.assertLess(time.monotonic(), deadline, f"renewed at {renewed} of {ports}")
            for port, client in zip(ports, staying, strict=True):
                if self.serial(port, host, root) != before[port]:
                    renewed.add(port)
                self.assertEqual(client.ask("GET", "/", host).status, 200)
        self.assertEqual(len(self.pebble.issued), issued + 1)
        # one of the workers may be a moment behind the other
        wait_until(lambda: len({self.serial(port, host, root) for port in ports}) == 1, pause=0.2)

    def test_refused(self) -> None:
        """A host that the authority finds elsewhere has none: the log says why and where, and it is not asked again."""
        self.write("two", self.other_http, self.other_https, "a.example.com")
        gateway = self.serve("two")
        line = gateway.finds(lambda line: "no certificate for a.example.com" in line)
        self.assertIn("the next try comes in", line)
        self.assertIn("(shop.yaml:17)", line)
        self.assertFalse(self.trusted(self.other_https, "a.example.com", str(self.pebble.root())))
        listed = self.ask("edgegate", "certs", "list", "--config=two", ISSUER, "--output=json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        (row,) = json.loads(listed.stdout)
        self.assertEqual(row["state"], "failing")
        self.assertIn("connection refused", row["error"])
