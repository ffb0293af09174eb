"""Tests for L{edgegate.config.document}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.document import Document, Places, format_path, snake_case
from edgegate.config.problems import Problems, Severity
from edgegate.model.origin import Origin


class PathTests(SynchronousTestCase):
    """Paths in messages."""

    def test_format(self) -> None:
        """Keys are joined by dots, indexes and odd keys stand in brackets."""
        self.assertEqual(format_path(("spec", "servers", 0, "tls", "mode")), "spec.servers[0].tls.mode")
        self.assertEqual(format_path(("data", "tls.crt")), 'data["tls.crt"]')
        self.assertEqual(format_path(("x-y",)), "x-y")
        self.assertEqual(format_path(()), "")

    def test_snake_case(self) -> None:
        """Protobuf's spelling of JSON names."""
        self.assertEqual(snake_case("fixedDelay"), "fixed_delay")
        self.assertEqual(snake_case("mirror_percent"), "mirror_percent")


class DocumentTests(SynchronousTestCase):
    """A document and its places."""

    def setUp(self) -> None:
        self.document = Document(
            "f",
            3,
            "Gateway",
            "networking.istio.io/v1",
            "a",
            places={"spec": (6, 1, {"fixed_delay": (7, 3, None), "list": (8, 3, {0: (9, 5, None), 1: (10, 5, None)})})},
        )

    def test_names(self) -> None:
        """What messages call it, and where it is."""
        self.assertEqual(self.document.title, "Gateway default/a")
        self.assertEqual(self.document.group, "networking.istio.io")
        self.assertEqual(Document("f", 1, "Secret", "v1", "a").group, "")
        self.assertEqual(self.document.origin, Origin("f", 3, "Gateway default/a"))
        self.assertEqual(self.document.origin_of(("spec", "list", 1)), Origin("f", 10, "Gateway default/a"))

    def test_place(self) -> None:
        """A place is found in both spellings; where there is none, it is that of what is around."""
        self.assertEqual(self.document.place(()), (3, 1))
        self.assertEqual(self.document.place(("spec", "fixedDelay")), (7, 3))
        self.assertEqual(self.document.place(("spec", "fixedDelay", "x")), (7, 3))
        self.assertEqual(self.document.place(("spec", "nothing", 5)), (6, 1))
        self.assertEqual(self.document.place(("status",)), (3, 1))

    def test_packed(self) -> None:
        """What is kept of a document tells the same names and places, however deep."""
        deep: Places = {"spec": (2, 1, {"a": (3, 3, {0: (4, 5, {"b": (5, 7, {"c": (6, 9, None)})})})})}
        document = Document("f", 1, "K", "v1", "a", value={"spec": {}}, places=deep)
        packed = document.packed()
        for path in ((), ("spec",), ("spec", "a"), ("spec", "a", 0), ("spec", "a", 0, "b"), ("spec", "a", 0, "b", "c")):
            self.assertEqual(packed.place(path), document.place(path))
        self.assertEqual(packed.place(("spec", "a", 0, "b", "x")), (5, 7))
        self.assertEqual((packed.title, packed.origin, packed.value), (document.title, document.origin, {}))

    def test_problem(self) -> None:
        """A problem bears file, place and path."""
        problems = Problems()
        self.document.error(problems, ("spec", "list", 0), "no")
        self.document.warning(problems, (), "hm")
        self.document.problem(problems, Severity.INFO, ("spec",), "so")
        self.assertEqual(
            [str(problem) for problem in problems],
            ["f:3:1: warning: hm", "f:6:1: info: spec: so", "f:9:5: error: spec.list[0]: no"],
        )

    def test_items_left_out(self) -> None:
        """Where items of a list were left out, paths of what is left lead to the file's own items."""
        document = Document("f", 3, "K", "v1", "a", places=self.document.places, kept={("spec", "list"): (1,)})
        problems = Problems()
        document.error(problems, ("spec", "list", 0), "no")
        self.assertEqual([str(problem) for problem in problems], ["f:10:5: error: spec.list[1]: no"])
        self.assertEqual(document.place(("spec", "list", 0)), (10, 5))

    def test_misspelt(self) -> None:
        """What stands under a misspelt key is told with that key, where it is."""
        document = Document("f", 3, "K", "v1", "a", places=self.document.places, misspelt={("spec", "lists"): "list"})
        problems = Problems()
        document.error(problems, ("spec", "lists", 1), "no")
        self.assertEqual([str(problem) for problem in problems], ["f:10:5: error: spec.list[1]: no"])
