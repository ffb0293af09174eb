"""Tests of L{edgegate.explain.envoy_rate_limits}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.judgement import Verdict
from tests.explain.explaining import Explained
from tests.istio.translate.guards.test_envoy_filters import FILES, LOCAL, SERVICE, chain, envoy_filter, http_filter

AT = chain("envoy.filters.http.router")
RULES = (
    "{applyTo: VIRTUAL_HOST, patch: {operation: MERGE, value: {rate_limits:"
    " [{actions: [{request_headers: {header_name: ':path', descriptor_key: PATH}}]}]}}}"
)


class JudgesTests(SynchronousTestCase):
    """What explanations say of limits."""

    def said(self, *patches: str, files: str = FILES) -> tuple[Verdict, str]:
        """Return what is said of one request."""
        decision = Explained.of(files + envoy_filter(*patches)).decide("GET", "http://a.example/x")
        (judgement,) = decision.guards
        return judgement.verdict, judgement.words

    def test_local(self) -> None:
        """What is left only a gateway knows that runs; where nothing is refused, that is said."""
        self.assertEqual(
            self.said(http_filter(LOCAL)), (Verdict.UNKNOWN, "only a gateway that runs can tell what p has left")
        )
        off = LOCAL.replace("filter_enforced: {default_value: {numerator: 100}}", "filter_enforced: {numerator: 0}")
        self.assertEqual(self.said(http_filter(off)), (Verdict.ALLOWED, "p counts it, and refuses nothing"))
        off = LOCAL.replace("filter_enabled: {default_value: {numerator: 100}}", "filter_enabled: {numerator: 0}")
        self.assertEqual(self.said(http_filter(off)), (Verdict.ALLOWED, "p counts nothing"))

    def test_service(self) -> None:
        """What the service is asked, if it is."""
        service = http_filter(SERVICE.format("outbound|8081||limits.example"), AT)
        words = "the service outbound|8081||limits.example is asked, in the domain d: (PATH=/x)"
        self.assertEqual(self.said(service, RULES), (Verdict.UNKNOWN, words))
        self.assertEqual(self.said(service), (Verdict.ALLOWED, "it has no descriptor: the service is not asked"))
        direct = FILES.replace(
            "route: [{destination: {host: 127.0.0.1, port: {number: 1}}}]", "directResponse: {status: 200}"
        )
        self.assertEqual(
            self.said(service, RULES, files=direct),
            (Verdict.ALLOWED, "it goes to no backend: the service is not asked"),
        )
