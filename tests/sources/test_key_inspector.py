"""Tests of L{edgegate.sources.key_inspector}."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Severity
from edgegate.istio.translate import Finding, Part
from edgegate.model import codes
from edgegate.model.tls import ClientVerification, KeyPair, ServerTLS, TLSRules, UpstreamTLS
from edgegate.sources.key_inspector import KeyInspector
from edgegate.tls.authority import Authority
from edgegate.tls.secrets import ResolvedTLS, load_certificates
from edgegate.tls.server_contexts import ServerContexts

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
AUTHORITY = Authority.new("Test authority", NOW)
ISSUED = AUTHORITY.server(["shop.example", "*.shop.example"], NOW)
PAIR = KeyPair("shop.crt", ISSUED.chain_pem, ISSUED.key_pem)
OTHER = AUTHORITY.server(["other.example"], NOW)


def found(tls: ResolvedTLS, *hosts: str, now: datetime = NOW) -> list[Finding]:
    """Inspect a server's TLS."""
    named = ServerTLS(tuple(pair.credential for pair in tls.certificates), tls.rules, tls.alpn)
    return list(KeyInspector(now)(named, tls.certificates, hosts or ("shop.example",)))


class KeyInspectorTests(SynchronousTestCase):
    """What is said of key material before it is served."""

    def test_good(self) -> None:
        """Nothing is said of what is good, and of what a wildcard or a catch-all covers."""
        verification = ClientVerification(True, ISSUED.chain_pem)
        tls = ResolvedTLS((PAIR,), TLSRules(verification=verification))
        self.assertEqual(found(tls, "shop.example", "a.shop.example", "*.shop.example", "*"), [])

    def test_certificate_and_key(self) -> None:
        """An error of the certificate stands at the certificate, one of the key at the key, with its number."""
        for pair, part in (
            (replace(PAIR, chain=b"nothing"), Part.CERTIFICATE),
            (replace(PAIR, key=b"nothing"), Part.KEY),
            (replace(PAIR, key=OTHER.key_pem), Part.KEY),
        ):
            (finding,) = found(ResolvedTLS((PAIR, pair)))
            self.assertEqual((finding.severity, finding.part, finding.number), (Severity.ERROR, part, 1))
            self.assertTrue(finding.message.startswith("shop.crt: "), finding.message)

    def test_verification(self) -> None:
        """Authorities and revocation lists must be such."""
        tls = ResolvedTLS((PAIR,), TLSRules(verification=ClientVerification(True, b"x", b"y")))
        self.assertEqual(
            [(finding.severity, finding.part) for finding in found(tls)],
            [(Severity.ERROR, Part.AUTHORITIES), (Severity.ERROR, Part.REVOCATIONS)],
        )

    def test_ciphers(self) -> None:
        """A list of ciphers of which OpenSSL knows none is an error."""
        (finding,) = found(ResolvedTLS((PAIR,), TLSRules(ciphers=("NONSENSE",))))
        self.assertEqual((finding.severity, finding.part), (Severity.ERROR, Part.CIPHERS))

    def test_same_kind(self) -> None:
        """Two certificates of one kind are served; one that is of no use is found behind the other."""
        self.assertEqual(found(ResolvedTLS((PAIR, replace(PAIR, name="second.crt")))), [])
        (finding,) = found(ResolvedTLS((PAIR, replace(PAIR, name="second.crt", key=OTHER.key_pem))))
        self.assertEqual((finding.severity, finding.part, finding.number), (Severity.ERROR, Part.KEY, 1))

    def test_expired(self) -> None:
        """An expired certificate is served, with a warning."""
        tls = ResolvedTLS((PAIR,), TLSRules(verification=ClientVerification(True, ISSUED.chain_pem)))
        findings = found(tls, now=NOW + timedelta(days=20000))
        self.assertEqual({finding.severity for finding in findings}, {Severity.WARNING})
        self.assertEqual({finding.part for finding in findings}, {Part.CERTIFICATE, Part.AUTHORITIES})

    def test_codes(self) -> None:
        """A certificate that ends soon has a code of its own; that of one that has ended goes by where it is from."""
        end = load_certificates(ISSUED.chain_pem, "")[0].not_valid_after_utc
        for now, code in ((end - timedelta(days=1), codes.CERTIFICATE_TIME), (end + timedelta(days=1), "")):
            told = [each.code for each in found(ResolvedTLS((PAIR,)), now=now) if each.part is Part.CERTIFICATE]
            self.assertEqual(set(told), {code})

    def test_uncovered(self) -> None:
        """Hosts that no certificate of the server is for are named, a few of them."""
        hosts = [f"{name}.test" for name in "abcde"]
        (finding,) = found(ResolvedTLS((PAIR,)), "shop.example", *hosts)
        self.assertEqual(finding.severity, Severity.WARNING)
        self.assertEqual(
            finding.message,
            "shop.crt: the certificate is for *.shop.example, shop.example, not for a.test, b.test, c.test and 2 more",
        )
        (finding,) = found(ResolvedTLS((PAIR,)), "x.a.shop.example")
        self.assertIn("not for x.a.shop.example", finding.message)

    def test_contexts(self) -> None:
        """The context that was made to look at a server is passed on; the next reading of the same makes none."""
        contexts = ServerContexts()
        tls = ServerTLS((PAIR.credential,))
        inspector = KeyInspector(NOW, contexts)
        for _ in range(2):
            self.assertEqual(list(inspector(tls, (PAIR,), ("shop.example",))), [])
        resolved = inspector.secrets.resolve(tls)
        inspector.secrets.contexts.take(resolved, "https")
        self.assertEqual(contexts.made, 1)
        self.assertEqual(list(KeyInspector(NOW, contexts)(tls, (PAIR,), ())), [])
        self.assertEqual(contexts.made, 1)


class UpstreamTests(SynchronousTestCase):
    """What is said of key material for TLS with backends."""

    def test_good(self) -> None:
        """Nothing is said of what is good, nor where the system's authorities are meant."""
        tls = UpstreamTLS(authorities=ISSUED.chain_pem, credential=PAIR.credential)
        inspector = KeyInspector(NOW)
        self.assertEqual(inspector.upstream(tls, PAIR), ())
        self.assertEqual(inspector.upstream(UpstreamTLS(), None), ())
        self.assertEqual(inspector.secrets.shown_to(tls), PAIR)

    def test_bad(self) -> None:
        """Each part is looked at; what is wrong with one hides nothing of the others."""
        tls = UpstreamTLS(authorities=b"x", credential=PAIR.credential, revocations=b"y")
        pair = replace(PAIR, key=OTHER.key_pem)
        self.assertEqual(
            [(finding.severity, finding.part) for finding in KeyInspector(NOW).upstream(tls, pair)],
            [(Severity.ERROR, part) for part in (Part.KEY, Part.AUTHORITIES, Part.REVOCATIONS)],
        )

    def test_expired(self) -> None:
        """An expired certificate is shown, with a warning."""
        findings = KeyInspector(NOW + timedelta(days=20000)).upstream(UpstreamTLS(credential=PAIR.credential), PAIR)
        self.assertEqual([finding.severity for finding in findings], [Severity.WARNING])
