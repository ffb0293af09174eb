"""Tests of L{edgegate.http.guards.authorization}; what rules match is in tests.access.test_authorization."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.authorization import ALLOWED, DENIED, TRIED_ALLOW, TRIED_DENY, authorizer_state, guard_of
from edgegate.observe.metrics.families import AUTHORIZATION
from edgegate.observe.metrics.meters import ListenerMeter, Meters
from tests.access.asking import authorizations, policy
from tests.http.conversation import NOTHING_LEFT, Conversation
from tests.http.guards.guards import guarded
from tests.http.h1.test_downstream_connection import OK

TRIED = ", annotations: {istio.io/dry-run: 'true'}"
ADMIN = "action: DENY\nrules: [{to: [{operation: {paths: [/admin]}}]}, {to: [{operation: {paths: [/root]}}]}]"


def request(path: bytes) -> bytes:
    """Ask for a path."""
    return b"GET %b HTTP/1.1\r\nhost: web.example\r\n\r\n" % path


class FilterTests(SynchronousTestCase):
    """Requests that meet policies."""

    def ask(self, path: bytes, *specs: str) -> Conversation:
        """Ask a gateway that has policies."""
        talk = Conversation()
        self.client = talk.client(guarded(*authorizations(*specs)))
        self.client.deliver(request(path))
        return talk

    def test_denied(self) -> None:
        """The answer is Envoy's, the log names the rule, and its policy has its place."""
        talk = self.ask(b"/root", ADMIN)
        self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 403 Forbidden\r\n"), self.client.sent)
        self.assertTrue(self.client.sent.endswith(b"\r\n\r\nRBAC: access denied"))
        (ended,) = talk.ended
        self.assertEqual(ended.details, "rbac_access_denied_matched_policy[ns[default]-policy[p0]-rule[1]]")
        assert ended.guard is not None
        self.assertEqual((ended.guard.name, ended.flags), ("default/p0", ""))
        self.assertEqual(str(ended.guard.origin).partition(":")[0], "in.yaml")
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_not_allowed(self) -> None:
        """Where no policy allows it, none of them is named by the details."""
        (ended,) = self.ask(b"/x", "rules: [{to: [{operation: {paths: [/a]}}]}]", "").ended
        self.assertEqual(ended.details, "rbac_access_denied_matched_policy[none]")
        assert ended.guard is not None
        self.assertEqual(ended.guard.name, "default/p0, default/p1")

    def test_allowed(self) -> None:
        """What is allowed is served, and nothing is noted of it."""
        talk = self.ask(b"/a", ADMIN, "rules: [{to: [{operation: {paths: [/a]}}]}]")
        talk.backend().deliver(OK)
        (ended,) = talk.ended
        self.assertEqual((ended.status, ended.metadata, ended.guard), (200, None, None))

    def test_audited(self) -> None:
        """What AUDIT matches is marked for the access log."""
        for path, expected in ((b"/admin", {"envoy.common": {"access_log_hint": True}}), (b"/other", None)):
            talk = self.ask(path, ADMIN.replace("DENY", "AUDIT"))
            talk.backend().deliver(OK)
            self.assertEqual(talk.ended[0].metadata, expected)

    def test_tried(self) -> None:
        """What policies that are only tried would do is noted."""
        key = "istio_dry_run_deny_shadow_"
        by_rule = {key + "engine_result": "denied", key + "effective_policy_id": "ns[default]-policy[t]-rule[0]"}
        for path, expected in ((b"/admin", by_rule), (b"/other", {key + "engine_result": "allowed"})):
            talk = self.ask(path, policy(ADMIN, "t", TRIED))
            talk.backend().deliver(OK)
            self.assertEqual(talk.ended[0].metadata, {"envoy.filters.http.rbac": expected})
        talk = self.ask(b"/x", policy("rules: [{to: [{operation: {paths: [/a]}}]}]", "t", TRIED), "rules: [{}]")
        talk.backend().deliver(OK)
        noted = {"istio_dry_run_allow_shadow_engine_result": "denied"}
        self.assertEqual(talk.ended[0].metadata, {"envoy.filters.http.rbac": noted})

    def test_kept(self) -> None:
        """A change of the files that leaves the rules as they are has nothing made anew, but tells the new place."""
        talk = Conversation()
        access = talk.environment.access
        first, second = authorizations(ADMIN)[0], authorizations("# moved\n" + ADMIN)[0]
        state = authorizer_state(first, talk.environment)
        self.assertIs(authorizer_state(second, talk.environment), state)
        talk.client(guarded(second)).deliver(request(b"/root"))
        assert talk.ended[0].guard is not None
        self.assertEqual(talk.ended[0].guard.origin, second.rules.rules[1].origin)
        access.keep(())
        self.assertIsNot(authorizer_state(second, talk.environment), state)

    def test_guard_of(self) -> None:
        """The policy of a rule stands for the guard of many."""
        (guard,) = authorizations(ADMIN, ADMIN)
        self.assertEqual(guard_of(guard, guard.rules.rules[2]).name, "default/p1")
        self.assertIs(guard_of(guard, None), guard)

    def test_places(self) -> None:
        """Numbers are counted where the tables of metrics have them."""
        names = [family.name for family in AUTHORIZATION.families]
        for place, name in (
            (ALLOWED, "rbac_allowed"),
            (DENIED, "rbac_denied"),
            (TRIED_ALLOW, "dry_run_allow_shadow_allowed"),
            (TRIED_ALLOW + 1, "dry_run_allow_shadow_denied"),
            (TRIED_DENY, "dry_run_deny_shadow_allowed"),
            (TRIED_DENY + 1, "dry_run_deny_shadow_denied"),
        ):
            self.assertTrue(names[place].endswith(name), (place, names))

    def test_counted(self) -> None:
        """What is let pass, refused and tried is counted for the port."""
        meters = Meters()
        connection = guarded(
            *authorizations(ADMIN, policy("action: DENY\nrules: [{}]", "t", TRIED), "action: AUDIT\nrules: [{}]")
        )
        connection = replace(connection, meter=ListenerMeter(meters, "0.0.0.0_80"))
        for path in (b"/admin", b"/other"):
            Conversation().client(connection).deliver(request(path))
        (series,) = meters.of(AUTHORIZATION)
        self.assertEqual((series.labels, series.numbers), (("outbound_0.0.0.0_80",), [1, 1, 0, 0, 0, 2]))
