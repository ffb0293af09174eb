"""Tests of L{edgegate.server.on_demand}."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.server.on_demand import on_demand_seeker
from edgegate.sources.file_reader import defer_to_daemon
from tests.http.test_ask_client import Service
from tests.model.test_on_demand import on_demand
from tests.tls.acme.certificates import managed


class OnDemandTests(TestCase):
    """What asks on behalf of threads."""

    async def test_permitted(self) -> None:
        """A thread that renews is told what the service says, and that it says nothing."""
        service = Service()
        url = service.listen(self)
        defer = partial(defer_to_daemon, reactor)  # type: ignore[arg-type]
        seeker = on_demand_seeker(reactor, defer, b"")
        rules = on_demand(managed(Path("/nowhere")).issuer, url)
        permitted = seeker.held._permitted
        for status, expected in ((200, True), (403, False)):
            service.status = status
            self.assertIs(await deferToThread(permitted, rules, "a.example.com"), expected)
        self.assertEqual(service.asked, [b"/may?domain=a.example.com"] * 2)
        await service.stop()
        self.assertIsNone(await deferToThread(permitted, rules, "a.example.com"))
