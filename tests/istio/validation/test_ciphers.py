"""Tests of L{edgegate.istio.validation.ciphers}."""

from __future__ import annotations

from edgegate.istio.validation.ciphers import SUITES
from edgegate.tls.contexts import openssl_cipher
from tests.istio.validation.cases import CasesTestCase, secure


class CiphersTests(CasesTestCase):
    """Names of cipher suites."""

    def test_names(self) -> None:
        """Both spellings are known; what is not, what comes twice and what is always there is a warning."""
        known = [*SUITES, *SUITES.values()]
        self.check(
            "Gateway",
            [
                (secure(f"{{mode: SIMPLE, credentialName: a, cipherSuites: [{names}]}}"), words)
                for names, words in (
                    *((name, "") for name in known),
                    ("AES128-GCM-SHA265", 'did you mean "AES128-GCM-SHA256"?'),
                    ("AES128-SHA, TLS_RSA_WITH_AES_128_CBC_SHA", "cipherSuites[1]"),
                    ("TLS_AES_128_GCM_SHA256", "always offered"),
                )
            ],
            "warning",
        )

    def test_spellings(self) -> None:
        """OpenSSL is told its own spelling of each."""
        for name, iana in SUITES.items():
            self.assertEqual(openssl_cipher(iana), name)
