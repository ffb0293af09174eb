"""Tests of L{edgegate.istio.validation.server_tls}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase, secure

FILES = "serverCertificate: a.crt, privateKey: a.key"


class ServerTLSTests(CasesTestCase):
    """Where certificates come from, and what clients are verified against."""

    def test_sources(self) -> None:
        """Exactly one place says where the certificate is."""
        three = "{serverCertificate: a, privateKey: b}"
        self.check(
            "Gateway",
            [
                (secure(f"{{{tls}}}"), words)
                for tls, words in (
                    (f"mode: SIMPLE, {FILES}", ""),
                    ("mode: SIMPLE, credentialName: a", ""),
                    ("mode: SIMPLE, credentialNames: [a, b]", ""),
                    ("mode: SIMPLE", "SIMPLE needs a certificate"),
                    ("mode: SIMPLE, serverCertificate: a", "tls.privateKey: missing"),
                    ("mode: SIMPLE, privateKey: a", "tls.serverCertificate: missing"),
                    (f"mode: SIMPLE, {FILES}, credentialName: a", "only one place"),
                    ("mode: SIMPLE, credentialNames: [a, b, c]", ""),
                    ("mode: SIMPLE, privateKey: a, credentialName: a", ""),
                    (f"mode: SIMPLE, tlsCertificates: [{three}, {three}, {three}]", ""),
                    (
                        "mode: SIMPLE, tlsCertificates: [{serverCertificate: a}]",
                        "tlsCertificates[0].privateKey: missing",
                    ),
                    ("mode: ISTIO_MUTUAL, credentialName: a", "brings its own certificates"),
                )
            ],
        )

    def test_verification(self) -> None:
        """What verifies clients needs something to verify them against."""
        self.check(
            "Gateway",
            [
                (secure(f"{{{tls}}}"), words)
                for tls, words in (
                    (f"mode: MUTUAL, {FILES}, caCertificates: ca.crt", ""),
                    ("mode: OPTIONAL_MUTUAL, credentialName: a", ""),
                    (f"mode: MUTUAL, {FILES}", "tls.caCertificates: missing"),
                    (f"mode: SIMPLE, {FILES}, caCrl: a.crl", "no certificate that could be revoked"),
                    ("mode: MUTUAL, credentialName: a, caCrl: a.crl", ""),
                    ("mode: SIMPLE, credentialName: a, caCrl: a.crl", ""),
                )
            ],
        )

    def test_without_effect(self) -> None:
        """What changes nothing, or something else in a cluster, is a warning."""
        pair = "{serverCertificate: a, privateKey: b}"
        self.check(
            "Gateway",
            [
                (secure(f"{{{tls}}}", "TLS"), words)
                for tls, words in (
                    (f"mode: SIMPLE, {FILES}, caCertificates: ca.crt", "asks clients for no certificate"),
                    (f"mode: SIMPLE, {FILES}, httpsRedirect: true", "only servers of protocol HTTP redirect"),
                    ("mode: SIMPLE, credentialNames: [a, b, c]", "Istio serves 2 at most"),
                    (f"mode: SIMPLE, tlsCertificates: [{pair}, {pair}, {pair}]", "Istio serves 2 at most"),
                    ("mode: SIMPLE, privateKey: a, credentialName: a", "privateKey: changes nothing: credentialName"),
                    ("mode: MUTUAL, credentialName: a, caCrl: a.crl", "counts in place of the secret's ca.crl"),
                    ("mode: SIMPLE, credentialName: a, caCrl: a.crl", "asks clients for no certificate"),
                    ("mode: SIMPLE, credentialNames: [a, b, c]", "more than 2"),
                    ("mode: PASSTHROUGH, credentialName: a", "changes nothing with PASSTHROUGH"),
                    ("credentialName: a", "which is the mode where none is given"),
                    (f"mode: SIMPLE, {FILES}, minProtocolVersion: TLSV1_0", "versions below TLSV1_2 need ciphers"),
                    (f"mode: SIMPLE, {FILES}, minProtocolVersion: TLSV1_0, cipherSuites: [AES128-SHA]", ""),
                )
            ],
            "warning",
        )
