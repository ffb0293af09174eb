"""Tests for L{edgegate.config.resources}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.document import Document
from edgegate.config.kinds.gateway import Gateway
from edgegate.config.problems import Problems
from edgegate.config.resources import Resource


class ResourceTests(SynchronousTestCase):
    """What is told of a resource."""

    def setUp(self) -> None:
        document = Document("f", 1, "Gateway", "networking.istio.io/v1", "a", "shop")
        self.resource = Resource(document, Gateway(), broken=(("spec", "servers", 0, "tls", "mode"),))
        self.problems = Problems()

    def test_names(self) -> None:
        """It has its document's name."""
        self.assertEqual((self.resource.name, self.resource.namespace), ("a", "shop"))

    def test_consequences(self) -> None:
        """What holds something that was left out is not complained of again; what lies beside it is."""
        self.resource.error(self.problems, ("spec", "servers", 0, "tls"), "no certificate")
        self.resource.warning(self.problems, ("spec", "servers", 0, "tls", "mode"), "hm")
        self.assertEqual(len(self.problems), 0)
        self.resource.error(self.problems, ("spec", "servers", 0, "port"), "no")
        self.assertEqual(len(self.problems), 1)

    def test_first_only(self) -> None:
        """Of several errors in one place the first is told."""
        self.resource.error(self.problems, ("spec", "selector"), "one")
        self.resource.error(self.problems, ("spec", "selector"), "two")
        self.assertEqual([problem.message for problem in self.problems], ["one"])
