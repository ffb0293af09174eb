"""Tests for L{edgegate.explain.guards}, and for what decisions, trees and advice say of policies."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Refusal
from edgegate.explain.explanation import Explainer
from edgegate.explain.guards import judged
from edgegate.explain.judgement import Verdict
from edgegate.explain.tree import lines, tree
from edgegate.model.addresses import TCPAddress
from tests.explain.explaining import Explained
from tests.http.guards.guards import ORIGIN, TestGuard
from tests.istio.translate.compiling import gateway, route, virtual_service
from tests.istio.translate.guards.test_targets import policy, target

FILES = (
    gateway("gw", "80 HTTP a.example", "9000 TCP *")
    + virtual_service("vs", "a.example", f"http: [{route(name='old', match='[{uri: {prefix: /x}}]')}, {route()}]")
    + virtual_service("tcp", "*", f"tcp: [{route()}]")
)
INSIDE, OUTSIDE = TCPAddress("192.0.2.1", 4711), TCPAddress("198.51.100.7", 4711)


class GuardsTests(SynchronousTestCase):
    """What policies make of questions."""

    def test_virtual_host(self) -> None:
        """A request that a policy of its host refuses has no route; one that passes has, and the policy is told."""
        explained = Explained.of(FILES + policy())
        refused = explained.decide("GET", "http://a.example/", peer=OUTSIDE)
        assert refused.denied is not None
        self.assertEqual((refused.denied.guard.name, refused.route, refused.routed), ("default/p", None, False))
        answer = explained.finder().of(refused).answer
        assert answer is not None
        self.assertEqual(
            (answer.status, answer.body, answer.details), (403, b"access denied", "address_list_denied[default/p]")
        )
        passed = explained.decide("GET", "http://a.example/", peer=INSIDE)
        self.assertEqual([each.verdict for each in passed.guards], [Verdict.ALLOWED])
        self.assertIsNotNone(passed.route)

    def test_route(self) -> None:
        """A policy of a route is told behind it."""
        explained = Explained.of(FILES + policy(target("VirtualService", "vs", "old")))
        refused = explained.decide("GET", "http://a.example/x", peer=OUTSIDE)
        assert refused.route is not None
        self.assertIsNotNone(refused.denied)
        self.assertEqual(explained.decide("GET", "http://a.example/", peer=OUTSIDE).guards, ())

    def test_connection(self) -> None:
        """A connection that is relayed is closed."""
        explained = Explained.of(FILES + policy())
        refused = explained.decide("", "tcp://any.example:9000", peer=OUTSIDE)
        self.assertEqual((refused.refusal, refused.route), (Refusal.DENIED, None))
        self.assertIsNotNone(explained.decide("", "tcp://any.example:9000", peer=INSIDE).route)

    def test_told(self) -> None:
        """The tree has each policy with its place, and where to look."""
        explained = Explained.of(FILES + policy())
        decision = explained.decide("GET", "http://a.example/", peer=OUTSIDE)
        found = Explainer(explained.decider(), explained.endpoints, explained.notes).explain_decision(decision)
        self.assertEqual((found.served, found.disagrees), (False, False))
        texts = [node.text for _, node in lines(tree(found))]
        self.assertIn("denied: AddressListPolicy default/p: the address 198.51.100.7 is not on allow", texts)
        self.assertTrue(any(text.startswith("the gateway answers 403") for text in texts), texts)
        self.assertIn("AddressListPolicy default/p refuses it: the address 198.51.100.7 is not on allow", texts)

    def test_unknown(self) -> None:
        """What only a gateway that runs can tell is told so, and goes on."""
        explained = Explained.of(FILES)
        asked = explained.decide("GET", "http://a.example/").asked
        assert asked is not None
        found = list(judged((TestGuard("n/a", ORIGIN), TestGuard("n/b", ORIGIN)), asked))
        self.assertEqual([each.verdict for each in found], [Verdict.UNKNOWN, Verdict.UNKNOWN])
