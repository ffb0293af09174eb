from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE, CONNECT_REFUSED, STREAM_IDLE, UPSTREAM_CUT_SHORT
from edgegate.tcp.state import Abort, Action, Close, FinishWriting, RelayState, Side

DOWN, UP = Side.DOWNSTREAM, Side.UPSTREAM


class SideTests(SynchronousTestCase):
    def test_other(self) -> None:
        """Each side's other is the other."""
        self.assertEqual((DOWN.other, UP.other), (UP, DOWN))


class RelayStateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.state = RelayState()

    def test_one_after_the_other(self) -> None:
        """A client's end is passed on while the answer goes on; when that ends too, both are closed without a fault."""
        self.assertEqual(self.state.read_finished(DOWN), [FinishWriting(UP)])
        self.assertEqual(self.state.read_finished(UP), [Close(UP), Close(DOWN)])
        self.assertEqual(self.state.connection_lost(UP, True), [])
        self.assertFalse(self.state.ended)
        self.assertEqual(self.state.connection_lost(DOWN, True), [])
        self.assertTrue(self.state.ended)
        self.assertIsNone(self.state.fault)

    def test_backend_first(self) -> None:
        """A backend that ends first leaves the client its way."""
        self.assertEqual(self.state.read_finished(UP), [FinishWriting(DOWN)])
        self.assertEqual(self.state.read_finished(DOWN), [Close(DOWN), Close(UP)])

    def test_said_twice(self) -> None:
        """An end that is told twice is passed on once."""
        self.state.read_finished(DOWN)
        self.assertEqual(self.state.read_finished(DOWN), [])

    def test_reset_by_the_client(self) -> None:
        """A client's reset is a reset for the backend."""
        self.assertEqual(self.state.connection_lost(DOWN, False), [Abort(UP)])
        self.assertEqual(self.state.connection_lost(UP, True), [])
        self.assertTrue(self.state.ended)
        self.assertEqual(self.state.fault, CLIENT_GONE)

    def test_reset_by_the_backend(self) -> None:
        """A backend that breaks off breaks off the client, who must not take what came for the whole."""
        self.assertEqual(self.state.connection_lost(UP, False), [Abort(DOWN)])
        self.assertEqual(self.state.fault, UPSTREAM_CUT_SHORT)

    def test_reset_after_its_end(self) -> None:
        """A side that breaks off after it sent all is no reason to drop what it sent."""
        self.state.read_finished(UP)
        self.assertEqual(self.state.connection_lost(UP, False), [Close(DOWN)])
        self.assertEqual(self.state.fault, UPSTREAM_CUT_SHORT)

    def test_reset_while_closing(self) -> None:
        """Once both sent all and are closing, a reset of one leaves the other what is queued for it."""
        self.state.read_finished(DOWN)
        self.state.read_finished(UP)
        self.assertEqual(self.state.connection_lost(UP, False), [])
        self.assertIsNone(self.state.fault)

    def test_connect_failed(self) -> None:
        """Without a backend the client is closed, for the reason of the failure."""
        self.assertEqual(self.state.connect_failed(CONNECT_REFUSED), [Close(DOWN)])
        self.assertEqual(self.state.connection_lost(DOWN, False), [])
        self.assertTrue(self.state.ended)
        self.assertEqual(self.state.fault, CONNECT_REFUSED)

    def test_client_gone_before_the_backend_came(self) -> None:
        """There is nothing to do when the connect fails for a client that is gone."""
        self.state.connection_lost(DOWN, False)
        self.assertEqual(self.state.connect_failed(CONNECT_REFUSED), [])
        self.assertTrue(self.state.ended)
        self.assertEqual(self.state.fault, CLIENT_GONE)

    def test_idle(self) -> None:
        """When nothing moves for too long both are reset."""
        self.assertEqual(self.state.abort(STREAM_IDLE), [Abort(DOWN), Abort(UP)])
        self.assertEqual(self.state.connection_lost(DOWN, False), [])
        self.assertEqual(self.state.abort(STREAM_IDLE), [Abort(UP)])
        self.assertEqual(self.state.fault, STREAM_IDLE)

    def test_stopped(self) -> None:
        """A relay that the gateway's stop ends is nobody's fault."""
        self.state.abort(None)
        self.assertIsNone(self.state.fault)

    @given(st.lists(st.sampled_from(["down fin", "up fin", "down lost", "up lost", "down cut", "up cut", "idle"])))
    def test_any_order(self, events: list[str]) -> None:
        """Whatever happens in whatever order: nobody is told to do anything after its end, nor finished twice."""
        state = RelayState()
        lost: set[Side] = set()
        told: list[Action] = []
        for event in events:
            side = DOWN if event.startswith("down") else UP
            if event == "idle":
                actions = state.abort(STREAM_IDLE)
            elif side in lost:
                continue
            elif event.endswith("fin"):
                actions = state.read_finished(side)
            else:
                lost.add(side)
                actions = state.connection_lost(side, event.endswith("lost"))
            self.assertFalse(lost & {action.side for action in actions})
            told += actions
            # with one side lost, the other has been told to end
            if lost:
                ending = {action.side for action in told if not isinstance(action, FinishWriting)}
                self.assertEqual(lost | ending, {DOWN, UP})
        self.assertEqual(state.ended, len(lost) == 2)
        for kind in (FinishWriting, Close):
            for side in Side:
                self.assertLessEqual(told.count(kind(side)), 1)
