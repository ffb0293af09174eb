"""Tests of L{edgegate.server.contexts}; see test_data_plane for those of servers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Cluster, Discovery
from edgegate.model.tls import UpstreamTLS
from edgegate.routing.snapshot import Snapshot
from edgegate.server.contexts import Contexts
from edgegate.tls.secret_store import Secrets
from tests.server.test_data_plane import HERE


class ContextsTests(SynchronousTestCase):
    """From one Snapshot to the next."""

    def test_clients(self) -> None:
        """What speaks to backends on the same terms is one context, and kept; on terms of nobody any more it goes."""
        terms = UpstreamTLS()
        one, other = (Cluster(name, Discovery.STATIC, HERE, tls=terms) for name in ("one", "other"))
        none = Secrets()
        before = Contexts().following(Snapshot((), {"one": one, "other": other}), none, none)
        self.assertEqual(list(before.clients), [terms])
        after = before.following(Snapshot((), {"other": other}), none, none)
        self.assertIs(after.clients[terms], before.clients[terms])
        self.assertEqual(after.following(Snapshot(), none, none).clients, {})
