"""Tests for C{edgegate certs trust}."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.certs import certs
from edgegate.model.certificates import CertificateDirectory, CertificateIssuer, LocalAuthority, ManagedCertificate
from edgegate.tls.acme.local import LocalIssuing
from edgegate.tls.acme.store import CertificateStore
from tests.istio.translate.test_certificates import GATEWAY, ISSUER, LOCAL
from tests.tls.acme.certificates import ORIGIN


class CertsTrustTests(SynchronousTestCase):
    """What the command tells."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.write(LOCAL + GATEWAY)

    def write(self, text: str) -> None:
        """Write the gateway's files."""
        (self.folder / "gw.yaml").write_text(text)

    def ask(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(certs, ["trust", "--config", str(self.folder), *arguments])

    def issue(self) -> None:
        """Have a certificate signed, as a gateway does."""
        issuer = CertificateIssuer("default/ca", LocalAuthority(), CertificateDirectory(str(self.folder / "certs")))
        certificate = ManagedCertificate("a.example.com", issuer, ORIGIN)
        LocalIssuing(CertificateStore(issuer), LocalAuthority()).issue(certificate)

    def test_told(self) -> None:
        """What to do, with the fingerprint by which the root is known again."""
        self.issue()
        pem = (self.folder / "certs" / "local" / "ca.pem").read_text()
        self.assertEqual(self.ask("-o", "pem").output, pem)
        result = self.ask()
        self.assertEqual(result.exit_code, 0, result.output)
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
        self.assertIn(f"SHA-256 {digest[:2]}:{digest[2:4]}:", result.output)
        self.assertIn("edgegate local authority (CertificateIssuer default/ca)", result.output)
        self.assertIn("curl --cacert ca.pem https://a.example.com/", result.output)
        for words in ("update-ca-certificates", "update-ca-trust", "security add-trusted-cert", "-addstore", "nssdb"):
            self.assertIn(words, result.output)
        self.assertNotIn("{", result.output)
        spaced = self.folder.rename(self.folder.with_name("its folder"))
        result = CliRunner().invoke(certs, ["trust", "--config", str(spaced)])
        self.assertIn(f"edgegate certs trust --config '{spaced}' -o pem >ca.pem", result.output)
        spaced.rename(self.folder)
        self.write(LOCAL + GATEWAY.replace("number: 443", "number: 8443"))
        self.assertIn("curl --cacert ca.pem https://a.example.com:8443/", self.ask().output)

    def test_on_demand(self) -> None:
        """Authorities that issue on demand alone are told, too."""
        self.issue()
        on_demand = LOCAL.replace("local: {}", 'local: {}\n  onDemand: {allow: ["*.localhost"]}')
        self.write(on_demand + GATEWAY.replace("[a.example.com, shop/b.example.com]", '["*.localhost"]'))
        self.assertIn("curl --cacert ca.pem https://app.localhost/", self.ask().output)

    def test_nothing(self) -> None:
        """There is no root yet, no local authority, or the files are wrong."""
        result = self.ask()
        self.assertEqual(result.exit_code, 1)
        self.assertIn("default/ca has no root yet", result.output)
        self.write(ISSUER + GATEWAY)
        self.assertIn("no server has its certificates", self.ask().output)
        self.write(GATEWAY)
        self.assertEqual(self.ask().exit_code, 1)

    def test_broken(self) -> None:
        """A root that is none, or can't be read, is told in a line."""
        self.issue()
        path = self.folder / "certs" / "local" / "root.pem"
        path.write_text("nonsense")
        result = self.ask()
        self.assertEqual((result.exit_code, "root.pem" in result.output), (1, True), result.output)
        path.unlink()
        path.mkdir()
        result = self.ask()
        self.assertEqual((result.exit_code, "Is a directory" in result.output), (1, True), result.output)

    def test_away(self) -> None:
        """A Redis that is away is told with what it is."""
        (self.folder / "key").write_text("k" * 42 + "A=")
        redis = 'redis: {address: "unix:///nowhere/redis.sock", encryptionKey: {file: key}}'
        self.write(LOCAL.replace("directory: certs", redis) + GATEWAY)
        result = self.ask()
        self.assertEqual(result.exit_code, 1)
        self.assertIn("Redis /nowhere/redis.sock: ", result.output)
