"""Tests of L{edgegate.istio.analysis.suppression}; those of C{check} are in L{tests.cli.test_check}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.istio.analysis import suppression
from edgegate.istio.analysis.suppression import Suppression, annotated
from edgegate.istio.decode import decode
from tests.istio.analysis.telling import documents


def problem(code: str, resource: str, severity: Severity = Severity.WARNING) -> Problem:
    """Make up a problem."""
    return Problem("in.yaml", 1, 1, severity, "", f"{code} of {resource}", code=code, resource=resource)


class ParseTests(SynchronousTestCase):
    """What an option says."""

    def test_parsed(self) -> None:
        """Codes may be in small letters; a name without a namespace is one of C{default}, as in documents."""
        for text, code, resource in (
            ("ist0101", "IST0101", "*"),
            ("*", "*", "*"),
            ("IST0101=Gateway gw", "IST0101", "Gateway default/gw"),
            (" IST0101 = Gateway  edge/* ", "IST0101", "Gateway edge/*"),
            ("IST0101=Gateway *", "IST0101", "Gateway *"),
        ):
            self.assertEqual(Suppression.parse(text), Suppression(code, resource), text)

    def test_refused(self) -> None:
        """What is no code, or no resource, is told."""
        for text in ("", "EG999", "IST0101=", "IST0101=gw", "IST0101=Gateway a b"):
            self.assertRaises(ValueError, Suppression.parse, text)


class SuppressTests(SynchronousTestCase):
    """What is left of problems."""

    def left(self, problems: list[Problem], *suppressions: Suppression) -> list[str]:
        """Return what is told."""
        found = Problems()
        found.add_all(problems)
        suppression.suppress(found, suppressions, "dir")
        return [each.message for each in found]

    def test_resources(self) -> None:
        """A code is not told of the resources that are named, whose names are told by upper and lower case."""
        both = [problem("IST0101", "Gateway edge/a"), problem("IST0101", "Gateway shop/a")]
        told = self.left(both, Suppression("IST0101", "Gateway edge/*"))
        self.assertEqual(told, ["IST0101 of Gateway shop/a"])
        self.assertEqual(len(self.left(both, Suppression("IST0101", "gateway edge/*"))), 3)

    def test_annotated(self) -> None:
        """A document speaks of itself alone; blanks and empty words do not count."""
        note = ', annotations: {"galley.istio.io/analyze-suppress": " IST0101 ,, *"}'
        problems = Problems()
        text = documents("Gateway", "gw", "{servers: []}", note)
        found = list(annotated(decode(read("in.yaml", text, problems), problems)))
        self.assertEqual([(each.code, each.resource) for each in found],
                         [("IST0101", "Gateway default/gw"), ("*", "Gateway default/gw")])  # fmt: skip
        self.assertEqual({each.file for each in found}, {"in.yaml"})
        told = self.left([problem("EG004", "Gateway default/gw"), problem("EG004", "Gateway default/x")], found[1])
        self.assertEqual(told, ["EG004 of Gateway default/x"])

    def test_errors(self) -> None:
        """An error is told, and that it can't be suppressed."""
        told = self.left([problem("IST0101", "Gateway edge/a", Severity.ERROR)], Suppression("*"))
        self.assertEqual(len(told), 2)
        self.assertIn("errors keep the files from being served", "".join(told))
