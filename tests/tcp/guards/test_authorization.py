"""Tests of L{edgegate.tcp.guards.authorization}; what rules match is in tests.access.test_authorization."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.state import GuardStates
from edgegate.errors import Fault
from edgegate.tcp.guards.authorization import AuthorizationConnectionFilter
from tests.access.asking import authorizations
from tests.tcp.test_routes import downstream


class FilterTests(SynchronousTestCase):
    """Connections that meet policies."""

    def judged(self, spec: str) -> Fault | None:
        """Return why a connection is refused."""
        (guard,) = authorizations(spec)
        environment: Any = SimpleNamespace(access=GuardStates())
        found = AuthorizationConnectionFilter(guard, environment).judge(downstream(), lambda fault: None)
        assert found is None or isinstance(found, Fault)
        return found

    def test_refused(self) -> None:
        """The log names the rule."""
        found = self.judged("action: DENY\nrules: [{to: [{operation: {methods: [GET]}}]}]")
        assert found is not None
        self.assertEqual(found.details, "rbac_access_denied_matched_policy[ns[default]-policy[p0]-rule[0]]")
        found = self.judged("rules: [{to: [{operation: {methods: [GET]}}]}]")
        assert found is not None
        self.assertEqual(found.details, "rbac_access_denied_matched_policy[none]")

    def test_passes(self) -> None:
        """What is allowed, or only marked, passes."""
        self.assertIsNone(self.judged("rules: [{to: [{operation: {notPorts: ['1']}}]}]"))
        self.assertIsNone(self.judged("action: AUDIT\nrules: [{}]"))
