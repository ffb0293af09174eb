"""Tests of L{edgegate.istio.translate.issuable}; its messages have places in L{test_certificates}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.issuable import LONGEST_BY_DNS, not_issuable
from edgegate.model.certificates import (
    ACMEAuthority,
    CertificateDirectory,
    CertificateIssuer,
    ChallengeKind,
    LocalAuthority,
)


class NotIssuableTests(SynchronousTestCase):
    """Why there can be no certificate for a host."""

    def check(self, authority: ACMEAuthority | LocalAuthority, cases: dict[str, str]) -> None:
        """Check what is said of hosts; nothing of those that may have one."""
        issuer = CertificateIssuer("default/ca", authority, CertificateDirectory("/certs"))
        for host, words in cases.items():
            told = not_issuable(host, issuer)
            self.assertEqual((bool(told), words in told), (bool(words), True), (host, told))

    def test_acme(self) -> None:
        """Others issue for names of the public DNS, and for wildcards that are proved there."""
        long = ".".join(["a" * 60] * 3 + ["b" * 50] + ["example"])
        self.assertGreater(len(long), LONGEST_BY_DNS)
        cases = {
            "a.example.com": "",
            "xn--bcher-kva.example": "",
            "*.example.com": "the challenge DNS-01",
            "*": "wildcards such as",
            "localhost": "public DNS",
            "10.0.0.1": "public DNS",
            "[::1]": "public DNS",
            long: "",
        }
        self.check(ACMEAuthority("https://ca.example/dir"), cases)
        by_dns = ACMEAuthority("https://ca.example/dir", challenges=(ChallengeKind.DNS_01,))
        self.check(by_dns, {"*.example.com": "", "*.com": "wildcards such as", long: "leaves no room"})

    def test_local(self) -> None:
        """One of the gateway's own issues for all that clients take."""
        cases = {
            "localhost": "",
            "a.localhost": "",
            "*.a.localhost": "",
            "10.0.0.1": "",
            "[::1]": "",
            "wiki": "",
            "*": "name them",
            "*.localhost": 'onDemand: {allow: ["*.localhost"]}',
        }
        self.check(LocalAuthority(), cases)
