"""Tests of L{edgegate.istio.translate.telemetries}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.translate.guards.workloads import Workloads
from edgegate.istio.translate.telemetries import telemetries_for
from tests.istio.translate.compiling import decoded

LABELS = "selector: {matchLabels: {istio: ingressgateway}}"


def telemetry(name: str, namespace: str, more: str = "") -> str:
    """Return a document."""
    return (
        "---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{more}}}\n"
    )


class TelemetriesTests(SynchronousTestCase):
    """Which of them are for this gateway."""

    def chosen(self, *texts: str) -> list[str]:
        """Return the names of those that count."""
        resources, _ = decoded("".join(texts))
        problems = Problems()
        ours = Workloads([{"istio": "ingressgateway"}])
        found = telemetries_for(resources.telemetries, "mesh", ["infra"], ours, problems)
        self.problems = [f"{each} [{each.code}]" for each in problems]
        return [each.name for each in found]

    def test_order(self) -> None:
        """The root namespace's comes first, then that of the gateway's, then those that choose it."""
        found = self.chosen(
            telemetry("c", "infra", LABELS), telemetry("b", "infra"), telemetry("x", "shop"), telemetry("a", "mesh")
        )
        self.assertEqual(found, ["a", "b", "c"])
        self.assertEqual(len(self.problems), 1)
        self.assertIn('no Gateway that is served is in the namespace "shop"', self.problems[0])

    def test_too_many(self) -> None:
        """A second one without a selector is left out; a second one that chooses the gateway counts, too."""
        found = self.chosen(telemetry("a", "infra"), telemetry("b", "infra"))
        self.assertEqual(found, ["a"])
        self.assertEqual(
            [("this one counts" in each, "IST0160" in each) for each in self.problems[:2]],
            [(True, True), (False, True)],
        )
        found = self.chosen(telemetry("a", "infra", LABELS), telemetry("b", "infra", LABELS))
        self.assertEqual(found, ["a", "b"])
        self.assertIn("IST0159", self.problems[0])
