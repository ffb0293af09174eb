"""Tests of L{edgegate.model.rate_limit_actions}; what the values mean is tested in L{tests.access.rate_limits}."""

from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import Kind, StringMatch
from edgegate.model.rate_limit_actions import (
    Action,
    ActionKind,
    DescriptorBucket,
    LocalRateLimit,
    TokenBucket,
    ValueMatch,
)


class ValueTests(SynchronousTestCase):
    """Values in a Snapshot."""

    def test_pickled(self) -> None:
        """They are the same in another process, and can be keys."""
        match = ValueMatch(":path", StringMatch(Kind.PREFIX, "/api"))
        bucket = TokenBucket(4, 4, 60.0)
        values = (
            Action(ActionKind.HEADER_VALUE_MATCH, b"PATH", b"api", matches=(match,)),
            LocalRateLimit("a:80", bucket, (DescriptorBucket(((b"PATH", b"api"),), bucket),), 1.0, 1.0),
        )
        for value in values:
            self.assertEqual(pickle.loads(pickle.dumps(value)), value)
            self.assertEqual(hash(pickle.loads(pickle.dumps(value))), hash(value))

    def test_nothing_by_default(self) -> None:
        """As in Envoy a filter limits nothing that does not say which share of requests it is for."""
        limit = LocalRateLimit("a:80", TokenBucket(1, 1, 1.0))
        self.assertEqual((limit.enabled, limit.enforced), (0.0, 0.0))
