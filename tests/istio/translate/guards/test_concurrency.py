"""Tests of L{edgegate.istio.translate.guards.concurrency}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.concurrency import ConcurrencyGuard, ConcurrencyLimit, Crowded
from edgegate.model.guards.rate_limit import KeyPart, KeySource, Matched
from edgegate.model.matching import Kind, StringMatch
from edgegate.routing.snapshot import guards_in
from tests.istio.translate.compiling import compiled, gateway


class ConcurrencyPolicyTests(SynchronousTestCase):
    """Policies of concurrency."""

    def guard(self, spec: str) -> ConcurrencyGuard:
        """Compile one policy."""
        document = (
            f"apiVersion: edgegate.io/v1alpha1\nkind: ConcurrencyPolicy\nmetadata: {{name: p}}\nspec: {{{spec}}}\n"
        )
        snapshot, self.problems = compiled(gateway("gw", "80 HTTP a.example") + document)
        (found,) = dict.fromkeys(guards_in(snapshot))
        assert isinstance(found, ConcurrencyGuard)
        return found

    def test_compiled(self) -> None:
        """What the file says."""
        found = self.guard("limits: [{requests: 5}]")
        self.assertEqual(
            (found.limits, found.response, found.shadow), ((ConcurrencyLimit("limit-0", 5),), Crowded(), False)
        )
        found = self.guard(
            "shadow: true, limits: [{name: a, requests: 2, by: [{header: X-User}], match: {methods: [GET]}}],"
            " response: {status: 429, body: no1, contentType: text/html, grpcResourceExhausted: true, retryAfter: 1.5s}"
        )
        match = Matched(methods=(StringMatch(Kind.EXACT, "GET"),))
        limit = ConcurrencyLimit("a", 2, (KeyPart(KeySource.HEADER, ("x-user",)),), match)
        self.assertEqual(found.limits, (limit,))
        self.assertEqual((found.response, found.shadow), (Crowded(429, b"no1", b"text/html", True, 2), True))
        self.assertEqual(self.guard("limits: [{requests: 5}], response: {retryAfter: 0s}").response.retry_after, 0)

    def test_connections(self) -> None:
        """Servers whose connections carry no requests are not guarded, which is told."""
        servers = gateway("gw", "80 HTTP a.example", "90 TCP *")
        for section, wanted in (
            (", sectionName: p1", "guards nothing here: it is about requests"),
            ("", "connections to port 90, which carries none"),
            (", sectionName: p0", ""),
        ):
            document = (
                "apiVersion: edgegate.io/v1alpha1\nkind: ConcurrencyPolicy\nmetadata: {name: p}\nspec:\n"
                f"  targetRefs: [{{group: networking.istio.io, kind: Gateway, name: gw{section}}}]\n"
                "  limits: [{requests: 5}]\n"
            )
            told = [each for each in compiled(servers + document)[1] if "ConcurrencyPolicy" in each]
            self.assertEqual(len(told), 1 if wanted else 0, told)
            self.assertIn(wanted, "".join(told))
