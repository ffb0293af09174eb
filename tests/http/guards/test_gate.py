"""Tests of L{edgegate.http.guards.gate}."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream, to_web
from tests.http.guards.guards import LOOKS, PASSES, SEEN, TestGuard, guard, guarded
from tests.http.guards.test_guarded_resource import denies
from tests.http.h1.test_downstream_connection import GET, OK


def breaks() -> bool:
    """Fail."""
    raise RuntimeError("a gate that fails")


class GateTests(SynchronousTestCase):
    """Guards whose filters need not be asked."""

    def setUp(self) -> None:
        """Have no gates behind."""
        self.addCleanup(PASSES.clear)

    def gated(self, name: str, passes: Callable[[], bool]) -> TestGuard:
        """Make a guard with a gate."""
        PASSES[name] = passes
        return guard(name)

    def ask(self, *guards: TestGuard) -> tuple[Conversation, FakeStream]:
        """Ask a gateway that has guards."""
        talk = Conversation()
        client = talk.client(guarded(*guards))
        client.deliver(GET)
        return talk, client

    def test_passes(self) -> None:
        """Where all gates let a request pass no filter is asked, and it goes on as one that meets none."""
        talk, client = self.ask(self.gated("n/a", lambda: True), self.gated("n/b", lambda: True))
        talk.backend().deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual((SEEN, client.sent.count(b"x-guard")), ([], 0))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_no(self) -> None:
        """The first that does not has its filter asked, and all behind it, whatever their gates say."""
        for answer in (lambda: False, breaks):
            gates = ("n/a", lambda: True), ("n/b", answer), ("n/c", lambda: True)
            talk, client = self.ask(*(self.gated(name, passes) for name, passes in gates))
            self.assertEqual(SEEN, ["n/b", "n/c"])
            talk.backend().deliver(OK)
            self.assertIn(b"x-guard: n/c\r\nx-guard: n/b\r\n", client.sent)

    def test_refused(self) -> None:
        """What a filter refuses then is refused."""
        guards = self.gated("n/a", lambda: True), self.gated("n/b", breaks)
        LOOKS["n/b"] = denies
        talk, client = self.ask(*guards)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 403 "), client.sent)
        (ended,) = talk.ended
        self.assertEqual(ended.details, "test_denied")

    def test_without(self) -> None:
        """One that has none has its filter asked, and those behind it."""
        self.ask(guard("n/a"), self.gated("n/b", lambda: True))
        self.assertEqual(SEEN, ["n/a", "n/b"])

    def test_routes(self) -> None:
        """Guards of routes have gates likewise."""
        for passes, seen in ((True, []), (False, ["n/a"])):
            SEEN.clear()
            talk = Conversation(to_web(guards=(self.gated("n/a", lambda: passes),)))  # noqa: B023 (asked at once)
            client = talk.ask(GET)
            talk.backend().deliver(OK)
            self.assertTrue(client.sent.endswith(b"ok"))
            self.assertEqual(SEEN, seen)
