"""Tests of L{edgegate.access_log.lines}."""

from __future__ import annotations

import json

from edgegate.access_log.lines import log_line
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import DefaultFormat, json_format, text_format
from tests.access_log.records import AHEAD, ENDED, RecordCase


class LinesTests(RecordCase):
    """Formats made into functions."""

    def test_text(self) -> None:
        """Text has its own newline, a dash for what is not there, and a percent sign for two."""
        self.assertEqual(self.line(text_format("%RESPONSE_CODE% %REQ(x-none)% 100%%")), "200 - 100%\n")
        self.assertEqual(self.line(text_format("%RESPONSE_CODE%\n")), "200\n")

    def test_omitted(self) -> None:
        """With omitEmptyValues nothing is written for what is not there."""
        self.assertEqual(self.line(text_format("<%REQ(x-none)%>", omit_empty=True)), "<>\n")
        form = json_format({"a": "%REQ(x-none)%", "b": {"c": "%REQ(x-none)%"}, "d": "x%REQ(x-none)%", "e": [1]}, True)
        self.assertEqual(self.line(form), '{"d":"x","e":[1]}\n')
        self.assertEqual(self.line(json_format({"a": "%REQ(x-none)%"}, True)), "{}\n")

    def test_json(self) -> None:
        """JSON keeps numbers, null, what is nested, and the order of keys."""
        form = json_format(
            {
                "code": "%RESPONSE_CODE%",
                "none": "%REQ(x-none)%",
                "inner": {"list": ["%PROTOCOL%", True, None, 1.5], "100%": "%BYTES_SENT% bytes, %REQ(x-none)%"},
                "flags": "%RESPONSE_FLAGS%",
            }
        )
        line = self.line(form)
        self.assertEqual(
            json.loads(line),
            {
                "code": 200,
                "none": None,
                "inner": {"list": ["HTTP/1.1", True, None, 1.5], "100%": "5 bytes, -"},
                "flags": "-",
            },
        )
        self.assertTrue(line.startswith('{"code":200,"none":null,"inner":'))

    def test_hostile(self) -> None:
        """Nobody can write a line of their own, nor leave their quotes."""
        self.exchange.asked = None
        self.exchange.head.fields = [(b"x-a", b'a"\n\\\xe9{')]
        self.assertEqual(self.line(text_format('"%REQ(x-a)%"')), '"a\\"\\x0a\\\\\\xe9{"\n')
        line = self.line(json_format({"a": "%REQ(x-a)%", "b": "<%REQ(x-a)%>"}))
        self.assertEqual(line.count("\n"), 1)
        self.assertEqual(json.loads(line), {"a": 'a"\n\\\\xe9{', "b": '<a"\n\\\\xe9{>'})

    def test_default(self) -> None:
        """The default formats are what they are without any other."""
        self.assertIn('"GET /a?b=c HTTP/1.1" 200', self.line(DefaultFormat.TEXT))
        self.assertEqual(json.loads(self.line(DefaultFormat.JSON))["response_code"], 200)

    def test_filtered(self) -> None:
        """What a filter does not let through has no line, in whatever format; nor has what no server is for."""
        for form in (DefaultFormat.TEXT, text_format("%RESPONSE_CODE%")):
            line = log_line(AccessLogFile("-", form, filter="response.code == 200", unmatched=False))
            self.assertIn("200", line(self.exchange, ENDED, AHEAD))
            self.assertEqual(line(self.relay, ENDED, AHEAD), "")
            line = log_line(AccessLogFile("-", form, unmatched=False))
            self.assertEqual(line(self.rejected, ENDED, AHEAD), "")
            self.assertTrue(line(self.relay, ENDED, AHEAD))
