"""Tests of L{edgegate.sources.compilation}; whole files are compiled in test_golden."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import compiled, decoded, gateway


class CompilationTests(SynchronousTestCase):
    """The pass over all resources."""

    def test_nothing(self) -> None:
        """Nothing becomes nothing."""
        self.assertEqual(compiled("")[0], Snapshot())

    def test_selector(self) -> None:
        """Only the Gateways are served whose selector the labels satisfy."""
        text = gateway("gw", "80 HTTP a.example")
        for labels, count in ((None, 1), ({"istio": "edge", "a": "b"}, 1), ({"istio": "other"}, 0), ({}, 0)):
            self.assertEqual(len(compiled(text, selector=labels)[0].listeners), count, labels)

    def test_told_once(self) -> None:
        """What was told of a document alone is not told again in other words."""
        text = gateway("gw", "80 HTTP a..example")
        resources, problems = decoded(text)
        before = [str(problem) for problem in problems]
        compile_resources(resources, CompileOptions(), problems)
        self.assertEqual(len(before), 1)
        self.assertEqual([str(problem) for problem in problems], before)
