"""Tests of L{edgegate.model.log_formats}."""

from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.log_formats import (
    MAX_DEPTH,
    BadFormat,
    DefaultFormat,
    JSONFormat,
    JSONObject,
    TextFormat,
    json_format,
    operators_in,
    read_format,
    text_format,
)
from edgegate.model.operators import Operator


class FormatTests(SynchronousTestCase):
    """Formats that are read."""

    def test_text(self) -> None:
        """Operators are told from text, and a newline ends each line once."""
        self.assertEqual(text_format("a %REQ(x):3% %%").parts, ("a ", Operator("REQ", "x", 3), " ", "%", "\n"))
        self.assertEqual(text_format("a\n").parts, ("a\n",))

    def test_read(self) -> None:
        """A command line names a default, or has a text or JSON."""
        self.assertIs(read_format("json"), DefaultFormat.JSON)
        self.assertIsInstance(read_format("%PROTOCOL%"), TextFormat)
        self.assertIsInstance(read_format(' {"a": "%PROTOCOL%"}'), JSONFormat)
        for text, why in (
            ("xml", "neither text nor json"),
            ('{"a": ', "no JSON"),
            ("%NOPE%", "unknown operator"),
        ):
            self.assertIn(why, str(self.assertRaises(BadFormat, read_format, text)))

    def test_place(self) -> None:
        """What is wrong in JSON is told with the keys that lead there."""
        error = self.assertRaises(BadFormat, json_format, {"a": {"b": ["%PROTOCOL%", "%NOPE%"]}})
        self.assertEqual(error.path, ("a", "b", 1))
        self.assertRaises(BadFormat, json_format, ["a"])

    def test_depth(self) -> None:
        """Objects within objects are limited."""
        value: object = "x"
        for _ in range(MAX_DEPTH):
            value = {"a": value}
        json_format(value)
        self.assertRaises(BadFormat, json_format, {"a": value})

    def test_no_json(self) -> None:
        """What Python reads as JSON, and no other does, is none."""
        for text in ('{"a": 1e999}', '{"a": ' + "9" * 5000 + "}", '{"a": ' + "[" * 100_000 + "}"):
            self.assertRaises(BadFormat, read_format, text)

    def test_operators(self) -> None:
        """All operators are found, those within others too."""
        form = json_format({"a": ['%COALESCE({"operators": ["PROTOCOL"]})%'], "b": 1, "c": "%DURATION%"})
        found = [(path, each.name) for path, each in operators_in(form)]
        self.assertEqual(found, [(("a", 0), "COALESCE"), (("a", 0), "PROTOCOL"), (("c",), "DURATION")])
        self.assertEqual(list(operators_in(DefaultFormat.TEXT)), [])

    def test_pickled(self) -> None:
        """Formats travel to other processes."""
        form = json_format({"a": ["%PROTOCOL%", None], "b": {"c": "d"}}, omit_empty=True)
        again = pickle.loads(pickle.dumps(form))
        self.assertEqual(again, form)
        self.assertIsInstance(again.value, JSONObject)
