"""Tests of L{edgegate.istio.when_keys}; what is wrong is in tests.istio.validation.test_authorization_policy."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.when_keys import BadKey, parse_key
from edgegate.model.guards.authorization import Attribute


class KeyTests(SynchronousTestCase):
    """What keys ask for."""

    def test_all(self) -> None:
        """Each is told apart, with the names in its brackets."""
        for key, attribute, names in (
            ("source.ip", Attribute.PEER, ()),
            ("remote.ip", Attribute.CLIENT, ()),
            ("destination.ip", Attribute.LOCAL, ()),
            ("request.auth.audiences", Attribute.CLAIM, ("aud",)),
            ("request.auth.presenter", Attribute.CLAIM, ("azp",)),
            ("request.auth.claims[a][B.c]", Attribute.CLAIM, ("a", "B.c")),
            ("request.headers[X-A]", Attribute.HEADER, ("x-a",)),
            ("request.headers[:path]", Attribute.HEADER, (":path",)),
            ("experimental.envoy.filters.a.b[c]", Attribute.METADATA, ("envoy.filters.a.b", "c")),
        ):
            self.assertEqual(parse_key(key), (attribute, names))

    def test_bad(self) -> None:
        """What asks for nothing is refused."""
        for key in ("", "request.headersx[a]", "request.headers[a", "request.auth.claims[]", "x[y]", "source.ip "):
            self.assertRaises(BadKey, parse_key, key)
