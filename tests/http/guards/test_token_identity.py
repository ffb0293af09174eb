"""Tests of L{edgegate.http.guards.token_identity}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.token_identity import OutputNames
from edgegate.model.guards.jwt import InlineKeys
from tests.access.jwt.tokens import believed
from tests.http.guards.test_jwt import guard


class OutputNamesTests(SynchronousTestCase):
    """L{OutputNames}."""

    def test_spellings(self) -> None:
        """A name is known in each spelling that a backend could take for it."""
        names = OutputNames(guard(InlineKeys(believed()), payload_header=b"x_payload"))
        sent = [b"x-user", b"x_user", b"x.user", b"xuser", b"x-payload", b"x-users"]
        found = names.among([(name, b"") for name in sent])
        self.assertEqual(found, {b"x-user", b"x_user", b"x.user", b"x-payload"})
        self.assertEqual(names.among([(name, b"") for name in sent]), found)
        self.assertEqual(names.among([(b"a", b"")]), frozenset())
