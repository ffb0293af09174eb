"""Tests for L{edgegate.http.h1.downstream_state}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.downstream_state import NEXT, NEXT_FLOW, Event, Flow, State, Turn


def after(*events: Event) -> State:
    """Return the state of a new connection to which this happened."""
    state = State.IDLE
    for event in events:
        state = NEXT[state][event]
    return state


def flow_after(*turns: Turn) -> Flow:
    """Return what flows on a new connection after these turns."""
    flow = Flow.BOTH
    for turn in turns:
        flow = NEXT_FLOW[flow][turn]
    return flow


class StateTests(SynchronousTestCase):
    """How far a connection is."""

    def test_kept(self) -> None:
        """Requests come one after the other, until the end."""
        self.assertIs(after(Event.BEGIN), State.BUSY)
        self.assertIs(after(Event.BEGIN, Event.DONE, Event.BEGIN, Event.DONE), State.IDLE)
        self.assertIs(after(Event.BEGIN, Event.END), State.ENDED)

    def test_last_stays_last(self) -> None:
        """Nothing that happens keeps a connection again whose next response is the last."""
        kept = {State.IDLE, State.BUSY, State.EXPECTING}
        for state in set(State) - kept:
            self.assertTrue(kept.isdisjoint(NEXT[state].values()), state)

    def test_last(self) -> None:
        """Before a request or within it, the next response may become the last."""
        self.assertIs(after(Event.LAST, Event.BEGIN), State.LAST)
        self.assertIs(after(Event.BEGIN, Event.LAST, Event.LAST, Event.DONE), State.LAST_IDLE)

    def test_promised(self) -> None:
        """A response that has promised one more request is followed by the last, unless it is to be the last itself."""
        promised = (Event.BEGIN, Event.RETIRE)
        self.assertIs(after(*promised, Event.DONE, Event.LAST), State.LAST_IDLE)
        self.assertIs(after(*promised, Event.LAST), State.LAST)

    def test_expectation(self) -> None:
        """Who is told to send its body is kept; who is answered without is not."""
        expecting = (Event.BEGIN, Event.EXPECT)
        self.assertIs(after(*expecting, Event.CONTINUE, Event.DONE), State.IDLE)
        self.assertIs(after(*expecting, Event.LAST, Event.DONE), State.LAST_IDLE)
        self.assertIs(after(Event.LAST, *expecting, Event.CONTINUE), State.LAST)

    def test_every_state(self) -> None:
        """Each can be told of a drain and of the end, from which none comes back."""
        for state in State:
            self.assertIs(NEXT[state][Event.END], State.ENDED)
            self.assertIn(Event.LAST, NEXT[state])
        self.assertEqual(set(NEXT[State.ENDED].values()), {State.ENDED})

    def test_what_cannot_be(self) -> None:
        """A pair that makes no sense raises."""
        for state, event in (
            (State.IDLE, Event.DONE),
            (State.BUSY, Event.BEGIN),
            (State.BUSY, Event.CONTINUE),
            (State.EXPECTING, Event.DONE),
            (State.ENDED, Event.BEGIN),
        ):
            with self.assertRaises(KeyError):
                NEXT[state][event]


class FlowTests(SynchronousTestCase):
    """Which directions flow."""

    def test_each_by_itself(self) -> None:
        """The two directions know nothing of each other."""
        self.assertIs(flow_after(Turn.HOLD, Turn.STALL), Flow.NEITHER)
        self.assertIs(flow_after(Turn.STALL, Turn.HOLD, Turn.READ), Flow.STALLED)
        self.assertIs(flow_after(Turn.STALL, Turn.HOLD, Turn.RESUME), Flow.HELD)
        self.assertIs(flow_after(Turn.HOLD, Turn.STALL, Turn.RESUME, Turn.READ), Flow.BOTH)

    def test_order(self) -> None:
        """That a client does not read can be asked for by the order of the values."""
        self.assertEqual([flow >= Flow.STALLED for flow in Flow], [False, False, True, True])

    def test_what_cannot_be(self) -> None:
        """Who is held is not held again."""
        with self.assertRaises(KeyError):
            NEXT_FLOW[Flow.HELD][Turn.HOLD]
