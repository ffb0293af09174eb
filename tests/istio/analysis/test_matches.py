"""Tests of L{edgegate.istio.analysis.matches}; what Istio says is in its cases."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines


class OverlappingTests(SynchronousTestCase):
    """Prefixes that begin with others."""

    def test_pairs(self) -> None:
        """Each earlier prefix that a prefix begins with is told; later and equal ones are not."""
        prefixes = ("/abc", "/a", "/x", "/abcd", "/ab", "/a", "/")
        matches = ", ".join(f"{{uri: {{prefix: {each}}}, headers: {{n: {{exact: a}}}}}}" for each in prefixes)
        route = f"{{match: [{matches}], directResponse: {{status: 200}}}}"
        text = documents("VirtualService", "x", f"{{hosts: [a.example], gateways: [gw], http: [{route}]}}")
        found = [line.partition("info: spec.http[0].")[2] for line in lines(text, "IST0131")]
        told = sorted(line.partition(", which")[0] for line in found if "begins" in line)
        self.assertEqual(
            told,
            [
                "match[3]: the prefix /abcd begins with /a",
                "match[3]: the prefix /abcd begins with /abc",
                "match[4]: the prefix /ab begins with /a",
            ],
        )
