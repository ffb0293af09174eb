"""Tests of L{edgegate.access_log.attributes}."""

from __future__ import annotations

from typing import Any

from edgegate.access_log.conditions import condition
from edgegate.access_log.record import LogRecord
from edgegate.errors import NO_ROUTE
from edgegate.model.cel import ATTRIBUTES
from tests.access_log.records import AHEAD, ENDED, RecordCase


class AttributesTests(RecordCase):
    """What attributes of requests and connections stand for."""

    def holds(self, expression: str, ended: Any = None) -> bool:
        """Whether something is logged."""
        return condition(expression)(LogRecord(self.exchange if ended is None else ended, ENDED, AHEAD))

    def test_flags(self) -> None:
        """Flags are Envoy's bits, and their letters."""
        self.exchange.fault = NO_ROUTE
        self.assertTrue(self.holds("'NR' in response.short_flags && response.flags == 256"))

    def test_relay(self) -> None:
        """A relay has no code: a filter that asks for one lets none through, as Istio's does."""
        self.assertFalse(self.holds("response.code >= 400", self.relay))
        self.assertFalse(self.holds("request.method != 'GET'", self.relay))
        self.assertTrue(self.holds("'UF' in response.short_flags && destination.port == 80", self.relay))
        self.assertTrue(self.holds("connection.requested_server_name == 'a.example'", self.rejected))

    def test_every_attribute(self) -> None:
        """Each attribute is there or not, of whatever ended."""
        for owner, names in ATTRIBUTES.items():
            for name in names:
                for ended in (self.exchange, self.relay, self.rejected):
                    self.holds(f"has({owner}.{name})", ended)
