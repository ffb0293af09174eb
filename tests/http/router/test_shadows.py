"""Tests for L{edgegate.http.router.shadows}: of which requests copies are made."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.limits import Limits
from edgegate.model.policies import Mirror
from tests.http.conversation import MIRROR, Conversation, to_web
from tests.http.h1.test_downstream_connection import GET, OK
from tests.http.router.test_shadow import MIRRORED


class ShadowsTests(SynchronousTestCase):
    """Routes with mirrors."""

    def test_share(self) -> None:
        """Of many requests the share is copied that the route says."""
        talk = Conversation(to_web(mirrors=(Mirror("mirror", 0.25), Mirror("mirror", 0.0))))
        for _ in range(400):
            talk.ask(GET)
        copies = sum(connect.address == MIRROR for connect in talk.connects)
        self.assertTrue(75 <= copies <= 125, copies)

    def test_no_cluster(self) -> None:
        """A mirror that does not exist is none."""
        talk = Conversation(to_web(mirrors=(Mirror("void"),)))
        client = talk.ask(GET)
        talk.backend().deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))

    def test_limit_on_number(self) -> None:
        """Mirrors that do not answer cost a bounded number of copies."""
        talk = Conversation(MIRRORED, limits=Limits(shadows=2))
        for _ in range(4):
            talk.ask(GET)
        self.assertEqual(sum(connect.address == MIRROR for connect in talk.connects), 2)
        talk.connect_to(MIRROR).failed(CONNECT_REFUSED)
        talk.ask(GET)
        self.assertEqual(sum(connect.address == MIRROR for connect in talk.connects), 3)
