"""Tests of L{edgegate.istio.kinds.gateway}."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.gateway import Gateway, TLSMode

PORT = {"number": 443, "name": "a", "protocol": "HTTPS"}


class GatewayTests(SynchronousTestCase):
    """The spec of a Gateway."""

    def test_server(self) -> None:
        """What is not given can be told from what is."""
        found = msgspec.convert({"servers": [{"port": PORT, "hosts": ["*"], "tls": {"mode": "MUTUAL"}}]}, Gateway)
        (server,) = found.servers
        assert server.tls is not None
        self.assertEqual((server.tls.mode, server.tls.credential_name), (TLSMode.MUTUAL, None))
        self.assertEqual((server.hosts, server.bind, found.selector), (("*",), None, {}))
