"""Tests of L{edgegate.diff.servers}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.fields import FieldChange
from edgegate.diff.servers import terms
from edgegate.diff.sides import Side
from edgegate.routing.snapshot import Snapshot
from edgegate.tls.secret_store import Secrets
from tests.downstream.arriving import SECURE
from tests.tls.handshakes import secrets


class TermsTests(SynchronousTestCase):
    """On what terms connections are taken."""

    def test_on_demand(self) -> None:
        """Who issues certificates on demand is told where it is another."""
        side = Side("files", Snapshot(), secrets=secrets())
        assert SECURE.tls is not None
        demanded = replace(SECURE, tls=replace(SECURE.tls, on_demand="default/ca"))
        self.assertEqual(list(terms(SECURE, SECURE, side, side)), [])
        self.assertEqual(
            list(terms(SECURE, demanded, side, side)), [FieldChange("certificates on demand", "none", "default/ca")]
        )

    def test_placeholders(self) -> None:
        """A certificate that is to be issued is the same on both sides, though its placeholder is another one."""
        pairs = secrets()
        shown = [replace(each, chain=b"another", placeholder=True) for each in pairs]
        old, new = (Side("files", Snapshot(), secrets=each) for each in (pairs, Secrets(shown)))
        self.assertEqual(list(terms(SECURE, SECURE, old, new)), [])
        renamed = Side("files", Snapshot(), secrets=Secrets([replace(each, chain=b"another") for each in pairs]))
        self.assertEqual([each.what for each in terms(SECURE, SECURE, old, renamed)], ["certificate"])
