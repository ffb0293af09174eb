"""Tests of L{edgegate.istio.validation.client_tls}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class ClientTLSTests(CasesTestCase):
    """TLS with backends."""

    def settings(self, *cases: tuple[str, str], severity: str = "error") -> None:
        """Check settings."""
        self.check(
            "DestinationRule",
            [(f"host: web\ntrafficPolicy: {{tls: {{{tls}}}}}", words) for tls, words in cases],
            severity,
        )

    def test_sources(self) -> None:
        """A certificate comes from two files or a secret."""
        self.settings(
            ("mode: SIMPLE", ""),
            ("mode: SIMPLE, caCertificates: ca.crt, caCrl: ca.crl, sni: a.example", ""),
            ("mode: SIMPLE, credentialName: a", ""),
            ("mode: SIMPLE, credentialName: a, caCertificates: b", "goes with no credentialName"),
            ("mode: SIMPLE, credentialName: 'configmap://a'", ""),
            ("mode: SIMPLE, credentialName: 'configmap://default/a'", ""),
            ("mode: SIMPLE, credentialName: 'configmap://other/a'", "a ConfigMap of another namespace"),
            ("mode: SIMPLE, credentialName: 'configmap://'", "is no ConfigMap"),
            ("mode: MUTUAL, credentialName: a", ""),
            ("mode: MUTUAL, clientCertificate: a, privateKey: b", ""),
            ("mode: MUTUAL, clientCertificate: a", "privateKey: missing"),
            ("mode: MUTUAL, privateKey: a", "clientCertificate: missing"),
            ("mode: MUTUAL, credentialName: a, privateKey: b", "goes with no credentialName"),
        )

    def test_nothing_verified(self) -> None:
        """What is not verified has nothing to be verified by."""
        self.settings(
            ("mode: SIMPLE, insecureSkipVerify: true", ""),
            ("mode: SIMPLE, insecureSkipVerify: true, caCertificates: a", "goes with no insecureSkipVerify"),
            ("mode: SIMPLE, insecureSkipVerify: true, credentialName: a", "goes with no insecureSkipVerify"),
            ("mode: MUTUAL, insecureSkipVerify: true, credentialName: a", ""),
            ("mode: MUTUAL, insecureSkipVerify: true, credentialName: a, subjectAltNames: [b]", "subjectAltNames"),
        )

    def test_without_effect(self) -> None:
        """What changes nothing is said, with the mode that was meant."""
        self.settings(
            ("mode: SIMPLE, clientCertificate: a", "was MUTUAL meant?"),
            ("sni: a.example", "was SIMPLE meant?"),
            ("mode: DISABLE, caCertificates: a", "changes nothing with DISABLE"),
            ("mode: ISTIO_MUTUAL, caCertificates: a", "changes nothing with ISTIO_MUTUAL"),
            ("mode: ISTIO_MUTUAL, sni: a", ""),
            ("mode: SIMPLE, sni: outbound_.80_._.web.svc.cluster.local", ""),
            ("mode: SIMPLE, sni: 10.0.0.1", ""),
            ("mode: SIMPLE, sni: 'a b'", "sni: backends are not told it"),
            (f"mode: SIMPLE, sni: {'a' * 300}", "sni: backends are not told it"),
            ("mode: SIMPLE, subjectAltNames: [a, '']", "subjectAltNames[1]: no certificate has an empty name"),
            severity="warning",
        )
