"""Tests for L{edgegate.istio.resources}."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.document import Document, Places
from edgegate.config.packing import pack
from edgegate.config.problems import Problems
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Packed, Resource


class ResourceTests(SynchronousTestCase):
    """What is told of a resource."""

    def setUp(self) -> None:
        document = Document("f", 1, "Gateway", "networking.istio.io/v1", "a", "shop")
        self.resource = Resource(document, Gateway(), broken=(("spec", "servers", 0, "tls", "mode"),))
        self.problems = Problems()

    def test_names(self) -> None:
        """It has its document's name."""
        self.assertEqual((self.resource.name, self.resource.namespace), ("a", "shop"))

    def test_packed(self) -> None:
        """A spec that is kept as bytes is the same as one that is not."""
        spec = VirtualService(hosts=("a.example",))
        document = Document("f", 1, "VirtualService", "networking.istio.io/v1", "a")
        decoder = msgspec.msgpack.Decoder(VirtualService)
        packed = Resource(document, Packed(pack({"hosts": ["a.example"]}), decoder.decode))
        self.assertEqual(packed.spec, spec)
        self.assertEqual(packed.spec, Resource(document, spec).spec)

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


class PartsTests(SynchronousTestCase):
    """A resource of which parts are said in another document."""

    def setUp(self) -> None:
        group = "networking.istio.io/v1"
        places: Places = {"spec": (2, 1, {"http": (3, 3, {0: (4, 5, {"timeout": (5, 7, None)}), 1: (6, 5, None)})})}
        leaf, root = (
            Document(file, 1, "VirtualService", group, file, file, places=places, value={}) for file in ("leaf", "root")
        )
        self.leaf = Resource(leaf, VirtualService(), broken=(("spec", "http", 1, "match"),))
        self.root = Resource(root, VirtualService())
        self.merged = replace(
            self.root,
            parts={
                ("spec", "http", 0): (self.leaf, ("spec", "http", 1)),
                ("spec", "http", 0, "timeout"): (self.root, ("spec", "http", 0, "timeout")),
            },
        )
        self.problems = Problems()

    def test_places(self) -> None:
        """A part is where it is said; of several that hold it, the smallest counts."""
        for path, resource, place in (
            (("spec", "http", 0, "route"), self.leaf, ("spec", "http", 1, "route")),
            (("spec", "http", 0, "timeout"), self.root, ("spec", "http", 0, "timeout")),
            (("spec", "hosts"), self.merged, ("spec", "hosts")),
        ):
            self.assertEqual(self.merged.at(path), (resource, place))
        self.assertEqual(str(self.merged.origin_of(("spec", "http", 0))), "leaf:6")
        self.assertEqual(str(self.merged.origin_of(("spec", "http", 0, "timeout"))), "root:5")

    def test_told_there(self) -> None:
        """What is wrong with a part is told where it is said, once, and not where something was left out."""
        for resource in (self.merged, self.root):
            resource.error(self.problems, ("spec", "http", 0, "timeout"), f"of {resource.namespace}")
        self.merged.warning(self.problems, ("spec", "http", 0, "route"), "no")
        self.merged.warning(self.problems, ("spec", "http", 0, "match"), "left out")
        self.assertEqual(
            [str(problem) for problem in self.problems],
            ["leaf:6:5: warning: spec.http[1].route: no", "root:5:7: error: spec.http[0].timeout: of root"],
        )
        self.assertTrue(self.merged.left_out(("spec", "http", 0)))
