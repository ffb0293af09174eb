"""Tests for L{edgegate.model.operators}: the operators, and how each is written, as Envoy 1.40 takes them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.operators import ALONE, EMPTY, OPERATORS, OPTIONAL, REQUIRED, Operator, UnknownOperator, operator

ARGUMENTS = {
    "COALESCE": '{"operators": ["PROTOCOL"]}',
    "COMMON_DURATION": "DS_RX_BEG:US_RX_BEG",
    "GRPC_STATUS": "NUMBER",
    "PATH": "NQ:ORIG_OR_PATH",
    "QUERY_PARAMS": "ORIG",
    "REQUESTED_SERVER_NAME": "SNI_FIRST",
    "XFCC_VALUE": "uri",
}
"""Arguments that are no plain text."""


def argument_of(name: str) -> str:
    """Return an argument that an operator may have."""
    return ARGUMENTS.get(name, "24" if name.endswith("_WITHOUT_PORT") else "a")


class OperatorTests(SynchronousTestCase):
    """Operators."""

    def test_all(self) -> None:
        """Each is known in its form, and in one only."""
        self.assertEqual(len(OPERATORS), len(ALONE) + len(OPTIONAL) + len(REQUIRED))
        for name in ALONE | OPTIONAL:
            self.assertEqual(operator(name), Operator(name))
        for name in OPTIONAL | REQUIRED:
            argument = argument_of(name)
            self.assertEqual(operator(name, argument).argument, argument)
        for name in ALONE:
            self.assertIn("has no argument", str(self.assertRaises(ValueError, operator, name, "a")))
        for name in REQUIRED:
            self.assertIn("needs an argument", str(self.assertRaises(ValueError, operator, name)))

    def test_empty(self) -> None:
        """Those that stand for nothing are among them."""
        self.assertEqual(set(EMPTY) - OPERATORS, set())

    def test_unknown(self) -> None:
        """What Envoy does not know, or only with an extension, is unknown."""
        for name in ("REQUEST", "REQ_WITHOUT_QUERY", "TRACE_CONTEXT", "UPSTREAM_LOCAL_SUBJECT", "req"):
            self.assertEqual(self.assertRaises(UnknownOperator, operator, name, "a").name, name)

    def test_cut(self) -> None:
        """Texts of clients and of filters can be cut, numbers and times can't."""
        self.assertEqual(operator("REQ", "x-a", 8), Operator("REQ", "x-a", 8))
        self.assertEqual(operator("PATH", "", 8).longest, 8)
        for name, argument in (("START_TIME", "%Y"), ("PROTOCOL", ""), ("UPSTREAM_METADATA", "a:b")):
            self.assertIn("can't be cut", str(self.assertRaises(ValueError, operator, name, argument, 8)))

    def test_arguments(self) -> None:
        """An argument that means nothing is refused, and says what would."""
        for name, argument, words in (
            ("PATH", "QW", "QW is none of WQ, NQ"),
            ("PATH", "NQ:OLD", "OLD is none of ORIG, PATH, ORIG_OR_PATH"),
            ("PATH", "NQ:ORIG:x", "there is no x"),
            ("PATH", ":ORIG", "nothing is none of WQ, NQ"),
            ("QUERY_PARAMS", "RAW", "RAW is none of ORIG, DECODED"),
            ("REQUESTED_SERVER_NAME", "HOST", "HOST is none of SNI_ONLY"),
            ("XFCC_VALUE", "issuer", "issuer is none of by, hash"),
            ("COMMON_DURATION", "DS_RX_BEG", "is not written START:END"),
            ("COMMON_DURATION", "DS_RX_BEG:US_RX_BEG:s", "is not written START:END"),
            ("REQ", "a?b?c", "two headers at most"),
            ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "x", "x is no length"),
            ("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "129", "129 is no length"),
            ("COALESCE", "REQ(a)", "needs operators"),
            ("COALESCE", "[1]", "needs operators"),
            ("COALESCE", '{"operators": []}', "needs operators"),
            ("COALESCE", '{"operators": [{"param": "a"}]}', "needs operators"),
            ("COALESCE", '{"operators": [7]}', "needs operators"),
            ("COALESCE", '{"operators": [{"command": "REQ", "param": "a", "max_length": -1}]}', "is a number of bytes"),
            ("COALESCE", '{"operators": [{"command": "REQ", "param": "a", "max_length": true}]}', "is a number of"),
            ("COALESCE", '{"operators": [{"command": "REQ", "param": "a", "max_length": "3"}]}', "is a number of"),
            ("COALESCE", '{"operators": ["REQ"]}', "%REQ% needs an argument"),
        ):
            self.assertIn(words, str(self.assertRaises(ValueError, operator, name, argument)), (name, argument))

    def test_choices(self) -> None:
        """Operators within an operator are read as well."""
        given = operator(
            "COALESCE", '{"operators": [{"command": "REQ", "param": "a", "max_length": 3}, "PROTOCOL"]}', 9
        )
        self.assertEqual(given.choices, (Operator("REQ", "a", 3), Operator("PROTOCOL")))
        self.assertEqual(given.longest, 9)
