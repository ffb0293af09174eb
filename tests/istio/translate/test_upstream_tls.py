"""Tests of L{edgegate.istio.translate.upstream_tls}; what is compiled is in the golden pair C{upstream-tls}."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Severity
from edgegate.istio.translate import Finding, Part
from edgegate.model.tls import Credential, KeyPair, UpstreamTLS
from tests.istio.translate.compiling import Files
from tests.istio.translate.ruling import clusters, route, rule

FILES = Files({"a.crt": b"chain", "a.key": b"key", "ca.crt": b"authority", "ca.crl": b"revoked"})
PLACE = "spec.trafficPolicy.tls"


def compiled(tls: str, *secrets: str) -> tuple[UpstreamTLS | None, list[str]]:
    """Return the TLS of a cluster, and what is told."""
    text = rule(f"host: web.example, trafficPolicy: {{tls: {{{tls}}}}}")
    found, told = clusters(route("{host: web.example, port: {number: 80}}"), text, *secrets, files=FILES)
    return found["outbound|80||web.example"].tls, told


def secret(name: str, **data: str) -> str:
    """Return a Secret."""
    entries = ", ".join(f"{key.replace('_', '.')}: {value}" for key, value in data.items())
    return f"{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}, stringData: {{{entries}}}}}\n"


class UpstreamTLSTests(SynchronousTestCase):
    """TLS with backends."""

    def test_files(self) -> None:
        """Files are read, and what the mode has no use for is not."""
        tls, told = compiled(
            "mode: MUTUAL, clientCertificate: a.crt, privateKey: a.key, caCertificates: ca.crt, caCrl: ca.crl"
        )
        self.assertEqual(told, [])
        self.assertEqual(tls, UpstreamTLS("", b"authority", Credential("a.crt", "a.key"), b"revoked"))
        tls, _ = compiled("mode: SIMPLE, clientCertificate: missing.crt")
        self.assertEqual(tls, UpstreamTLS())

    def test_in_the_clear(self) -> None:
        """Without a mode that talks TLS, there is none."""
        for mode in ("DISABLE", "ISTIO_MUTUAL"):
            self.assertIsNone(compiled(f"mode: {mode}")[0])

    def test_secrets(self) -> None:
        """The authority is beside the certificate, or in a Secret of its own."""
        whole = secret("a", tls_crt="chain", tls_key="key", ca_crt="authority", ca_crl="revoked")
        self.assertEqual(
            compiled("mode: SIMPLE, credentialName: a", whole)[0], UpstreamTLS("", b"authority", None, b"revoked")
        )
        apart = secret("a-cacert", ca_crt="apart")
        self.assertEqual(compiled("mode: SIMPLE, credentialName: a", whole, apart)[0], UpstreamTLS("", b"apart"))
        self.assertEqual(compiled("mode: SIMPLE, credentialName: a", apart)[0], UpstreamTLS("", b"apart"))

    def test_errors(self) -> None:
        """What is missing is said at the field that names it, and there is no TLS then."""
        for tls, secrets, words in (
            ("mode: SIMPLE, caCertificates: none.crt", (), f'{PLACE}.caCertificates: "none.crt" can\'t be read'),
            ("mode: MUTUAL, clientCertificate: none.crt, privateKey: a.key", (), f"{PLACE}.clientCertificate"),
            ("mode: SIMPLE, credentialName: a", (), f'{PLACE}.credentialName: no document declares Secret "a"'),
            ("mode: SIMPLE, credentialName: a", (secret("a", cert="b"),), "has no ca.crt (or cacert) to verify"),
            ("mode: SIMPLE, credentialName: a", (secret("a-cacert", cert="b"),), "a-cacert has no ca.crt"),
            ("mode: MUTUAL, credentialName: a", (secret("a-cacert", cacert="b"),), "no document declares Secret"),
            ("mode: MUTUAL, credentialName: a", (secret("a", key="b", cacert="c"),), "has no tls.crt (or cert)"),
        ):
            found, told = compiled(tls, *secrets)
            self.assertIsNone(found)
            self.assertEqual(len(told), 1, told)
            self.assertIn(words, told[0])

    def test_inspected(self) -> None:
        """What is wrong with key material is said at the field that names it, once for all ports."""

        def inspect(tls: UpstreamTLS, pair: KeyPair | None) -> Iterable[Finding]:
            return [
                Finding(Severity.ERROR, Part.KEY, "bad key"),
                Finding(Severity.WARNING, Part.AUTHORITIES, "old authority"),
            ]

        settings = "mode: MUTUAL, clientCertificate: a.crt, privateKey: a.key, caCertificates: ca.crt"
        both = route("{host: web.example, port: {number: 80}}", "{host: web.example, port: {number: 81}}")
        text = rule(f"host: web.example, trafficPolicy: {{tls: {{{settings}}}}}")
        _, told = clusters(both, text, files=FILES, inspect=inspect)
        self.assertEqual(
            told, [f"error: {PLACE}.privateKey: bad key", f"warning: {PLACE}.caCertificates: old authority"]
        )
