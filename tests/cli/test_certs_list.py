"""Tests for C{edgegate certs list}."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.certs import certs
from edgegate.cli.certs_list import row
from edgegate.sources.loading import load
from edgegate.sources.named import source_named
from edgegate.tls.acme.demand.ledger import Ledger
from edgegate.tls.acme.life import Record
from edgegate.tls.acme.store import CertificateStore
from tests.istio.translate.test_certificates import GATEWAY, ISSUER
from tests.tls.acme.certificates import made, managed

NOW = 1_700_000_000.0


class CertsListTests(SynchronousTestCase):
    """What the command lists."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        (self.folder / "gw.yaml").write_text(ISSUER + GATEWAY)

    def ask(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(certs, ["list", "--config", str(self.folder), *arguments])

    def test_table(self) -> None:
        """A line for each certificate."""
        result = self.ask()
        self.assertEqual(result.exit_code, 0, result.output)
        lines = [line.split()[:5] for line in result.output.splitlines()]
        self.assertEqual([line[0] for line in lines], ["HOST", "a.example.com", "b.example.com"])
        self.assertEqual(lines[1], ["a.example.com", "default/ca", "to", "be", "issued"])

    def test_json(self) -> None:
        """The same for programs."""
        (first, _) = json.loads(self.ask("-o", "json").output)
        self.assertEqual((first["host"], first["state"], first["until"]), ("a.example.com", "to be issued", None))

    def test_nothing(self) -> None:
        """Files without such certificates are told so; those with errors are not listed."""
        (self.folder / "gw.yaml").write_text(ISSUER)
        self.assertIn("no certificate is issued", self.ask().output)
        (self.folder / "gw.yaml").write_text(GATEWAY)
        self.assertEqual(self.ask().exit_code, 1)

    def test_away(self) -> None:
        """A Redis that is away is told with what it is."""
        (self.folder / "key").write_text("k" * 42 + "A=")
        redis = 'redis: {address: "unix:///nowhere/redis.sock", encryptionKey: {file: key}}'
        (self.folder / "gw.yaml").write_text(ISSUER.replace("directory: certs", redis) + GATEWAY)
        result = self.ask()
        self.assertEqual(result.exit_code, 1, result.output)
        self.assertIn("Redis /nowhere/redis.sock: ", result.output)
        self.assertIn("No such file or directory", result.output)

    def test_states(self) -> None:
        """What is said of a certificate in each part of its life."""
        certificate = managed(self.folder / "store")
        store = CertificateStore(certificate.issuer)

        def told(record: Record) -> tuple[object, ...]:
            store.put_record(certificate, record)
            found = row(certificate, lambda: NOW)
            return found["state"], found["days"], found["next"], found["error"]

        self.assertEqual(told(Record()), ("to be issued", None, "issue now", None))
        failing = Record(failures=1, not_before=NOW + 60, error="no")
        self.assertEqual(told(failing), ("failing", None, "issue 2023-11-14 22:14 UTC", "no"))
        begin, end = NOW - 86400, NOW + 10 * 86400
        pair = made(certificate, begin, end)
        store.put_pair(certificate, pair.key, pair.chain)
        record = Record(begin, end, (NOW + 86400, NOW + 86400), NOW + 86400, NOW + 5)
        self.assertEqual(told(record), ("issued", 10, "renew 2023-11-15 22:13 UTC", None))
        late = replace(record, renew_at=NOW - 5, failures=3, not_before=NOW + 60, error="no")
        self.assertEqual(told(late), ("renewal fails", 10, "renew 2023-11-14 22:14 UTC", "no"))

    def test_on_demand(self) -> None:
        """What was issued on demand is listed with the rest."""
        rules = "  onDemand: {allow: ['*.example.com']}\n---"
        text = (ISSUER + GATEWAY).replace("---", rules, 1).replace("a.example.com", '"*.example.com"')
        (self.folder / "gw.yaml").write_text(text)
        loaded = load(source_named(str(self.folder)))
        assert loaded.snapshot is not None
        (found,) = loaded.snapshot.on_demand
        Ledger(found).reserve("new.example.com")
        rows = json.loads(self.ask("-o", "json").output)
        self.assertEqual(
            [(each["host"], each["state"]) for each in rows],
            [("b.example.com", "to be issued"), ("new.example.com", "to be issued")],
        )
