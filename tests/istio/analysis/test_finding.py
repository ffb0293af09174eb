"""Tests of L{edgegate.istio.analysis.finding}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problem, Problems, Role, Severity
from edgegate.istio.analysis.finding import Finding, Teller
from edgegate.istio.decode import decode
from tests.istio.analysis.telling import documents

TEXT = documents("VirtualService", "x", "{hosts: [a.example], gateways: [gw], http: [{directResponse: {status: 200}}]}")
ROUTE = ("spec", "http", 0)


class TellerTests(SynchronousTestCase):
    """What is told beside what the compiler has told."""

    def setUp(self) -> None:
        """Make a resource."""
        self.problems = Problems()
        (self.resource,) = decode(read("in.yaml", TEXT, self.problems), self.problems).virtual_services

    def tell(self, *findings: Finding) -> list[str]:
        """Return what is told, by code and message."""
        teller = Teller(self.problems)
        for finding in findings:
            teller.tell(finding)
        return [f"{each.code} {each.message}" for each in self.problems]

    def told(self, code: str, message: str, path: tuple[str | int, ...] = (*ROUTE, "directResponse")) -> None:
        """Have the compiler tell of something."""
        self.resource.document.warning(self.problems, path, message, code=code)

    def test_same(self) -> None:
        """What the compiler has told of the same part with the same code is not told again; elsewhere it is."""
        self.told("A", "compiler")
        self.assertEqual(self.tell(Finding(self.resource, ROUTE, "A", "found")), ["A compiler"])
        found = Finding(self.resource, ("spec", "hosts"), "A", "found")
        self.assertEqual(self.tell(found), ["A found", "A compiler"])

    def test_own(self) -> None:
        """Two findings of one code and part are both told."""
        found = [Finding(self.resource, ROUTE, "A", message) for message in ("one", "two")]
        self.assertEqual(self.tell(*found), ["A one", "A two"])

    def test_replaced(self) -> None:
        """A finding may take the place of others."""
        self.told("A", "compiler")
        self.told("C", "other")
        found = Finding(self.resource, ROUTE, "B", "found", replaces=("A",))
        self.assertEqual(self.tell(found), ["B found", "C other"])

    def test_renamed(self) -> None:
        """Or one of the compiler's takes the place of the finding, but of one alone."""
        self.told("A", "compiler")
        found = [Finding(self.resource, ROUTE, "B", message, renames="A") for message in ("one", "two")]
        self.assertEqual(self.tell(*found), ["B two", "B compiler"])

    def test_consequences(self) -> None:
        """What may follow from an error that hides something is not told."""
        found = Finding(self.resource, ROUTE, "B", "found", role=Role.CONSEQUENCE)
        self.problems.add(Problem("in.yaml", 1, 1, Severity.ERROR, "", "cause", Role.CAUSE, "A"))
        self.assertEqual(self.tell(found), ["A cause"])
