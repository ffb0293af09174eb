"""Tests of L{edgegate.sources.claims}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.analysis import analyze
from edgegate.istio.translate import CompileOptions
from edgegate.model.notes import Notes
from edgegate.sources.claims import contradict
from edgegate.sources.compilation import compile_resources
from tests.istio.analysis.telling import documents
from tests.istio.translate.compiling import decoded

GATEWAY = documents("Gateway", "gw", "{servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.example]}]}")


class ContradictTests(SynchronousTestCase):
    """Istio's claims, and what is so."""

    def told(self, *matches: str) -> list[str]:
        """Return what is said of the matches of one route each."""
        http = ", ".join(f"{{match: [{{{match}}}], directResponse: {{status: 200}}}}" for match in matches)
        text = GATEWAY + documents("VirtualService", "v", f"{{hosts: [a.example], gateways: [gw], http: [{http}]}}")
        resources, problems = decoded(text)
        notes = Notes()
        options = CompileOptions(notes=notes)
        compiled = compile_resources(resources, options, problems)
        analyze(resources, options, problems)
        contradict(problems, compiled.snapshot, notes)
        return [each.message for each in problems if each.code == "IST0131"]

    def test_false(self) -> None:
        """A match of any method behind a shorter prefix of GET is reached by another method."""
        (told,) = self.told("uri: {prefix: /a}, method: {exact: GET}", "uri: {prefix: /abc}")
        self.assertIn("the prefix /abc begins with /a", told)
        self.assertTrue(told.endswith("; but it is not so: POST http://a.example/abc reaches it"), told)

    def test_true(self) -> None:
        """What is so is left as it is."""
        for first, second in (
            ("uri: {prefix: /a}", "uri: {prefix: /abc}"),
            ("uri: {exact: /a}", "uri: {exact: /a}"),
            ("uri: {prefix: /a}, method: {exact: GET}", "uri: {prefix: /abc}, method: {exact: GET}"),
        ):
            (told,) = self.told(first, second)
            self.assertNotIn("not so", told)
