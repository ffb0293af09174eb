"""Tests of L{edgegate.admin.live.site_map}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.parts import CERTIFICATES, Row
from edgegate.admin.live.site_map import map_rows
from tests.admin.served import NOW, SECRETS, SERVICE, SNAPSHOT, WEB


class MapTests(SynchronousTestCase):
    """A Snapshot with everything in it."""

    def setUp(self) -> None:
        """Have its rows."""
        self.rows: dict[str, list[Row]] = {}
        for table, row in map_rows(SNAPSHOT, SECRETS, lambda listener: listener.bind, NOW):
            self.rows.setdefault(table, []).append(row)

    def test_ids(self) -> None:
        """Every row has an id of its own, and a place in the files."""
        for table, rows in self.rows.items():
            self.assertEqual(len({row["id"] for row in rows}), len(rows), table)
            self.assertTrue(all(row["file"].startswith("shop.yaml:") for row in rows), table)

    def test_tree(self) -> None:
        """Each row says of what it is a part."""
        listeners = {row["id"] for row in self.rows["listeners"]}
        hosts = {row["id"]: row for row in self.rows["hosts"]}
        self.assertEqual({row["listener"] for row in hosts.values()}, listeners)
        for route in self.rows["routes"]:
            self.assertEqual(route["listener"], hosts[route["host_id"]]["listener"])
            self.assertLessEqual(set(route["clusters"]), {row["id"] for row in self.rows["clusters"]})

    def test_listeners(self) -> None:
        """A listener names its servers."""
        plain, secure = self.rows["listeners"]
        self.assertEqual((plain["address"], plain["port"]), ("[::]:8080", 80))
        self.assertEqual([server["type"] for server in secure["servers"]], ["HTTPS", "TLS passthrough"])
        self.assertEqual(secure["servers_total"], 2)

    def test_routes(self) -> None:
        """A route says what it takes and where it sends that; so does one of TCP."""
        cart, every, passed = self.rows["routes"]
        self.assertEqual((cart["name"], cart["place"], cart["host"]), ("cart", 0, "shop.example"))
        self.assertIn("/cart*", cart["match"])
        self.assertEqual(cart["to"][0], f"{WEB} (90)")
        self.assertEqual((every["to"], every["match"], every["action"]), ([WEB], "/*", "forward"))
        self.assertEqual((every["file"], every["resource"]), (str(SERVICE), SERVICE.resource))
        self.assertEqual((passed["host"], passed["match"]), ("tls.example", "*"))

    def test_certificates(self) -> None:
        """Certificates are there, and no key is."""
        self.assertEqual({row["type"] for row in self.rows[CERTIFICATES]}, {"Cert Chain", "CA"})
        self.assertNotIn("PRIVATE", str(self.rows))
