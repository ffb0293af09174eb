"""Tests of L{edgegate.istio.validation.on_demand}."""

from __future__ import annotations

from edgegate.istio.validation.on_demand import MOST_ALLOWED
from tests.istio.validation.cases import CasesTestCase
from tests.istio.validation.test_certificate_issuer import GOOD, LOCAL


class OnDemandTests(CasesTestCase):
    """The C{onDemand} of a CertificateIssuer."""

    def test_errors(self) -> None:
        """What is missing, opens the gateway to anybody, or can't be meant is told."""
        many = ", ".join(f"h{number}.example.com" for number in range(MOST_ALLOWED + 1))
        cases = [
            ("allow: [a.example.com, '*.example.com', bücher.example]", ""),
            ("ask: 'https://ask.example/may?key=1'", ""),
            ("ask: 'http://127.0.0.1:8080/', rate: {certificates: 5, period: 1m}, most: 10", ""),
            ("ask: 'http://[::1]:8080/'", ""),
            ("ask: 'http://localhost/', allow: ['*.example.com']", ""),
            ("", "either ask or allow is required"),
            ("most: 10", "either ask or allow is required"),
            ("allow: []", "either ask or allow is required"),
            ("ask: 'http://ask.example/'", "in the clear"),
            ("ask: 'ftp://ask.example/'", "is no URL that begins with"),
            ("ask: 'https://a:b@ask.example/'", "is no URL that begins with"),
            ("ask: 'https://ask.example/#a'", "is no URL that begins with"),
            ("ask: 'https:///may'", "is no URL that begins with"),
            ("ask: 'https://ask.example:x/'", "is no URL"),
            ("allow: ['*']", "neither a name"),
            ("allow: ['10.0.0.1']", "neither a name"),
            ("allow: ['*-a.example.com']", "neither a name"),
            ("allow: [localhost]", "neither a name"),
            ("allow: ['']", "neither a name"),
            (f"allow: [{many}]", "are too many"),
            ("allow: [a.example.com], most: 0", "from 1 to 5000"),
            ("allow: [a.example.com], most: 5001", "from 1 to 5000"),
            ("allow: [a.example.com], rate: {certificates: 0, period: 1h}", "from 1 to 1000"),
            ("allow: [a.example.com], rate: {certificates: 1, period: 100ms}", "a time from 1s"),
            ("allow: [a.example.com], rate: {certificates: 1, period: 169h}", "a time from 1s"),
            ("allow: [a.example.com], rate: {certificates: 1}", "period"),
        ]
        self.check("CertificateIssuer", [(f"{GOOD}onDemand: {{{text}}}\n", words) for text, words in cases])

    def test_local(self) -> None:
        """An authority of the gateway's own issues for all names below one label, too, but not for all names."""
        cases = [
            ("'*.localhost'", "", "neither a name"),
            ("'*.internal'", "", "neither a name"),
            ("'*.10'", "neither a name", "neither a name"),
            ("'*'", "neither a name", "neither a name"),
            ("localhost", "neither a name", "neither a name"),
        ]
        for name, local, acme in cases:
            end = f"onDemand: {{allow: [{name}]}}\n"
            self.check("CertificateIssuer", [(LOCAL + end, local), (GOOD + end, acme)])
