"""Tests of L{edgegate.istio.translate.credentials}."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Severity
from edgegate.istio.translate.compile_options import Finding, Part
from edgegate.model.tls import KeyPair, ServerTLS, TLSVersion
from tests.istio.translate.compiling import Collected, compiled, gateway, listener, route, secret, virtual_service

FILES = {"a.crt": b"chain", "a.key": b"key", "ca.crt": b"authorities", "a.crl": b"revoked"}
PAIR = "serverCertificate: a.crt, privateKey: a.key"


ROUTED = virtual_service("a", "*", f"http: [{route()}]")


class CredentialsTests(SynchronousTestCase):
    """Certificates, authorities and terms."""

    def setUp(self) -> None:
        """Collect key material."""
        self.collected = Collected()

    def pair(self, settings: str, *secrets: str) -> KeyPair:
        """Compile the TLS of a server, and return the only certificate with its key that it names."""
        (credential,) = self.tls(settings, *secrets).credentials
        return self.collected.pairs[credential]

    def tls(self, settings: str, *secrets: str) -> ServerTLS:
        """Compile the TLS of a server in which nothing is wrong."""
        text = gateway("gw", f"443 HTTPS a.example {{{settings}}}") + "".join(secrets) + ROUTED
        snapshot, problems = compiled(text, files=FILES, inspect=self.collected.servers)
        self.assertEqual(problems, [])
        chain = listener(snapshot, 443).secure.lookup("a.example")
        assert chain is not None and chain.tls is not None
        return chain.tls

    def error(self, settings: str, *secrets: str) -> str:
        """Return the only error of a server."""
        text = gateway("gw", f"443 HTTPS a.example {{{settings}}}") + "".join(secrets)
        (error,) = [line for line in compiled(text, files=FILES)[1] if " error: " in line]
        return error

    def test_files(self) -> None:
        """Certificates and keys from files; HTTPS offers HTTP/1.1."""
        tls = self.tls(f"mode: SIMPLE, {PAIR}")
        pair = self.collected.pairs[tls.credentials[0]]
        self.assertEqual((pair.name, pair.chain, pair.key), ("a.crt", b"chain", b"key"))
        self.assertEqual((tls.alpn, tls.rules.verification), ((b"h2", b"http/1.1"), None))
        self.assertIn(
            '"no.key" can\'t be read', self.error("mode: SIMPLE, serverCertificate: a.crt, privateKey: no.key")
        )

    def test_secrets(self) -> None:
        """Secrets by either spelling of their keys, in the Gateway's namespace or where Istio's gateway looks."""
        for keys in (("tls.crt", "tls.key"), ("cert", "key")):
            pair = self.pair("mode: SIMPLE, credentialName: shop", secret("shop", *keys))
            self.assertEqual((pair.name, pair.chain.decode()), ("secret default/shop", f"shop {keys[0]}"))
        for name in ("shop", "kubernetes://shop", "istio-system/shop"):
            self.tls(f"mode: SIMPLE, credentialName: '{name}'", secret("shop", "cert", "key", namespace="istio-system"))
        self.assertIn(
            'no document declares Secret "shpo" in namespace "default" or "istio-system"; did you mean "shop"?',
            self.error("mode: SIMPLE, credentialName: shpo", secret("shop", "cert", "key")),
        )
        self.assertIn("has no tls.key", self.error("mode: SIMPLE, credentialName: shop", secret("shop", "cert")))

    def test_files_beside_a_secret(self) -> None:
        """Half a pair of files beside a Secret is not read, as Istio takes it; where both are given, it is an error."""
        shop = secret("shop", "cert", "key")
        settings = "mode: SIMPLE, privateKey: no.key, credentialName: shop"
        snapshot, problems = compiled(gateway("gw", f"443 HTTPS a.example {{{settings}}}") + shop + ROUTED, files=FILES)
        (warning,) = problems
        self.assertIn("tls.privateKey: changes nothing: credentialName says where the certificate is", warning)
        chain = listener(snapshot, 443).secure.lookup("a.example")
        assert chain is not None and chain.tls is not None
        self.assertEqual([credential.name for credential in chain.tls.credentials], ["secret default/shop"])

    def test_authorities(self) -> None:
        """What clients are verified against is in a file, in the Secret itself, or in one beside it."""
        server = secret("shop", "cert", "key", "cacert")
        for settings, secrets, expected in (
            (f"mode: MUTUAL, {PAIR}, caCertificates: ca.crt, caCrl: a.crl", (), b"authorities"),
            ("mode: MUTUAL, credentialName: shop", (server,), b"shop cacert"),
            (
                "mode: MUTUAL, credentialName: shop",
                (server, secret("shop-cacert", "ca.crt")),
                b"shop-cacert ca.crt",
            ),
        ):
            verification = self.tls(settings, *secrets).rules.verification
            assert verification is not None
            self.assertEqual(verification.authorities, expected)
            self.assertEqual(verification.revocations, b"revoked" if "caCrl" in settings else b"")
        self.assertIn(
            "MUTUAL needs a CA: secret default/shop has no ca.crt",
            self.error("mode: MUTUAL, credentialName: shop", secret("shop", "cert", "key")),
        )

    def test_pins(self) -> None:
        """Digests are read as Istio has them."""
        digest = sha256(b"x").digest()
        spki, hashed = b64encode(digest).decode(), digest.hex()
        start = f"mode: OPTIONAL_MUTUAL, {PAIR}, caCertificates: ca.crt"
        tls = self.tls(f"{start}, verifyCertificateSpki: ['{spki}'], verifyCertificateHash: ['{hashed}']")
        verification = tls.rules.verification
        assert verification is not None
        self.assertEqual((verification.spki, verification.hashes, verification.required), ((digest,), (digest,), False))
        self.assertIn("verifyCertificateSpki[0]", self.error(f"{start}, verifyCertificateSpki: [a]"))
        self.assertIn("verifyCertificateHash[0]", self.error(f"{start}, verifyCertificateHash: [a]"))

    def test_versions(self) -> None:
        """A range of versions; a low maximum lowers the default minimum."""
        for settings, expected in (
            ("", (TLSVersion.TLSV1_2, TLSVersion.TLSV1_3)),
            (", minProtocolVersion: TLSV1_3", (TLSVersion.TLSV1_3, TLSVersion.TLSV1_3)),
            (", maxProtocolVersion: TLSV1_1", (TLSVersion.TLSV1_1, TLSVersion.TLSV1_1)),
        ):
            rules = self.tls(f"mode: SIMPLE, {PAIR}{settings}").rules
            self.assertEqual((rules.minimum, rules.maximum), expected)
        self.assertIn(
            "is above maxProtocolVersion",
            self.error(f"mode: SIMPLE, {PAIR}, minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2"),
        )

    def test_inspected(self) -> None:
        """What whoever inspects key material says of it stands at the field that names it."""
        text = gateway("gw", f"443 HTTPS a.example {{mode: SIMPLE, {PAIR}}}") + ROUTED
        finding = Finding(Severity.WARNING, Part.KEY, "it is short")
        _, problems = compiled(text, files=FILES, inspect=lambda tls, pairs, hosts: [finding])
        self.assertIn("warning: spec.servers[0].tls.privateKey: it is short", problems[0])
