"""Tests of L{edgegate.replay.formats.raw_quotes}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.replay.formats import columns
from edgegate.replay.formats.raw_quotes import RawQuotesReader
from tests.replay.logged import EDGEGATE, ENVOY

AGENT = columns.header("user-agent")
WANTED = (AGENT, columns.AUTHORITY, columns.PATH, columns.CLUSTER)
CLUSTER = b"outbound|80||webapp.default.svc.cluster.local"


class RawQuotesReaderTests(SynchronousTestCase):
    """Lines with quotes that nobody has escaped."""

    @settings(max_examples=200, deadline=None)
    @given(st.text('ab" \\').map(str.encode))
    def test_agent(self, agent: bytes) -> None:
        """Whatever a client calls itself, it can't say which host it has asked for; what is unsure is told."""
        found = RawQuotesReader(WANTED, istio=True).read(EDGEGATE % agent)
        assert found is not None
        values, unsure = found
        self.assertEqual(values[1:], (b"webapp.example", b"/api/catalog", CLUSTER))
        around = b'" "' + agent + b'" "'
        self.assertEqual(unsure, sum(around.startswith(b'" "', at) for at in range(len(around))) > 2)
        if not unsure:
            self.assertEqual(values[0], agent)

    def test_which(self) -> None:
        """A line of Envoy's default is none of Istio's, and the other way round."""
        self.assertIsNone(RawQuotesReader(WANTED, istio=True).read(ENVOY % b'"'))
        self.assertIsNone(RawQuotesReader(WANTED, istio=False).read(EDGEGATE % b'"'))
        found = RawQuotesReader(WANTED, istio=False).read(ENVOY % b'"')
        self.assertEqual(found, ((b'"', b"locations", b"/api/v1/locations", None), False))

    def test_other(self) -> None:
        """A line that ends too soon is none."""
        for line in (b"", (EDGEGATE % b'"')[:200], b'[x] "GET / HTTP/1.1" 200 - '):
            self.assertIsNone(RawQuotesReader(WANTED, istio=True).read(line))
