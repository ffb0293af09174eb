"""Tests of L{edgegate.istio.envoy.messages}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.envoy.messages import typed
from tests.istio.envoy.reading import message


class MessageTests(SynchronousTestCase):
    """Fields of messages."""

    def test_spellings(self) -> None:
        """Both spellings name a field; one that is given in both is an error."""
        found, told = message("{statPrefix: a, stat_prefix: b, maxTokens: 3}")
        self.assertEqual((found.text("stat_prefix"), found.number("max_tokens", 0)), ("a", 3))
        self.assertEqual(told.errors, ["value.stat_prefix: given twice, as statPrefix and stat_prefix"])

    def test_types(self) -> None:
        """What is of another type is told, with its place, and the default counts."""
        found, told = message("{a: 1, b: x, c: x, d: [1], e: {}, f: 7, g: true, h: '12', i: 3.0, j: 1.5}")
        self.assertEqual(found.text("a", "no"), "no")
        self.assertEqual(found.flag("b", True), True)
        self.assertEqual(found.seconds("c", 2.0), 2.0)
        self.assertEqual(found.texts("d"), [])
        self.assertEqual(found.texts("e"), [])
        self.assertIsNone(found.message("f"))
        self.assertEqual((found.number("g", 5), found.number("h", 5), found.number("i", 5)), (5, 12, 3))
        self.assertEqual(found.number("j", 5), 5)
        self.assertEqual(
            told.errors,
            [
                "value.a: expected string, got integer 1",
                'value.b: expected boolean, got string "x"',
                'value.c: expected a duration such as "1s" or "0.25s", got string "x"',
                "value.d[0]: expected string, got integer 1",
                "value.e: expected array, got object",
                "value.f: expected object, got integer 7",
                "value.g: expected integer, got boolean true",
                "value.j: expected integer, got number 1.5",
            ],
        )

    def test_bounds(self) -> None:
        """A number has bounds, and so has a duration: none is below 0."""
        found, told = message("{a: 11, b: -1s, c: 0.25s, d: 99999999999999999999}")
        self.assertEqual(
            (found.number("a", 0, 0, 10), found.seconds("b", 1.0), found.seconds("c", 1.0)), (0, 1.0, 0.25)
        )
        self.assertEqual(found.number("d", 1), 1)
        self.assertEqual(len(told.errors), 3)

    def test_shares(self) -> None:
        """A share is a percent by its denominator, or the default of one that could change while Envoy runs."""
        found, told = message(
            "{a: {numerator: 50}, b: {default_value: {numerator: 1, denominator: MILLION}, runtime_key: k},"
            " c: {runtime_key: k}, d: {numerator: 3, denominator: DOZEN}, e: {numerator: 500}}"
        )
        shares = [found.share(name, 0.5) for name in "abcdef"]
        self.assertEqual(shares, [0.5, 1e-6, 0.5, 0.5, 1.0, 0.5])
        self.assertEqual(told.errors, ['value.d.denominator: "DOZEN" is none of HUNDRED, TEN_THOUSAND, MILLION'])

    def test_unknown(self) -> None:
        """What nobody has asked for is told."""
        found, told = message("{known: a, passed: b, other: c, nothing: null}")
        found.text("known")
        found.ignore("passed")
        found.end("Thing")
        self.assertEqual(told.warnings, ['value.other: not honoured: nothing is known of the field "other" of Thing'])

    def test_typed(self) -> None:
        """A message says its type, and a TypedStruct is the message that it stands for."""
        found, told = message(
            "{a: {'@type': type.googleapis.com/x.v3.Y, z: 1},"
            " b: {'@type': type.googleapis.com/udpa.type.v1.TypedStruct, type_url: t.com/x.v3.Y, value: {z: 2}},"
            " c: {'@type': 5}, d: {'@type': type.googleapis.com/xds.type.v3.TypedStruct}}"
        )
        read = []
        for name in "abcd":
            inner = found.typed(name)
            assert inner is not None
            read.append((inner[0], inner[1].number("z", 0)))
        self.assertEqual(read, [("x.v3.Y", 1), ("x.v3.Y", 2), ("", 0), ("", 0)])
        self.assertIsNone(found.typed("e"))
        self.assertEqual([typed(each)[0] for _, each in message("{m: {'@type': a/B}}")[0].by_name("m")], [])
        self.assertEqual(told.errors, [])

    def test_by_name(self) -> None:
        """A map has messages by name."""
        found, told = message("{m: {a: {x: 1}, b: 2, c: null}}")
        self.assertEqual([(name, each.number("x", 0)) for name, each in found.by_name("m")], [("a", 1)])
        self.assertEqual(told.errors, ["value.m.b: expected object, got integer 2"])
