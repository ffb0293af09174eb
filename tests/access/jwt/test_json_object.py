"""Objects of JSON that can be read in one way only."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.json_object import MOST_DEPTH, json_object


class JSONObjectTests(SynchronousTestCase):
    """L{json_object}."""

    def test_good(self) -> None:
        """An object is read."""
        data = ' {"a": [1, 2.5, true, null, {"b": "é\\u00e9\\ud83d\\ude00"}]} '.encode()
        self.assertEqual(json_object(data), {"a": [1, 2.5, True, None, {"b": "éé😀"}]})

    def test_bad(self) -> None:
        """What two readers could read differently is not."""
        for data in (
            *(b"", b"1", b"[]", b"null", b'"a"', b"{", b"{} {}", b"{'a': 1}", b'{"a": 1,}', b"// a\n{}"),
            *(b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": 01}', b'{"a": ' + b"9" * 5000 + b"}"),
            *(b'{"a": 1, "a": 1}', b'{"a": 1, "\\u0061": 2}', b'{"b": {"a": 1, "a": 2}}'),
            *(b'{"a": "\\ud800"}', b'{"\\udc00": 1}', b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', b'{"a": "\x01"}'),
            *(b"\xef\xbb\xbf{}", "{}".encode("utf-16"), "{}".encode("utf-32")),
        ):
            self.assertRaises(ValueError, json_object, data)

    def test_depth(self) -> None:
        """There is a deepest one, however much of it there is."""
        fits = b'{"a":' + b"[" * (MOST_DEPTH - 1) + b"]" * (MOST_DEPTH - 1) + b"}"
        self.assertEqual(list(json_object(fits)), ["a"])
        for depth in (MOST_DEPTH, 1000, 100_000):
            self.assertRaises(ValueError, json_object, b'{"a":' + b"[" * depth + b"]" * depth + b"}")
            self.assertRaises(ValueError, json_object, b'{"a":' * (depth + 1) + b"1" + b"}" * (depth + 1))
