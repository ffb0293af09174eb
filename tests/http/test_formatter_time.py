"""Tests for L{edgegate.http.formatter_time}."""

from __future__ import annotations

from dataclasses import replace
from time import localtime, monotonic, strftime, time
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.exchange import Exchange
from edgegate.http.formatter_time import formatted
from edgegate.http.request import refused_head
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import Message, rendered
from edgegate.model.headers import Template
from tests.http.test_exchange import FakeDownstream

MOMENT = 1795864853.1954321


class FormatTests(SynchronousTestCase):
    """Times as Envoy writes them."""

    def test_formats(self) -> None:
        """strftime's letters, seconds since the epoch, and digits of the second."""
        for form, text in (
            ("", b"2026-11-28T11:20:53.195Z"),
            ("%Y/%m/%d %H:%M:%S%z", b"2026/11/28 11:20:53+0000"),
            ("%s", b"1795864853"),
            ("%s.%3f", b"1795864853.195"),
            ("%1f|%6f", b"1|195432"),
            ("%%", b"%"),
        ):
            self.assertEqual(formatted(MOMENT, form), text, form)
        self.assertRegex(formatted(MOMENT, "%f"), rb"^195432[0-9]{3}$")

    def test_local(self) -> None:
        """Local time says which it is."""
        zone = strftime("%z", localtime(MOMENT)).encode()
        self.assertTrue(formatted(MOMENT, "", local=True).endswith(b".195" + zone))


class OperatorsTests(SynchronousTestCase):
    """Times of an exchange."""

    def setUp(self) -> None:
        """Make an exchange of an upload that began two seconds ago."""
        self.stream = FakeDownstream()
        self.exchange = Exchange(cast(Any, self.stream), refused_head(), {})
        self.exchange.started = monotonic() - 2
        self.answer = ResponseHead(200, b"", [])

    def value(self, text: str, answered: bool = True, backend: bool = True) -> bytes:
        """Return what a text stands for in the request, in a backend's response or in the gateway's own."""
        message = Message([], self.answer, cast(Any, object()) if backend else None) if answered else Message([])
        return rendered(Template.parse(text), self.exchange, message)

    def milliseconds(self, text: str) -> int:
        """Return a number that a text stands for in a backend's response."""
        return int(self.value(text))

    def test_moments(self) -> None:
        """When the request began, and now; in UTC and in local time."""
        for text, age in (("%START_TIME(%s)%", 2), ("%START_TIME_LOCAL(%s)%", 2), ("%EMIT_TIME(%s)%", 0)):
            self.assertTrue(-1 <= time() - age - int(self.value(text)) < 60, text)
        self.assertRegex(self.value("%START_TIME%"), rb"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{3}Z$")
        self.assertRegex(self.value("%EMIT_TIME_LOCAL%"), rb"[.][0-9]{3}[+-][0-9]{4}$")

    def test_durations(self) -> None:
        """Milliseconds from the beginning of the request to what has happened since."""
        self.exchange.request_whole, self.exchange.uploaded = True, self.exchange.started + 0.5
        self.exchange.upstream_time = 1000
        self.assertEqual(self.value("%REQUEST_DURATION%"), b"500")
        self.assertEqual(self.value("%COMMON_DURATION(DS_RX_BEG:DS_RX_END)%"), b"500")
        self.assertEqual(self.value("%COMMON_DURATION(DS_RX_BEG:DS_RX_END:us)%"), b"500000")
        for text in ("%DURATION%", "%RESPONSE_DURATION%", "%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:ms)%"):
            self.assertGreaterEqual(self.milliseconds(text), 2000, text)
        for text in ("%REQUEST_TX_DURATION%", "%UPSTREAM_CONNECTION_POOL_READY_DURATION%"):
            self.assertGreaterEqual(self.milliseconds(text), 1000, text)
        self.assertGreater(self.milliseconds("%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:ns)%"), 2_000_000_000)

    def test_no_upload(self) -> None:
        """A request without a body was whole when it began."""
        self.exchange.request_whole = True
        self.assertEqual(self.value("%REQUEST_DURATION%"), b"0")

    def test_nothing_yet(self) -> None:
        """What has not happened has no time; nor is there one between unknown points, or backwards."""
        self.assertEqual(self.value("%REQUEST_DURATION%"), b"")
        for text in ("%RESPONSE_DURATION%", "%REQUEST_TX_DURATION%", "%COMMON_DURATION(DS_RX_BEG:US_RX_BEG)%"):
            self.assertEqual(self.value(text, answered=False), b"", text)
            self.assertEqual(self.value(text, backend=False), b"", text)
        for text in ("%COMMON_DURATION(a:b)%", "%COMMON_DURATION(DS_RX_BEG:DS_TX_END)%"):
            self.assertEqual(self.value(text), b"", text)
        self.exchange.upstream_time = 1000
        self.assertEqual(self.value("%COMMON_DURATION(US_RX_BEG:DS_RX_BEG)%"), b"")

    def test_handshake(self) -> None:
        """The handshake was over before the request began; in the clear there was none."""
        self.assertEqual(self.value("%DOWNSTREAM_HANDSHAKE_DURATION%"), b"")
        self.exchange.connection = replace(self.stream.downstream, tls=True, since=self.exchange.started - 0.25)
        self.assertEqual(self.value("%DOWNSTREAM_HANDSHAKE_DURATION%"), b"-250")
