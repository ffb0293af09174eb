"""Tests of L{edgegate.sources.decoding}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.resources import Resources
from edgegate.sources.decoding import ManifestDecoder
from tests.sources.test_source import Written

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec: {{hosts: [{name}.example], {more}}}
"""


def service(name: str, more: str = "http: [{directResponse: {status: 200}}]") -> bytes:
    """A manifest of one VirtualService."""
    return SERVICE.format(name=name, more=more).encode()


class ManifestDecoderTests(SynchronousTestCase):
    """One reading after the other."""

    def setUp(self) -> None:
        """Have read nothing yet."""
        self.decoder = ManifestDecoder()

    def read(self, **texts: bytes | str) -> tuple[Resources, list[str]]:
        """Decode what a source holds now; return the problems too."""
        problems = Problems()
        found = self.decoder.decode(Written(dict(texts)), problems)
        return found, [str(problem) for problem in problems]

    def test_same(self) -> None:
        """What is as it was is the same document; what changed, or goes by another name, is another."""
        before, _ = self.read(a=service("a"), b=service("b"), c=service("c"))
        after, _ = self.read(a=service("a"), b=service("b", "tcp: []"), d=service("c"))
        kept = [
            one.document is other.document
            for one, other in zip(before.virtual_services, after.virtual_services, strict=True)
        ]
        self.assertEqual(kept, [True, False, False])
        self.assertEqual([each.document.file for each in after.virtual_services], ["a", "b", "d"])

    def test_forget(self) -> None:
        """What was kept goes bit by bit; what is read meanwhile is kept."""
        before, _ = self.read(a=service("a"), b=service("b"))
        forgetting = self.decoder.forget()
        next(forgetting)
        after, _ = self.read(a=service("a"), b=service("b"))
        self.assertEqual(len(list(forgetting)), 1)
        again, _ = self.read(a=service("a"), b=service("b"))
        for first, second, third in zip(*(each.virtual_services for each in (before, after, again)), strict=True):
            self.assertIsNot(first.document, second.document)
            self.assertIs(second.document, third.document)

    def test_problems(self) -> None:
        """What is wrong is told with each reading: with a text, a document, a kind, and where there is no text."""
        texts: dict[str, bytes | str] = {
            "a": b"a: [",
            "b": service("b", "nonsense: 1"),
            "c": b"{apiVersion: networking.istio.io/v1, kind: Gatewya, metadata: {name: c}}",
            "d": "No such file or directory",
        }
        first, told = self.read(**texts)
        self.assertEqual(sorted({line[0] for line in told if " error: " in line}), ["a", "b", "c", "d"])
        self.assertEqual(self.read(**texts)[1], told)
        self.assertEqual(len(first.virtual_services), 1)

    def test_told(self) -> None:
        """What one load tells of a resource keeps no later one from telling it."""
        for _ in range(2):
            (resource,) = self.read(a=service("a"))[0].virtual_services
            problems = Problems()
            for _ in range(2):
                resource.error(problems, ("spec", "http"), "no")
            self.assertEqual(len(problems), 1)

    def test_twice(self) -> None:
        """Of two documents of one name the first counts, whichever was read before; of the other only that is told."""
        broken = service("a", "nonsense: 1")
        _, alone = self.read(b=broken)
        self.assertIn("nonsense", " ".join(alone))
        for _ in range(2):
            found, told = self.read(a=service("a"), b=broken)
            self.assertEqual([each.document.file for each in found.virtual_services], ["a"])
            twice = "VirtualService default/a is defined already, at a:1"
            self.assertEqual(told, [f"b:3:12: error: metadata.name: {twice}"])
        self.assertEqual(self.read(b=broken)[1], alone)
