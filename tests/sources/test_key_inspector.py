"""Tests of L{edgegate.sources.key_inspector}."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Severity
from edgegate.demo.authority import Authority
from edgegate.istio.translate import Finding, Part
from edgegate.model.tls import ClientVerification, KeyPair, ServerTLS, TLSRules, UpstreamTLS
from edgegate.sources.key_inspector import KeyInspector

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
AUTHORITY = Authority.new("Test authority", NOW)
ISSUED = AUTHORITY.server(["shop.example", "*.shop.example"], NOW)
PAIR = KeyPair("shop.crt", ISSUED.chain_pem, ISSUED.key_pem)
OTHER = AUTHORITY.server(["other.example"], NOW)


def found(tls: ServerTLS, *hosts: str, now: datetime = NOW) -> list[Finding]:
    """Inspect a server's TLS."""
    return list(KeyInspector(now)(tls, hosts or ("shop.example",)))


class KeyInspectorTests(SynchronousTestCase):
    """What is said of key material before it is served."""

    def test_good(self) -> None:
        """Nothing is said of what is good, and of what a wildcard or a catch-all covers."""
        verification = ClientVerification(True, ISSUED.chain_pem)
        tls = ServerTLS((PAIR,), TLSRules(verification=verification))
        self.assertEqual(found(tls, "shop.example", "a.shop.example", "*.shop.example", "*"), [])

    def test_certificate_and_key(self) -> None:
        """An error of the certificate stands at the certificate, one of the key at the key, with its number."""
        for pair, part in (
            (replace(PAIR, chain=b"nothing"), Part.CERTIFICATE),
            (replace(PAIR, key=b"nothing"), Part.KEY),
            (replace(PAIR, key=OTHER.key_pem), Part.KEY),
        ):
            (finding,) = found(ServerTLS((PAIR, pair)))
            self.assertEqual((finding.severity, finding.part, finding.number), (Severity.ERROR, part, 1))
            self.assertTrue(finding.message.startswith("shop.crt: "), finding.message)

    def test_verification(self) -> None:
        """Authorities and revocation lists must be such."""
        tls = ServerTLS((PAIR,), TLSRules(verification=ClientVerification(True, b"x", b"y")))
        self.assertEqual(
            [(finding.severity, finding.part) for finding in found(tls)],
            [(Severity.ERROR, Part.AUTHORITIES), (Severity.ERROR, Part.REVOCATIONS)],
        )

    def test_ciphers(self) -> None:
        """A list of ciphers of which OpenSSL knows none is an error."""
        (finding,) = found(ServerTLS((PAIR,), TLSRules(ciphers=("NONSENSE",))))
        self.assertEqual((finding.severity, finding.part), (Severity.ERROR, Part.CIPHERS))

    def test_same_kind(self) -> None:
        """Two certificates of one kind are served; one that is of no use is found behind the other."""
        self.assertEqual(found(ServerTLS((PAIR, replace(PAIR, name="second.crt")))), [])
        (finding,) = found(ServerTLS((PAIR, replace(PAIR, name="second.crt", key=OTHER.key_pem))))
        self.assertEqual((finding.severity, finding.part, finding.number), (Severity.ERROR, Part.KEY, 1))

    def test_expired(self) -> None:
        """An expired certificate is served, with a warning."""
        tls = ServerTLS((PAIR,), TLSRules(verification=ClientVerification(True, ISSUED.chain_pem)))
        findings = found(tls, now=NOW + timedelta(days=20000))
        self.assertEqual({finding.severity for finding in findings}, {Severity.WARNING})
        self.assertEqual({finding.part for finding in findings}, {Part.CERTIFICATE, Part.AUTHORITIES})

    def test_uncovered(self) -> None:
        """Hosts that no certificate of the server is for are named, a few of them."""
        hosts = [f"{name}.test" for name in "abcde"]
        (finding,) = found(ServerTLS((PAIR,)), "shop.example", *hosts)
        self.assertEqual(finding.severity, Severity.WARNING)
        self.assertEqual(
            finding.message,
            "shop.crt: the certificate is for *.shop.example, shop.example, not for a.test, b.test, c.test and 2 more",
        )
        (finding,) = found(ServerTLS((PAIR,)), "x.a.shop.example")
        self.assertIn("not for x.a.shop.example", finding.message)


class UpstreamTests(SynchronousTestCase):
    """What is said of key material for TLS with backends."""

    def test_good(self) -> None:
        """Nothing is said of what is good, nor where the system's authorities are meant."""
        tls = UpstreamTLS(authorities=ISSUED.chain_pem, certificate=PAIR)
        self.assertEqual(KeyInspector(NOW).upstream(tls), ())
        self.assertEqual(KeyInspector(NOW).upstream(UpstreamTLS()), ())

    def test_bad(self) -> None:
        """Each part is looked at; what is wrong with one hides nothing of the others."""
        tls = UpstreamTLS(authorities=b"x", certificate=replace(PAIR, key=OTHER.key_pem), revocations=b"y")
        self.assertEqual(
            [(finding.severity, finding.part) for finding in KeyInspector(NOW).upstream(tls)],
            [(Severity.ERROR, part) for part in (Part.KEY, Part.AUTHORITIES, Part.REVOCATIONS)],
        )

    def test_expired(self) -> None:
        """An expired certificate is shown, with a warning."""
        findings = KeyInspector(NOW + timedelta(days=20000)).upstream(UpstreamTLS(certificate=PAIR))
        self.assertEqual([finding.severity for finding in findings], [Severity.WARNING])
