"""Tests of L{edgegate.sources.compilation}; whole files are compiled in test_golden."""

from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import compiled, decoded, gateway
from tests.istio.translate.ruling import FRONT, route


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

    def test_endpoints_by_themselves(self) -> None:
        """Files that differ in endpoints alone come to one Snapshot: backends that come and go compile nothing anew."""
        text = "---\n".join((FRONT, route("{host: web.example, port: {number: 80}}")))
        found = []
        second = ", {address: 10.0.0.2, labels: {version: v2}}"
        for each in (text, text.replace("10.0.0.2", "10.0.0.9"), text.replace(second, "")):
            resources, problems = decoded(each)
            found.append(compile_resources(resources, CompileOptions(), problems))
        first, other, fewer = found
        self.assertEqual(first.snapshot, other.snapshot)
        self.assertEqual(first.snapshot, fewer.snapshot)
        self.assertEqual(pickle.dumps(first.snapshot), pickle.dumps(other.snapshot))
        addresses = [[str(one.address) for one in each.endpoints["outbound|80||web.example"]] for each in found]
        self.assertEqual(addresses, [["10.0.0.1:80", "10.0.0.2:80"], ["10.0.0.1:80", "10.0.0.9:80"], ["10.0.0.1:80"]])
