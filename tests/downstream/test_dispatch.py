"""Tests of L{edgegate.downstream.dispatch}."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.downstream.dispatch import Dispatch
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.wheel import TimerWheel
from edgegate.observe.observers import Observers
from edgegate.tcp.copying import RelayProtocol
from edgegate.tcp.gateway import TCPGateway
from tests.downstream.arriving import PLAIN, TCP, RecordingHTTP, listener
from tests.net.pairs import HERE, THERE


class DispatchTests(SynchronousTestCase):
    """HTTP or bytes."""

    def test_protocols(self) -> None:
        """The filter chain says which."""

        anything: Any = None
        http = RecordingHTTP()
        tcp = TCPGateway(anything, TimerWheel(Clock()), anything, Observers([]))
        dispatch = Dispatch(http, tcp)  # type: ignore[arg-type]
        verifyObject(IProtocolFactory, dispatch)
        web = ConnectionInfo(listener(), PLAIN, THERE, HERE)
        self.assertIs(dispatch.buildProtocol(web), http.connections[0][1])
        self.assertIs(http.connections[0][0], web)
        self.assertIsInstance(dispatch.buildProtocol(ConnectionInfo(listener(), TCP, THERE, HERE)), RelayProtocol)
