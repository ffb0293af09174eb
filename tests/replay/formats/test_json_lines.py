"""Tests of L{edgegate.replay.formats.json_lines}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.replay.formats import columns
from edgegate.replay.formats.json_lines import ISTIO_KEYS, JSONLines
from edgegate.replay.formats.reading import NO_LINE, NO_REQUEST, NO_REQUEST_LINE

ISTIO = JSONLines("istio-json", ISTIO_KEYS)


class JSONLinesTests(SynchronousTestCase):
    """Objects, one a line."""

    def test_values(self) -> None:
        """Numbers are read as they are written; null, a list or no key at all is no value."""
        reader = ISTIO.reader((columns.METHOD, columns.PATH, columns.STATUS, columns.FLAGS, columns.ROUTE))
        line = b'{"method":"GET","path":"/\\u00fc?x","response_code":200,"response_flags":null,"route_name":["x"]}'
        said = dict(zip(reader.columns, reader.read(line), strict=True))
        self.assertEqual(
            said,
            {"method": b"GET", "path": "/ü".encode(), "status": b"200", "flags": None, "route": None},
        )

    def test_within(self) -> None:
        """A key may be within others; of two that say the same the first with a value counts."""
        keys = {("a", "m"): columns.METHOD, ("p",): columns.TARGET, ("q",): columns.ROUTE, ("r",): columns.ROUTE}
        reader = JSONLines("own", keys).reader((columns.METHOD, columns.ROUTE))
        self.assertEqual(reader.read(b'{"a":{"m":"GET"},"p":"/","q":null,"r":"x"}'), (b"GET", b"x"))
        self.assertEqual(reader.read(b'{"a":"GET","p":"/"}'), NO_REQUEST)

    def test_request_line(self) -> None:
        """A request line is taken apart; one that is none was refused."""
        reader = JSONLines("own", {("r",): columns.REQUEST}).reader((columns.METHOD, columns.PATH, columns.QUERY))
        self.assertEqual(reader.read(b'{"r":"GET /a?b HTTP/1.1"}'), (b"GET", b"/a", b"?b"))
        for line in (b'{"r":"GET /a b HTTP/1.1"}', b'{"r":"nonsense"}', b'{"r":null}'):
            self.assertEqual(reader.read(line), NO_REQUEST_LINE)

    def test_odd(self) -> None:
        """Where the query is not wanted an odd one is no line; what is no JSON is none, either."""
        reader = ISTIO.reader((columns.PATH,))
        self.assertEqual(reader.read(b'{"method":"GET","path":"/a?b"}'), (b"/a",))
        deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
        half = b'{"method":"GET","path":"/\\ud83d"}'
        for line in (b'{"method":"GET","path":"/a?\\u0001"}', b"{", b"[]", b'{"method":"\xff"}', deep, half):
            self.assertEqual(reader.read(line), NO_LINE)

    def test_nothing(self) -> None:
        """Keys that say no request are no format."""
        with self.assertRaisesRegex(ValueError, "the request's path"):
            JSONLines("own", {("m",): columns.METHOD})
