"""Tests of the reloads of L{edgegate.server.service}."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import TestCase

from edgegate.model.addresses import UNIXAddress
from edgegate.server.gateway_options import GatewayOptions
from edgegate.server.reload import Outcome, Reload
from edgegate.server.service import GatewayService
from edgegate.sources.folder import Folder
from edgegate.sources.loading import Configuration, Loaded
from edgegate.sources.named import source_named
from edgegate.sources.source import Contents, Watched
from edgegate.tls.authority import Authority
from tests.sources.test_folder import CountingReader

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - port: {{number: {number}, name: http, protocol: HTTP}}
    bind: 127.0.0.1
    hosts: ["{host}"]
    tls: {{httpsRedirect: true}}
"""

SECURE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    bind: 127.0.0.1
    hosts: [a.example]
    tls: {mode: SIMPLE, serverCertificate: a.crt, privateKey: a.key}
"""


class ReloadTests(TestCase):
    """What a gateway does with new files."""

    def setUp(self) -> None:
        """Start a gateway with no port open."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.configuration = Configuration(source_named(str(self.folder)), port_map={80: 0})
        self.loads = 0
        self.bind: UNIXAddress | None = None
        self.deferred: list[Deferred[None]] | None = None
        loaded = self.configuration.load()
        options = GatewayOptions(drain=0.0)
        self.service = GatewayService(reactor, loaded, self.load, (), options, self.defer)  # type: ignore[arg-type]
        self.followed: list[Watched] = []
        self.service.followers.append(self.followed.append)
        self.service.privilegedStartService()
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def load(self, before: Contents | None) -> Loaded | None:
        """Read the files."""
        loaded = self.configuration.reload(before)
        if loaded is None:
            return None
        self.loads += 1
        if self.bind is None or loaded.snapshot is None:
            return loaded
        listeners = tuple(replace(each, bind=self.bind) for each in loaded.snapshot.listeners)
        return replace(loaded, snapshot=replace(loaded.snapshot, listeners=listeners))

    def defer(self, work: Callable[[], Any]) -> Deferred[Any]:
        """Do what takes its time at once, or later where the test says so."""
        if self.deferred is None:
            return maybeDeferred(work)
        later: Deferred[None] = Deferred()
        self.deferred.append(later)
        return later.addCallback(lambda _: work())

    def write(self, number: int = 80, host: str = "a.example") -> None:
        """Write files that open a port."""
        (self.folder / "gateway.yaml").write_text(FILES.format(number=number, host=host))

    def hosts(self) -> list[str]:
        """The hosts that are served."""
        return [host for each in self.service.snapshot.listeners if each.plain for host in each.plain.hosts]

    async def test_first_file(self) -> None:
        """A gateway that began empty opens the ports of the first file."""
        self.assertEqual(self.service.snapshot.listeners, ())
        self.assertTrue(self.service.ready)
        self.write()
        reload = await self.service.reload()
        self.assertIs(reload.outcome, Outcome.INSTALLED)
        self.assertEqual(reload.changes, ("listener 127.0.0.1:80 added (gateway.yaml:6)",))
        self.assertIs(self.service.last_reload, reload)
        (listener,) = self.service.snapshot.listeners
        bound = self.service.bound(listener)
        assert bound is not None
        self.assertNotEqual(str(bound), "127.0.0.1:0")

    async def test_unchanged(self) -> None:
        """Files that are what they were are not even parsed, and nothing follows."""
        self.write()
        await self.service.reload()
        loads, followed = self.loads, len(self.followed)
        reload = await self.service.reload()
        self.assertIs(reload.outcome, Outcome.UNCHANGED)
        self.assertEqual((self.loads, len(self.followed)), (loads, followed))

    async def test_certificates(self) -> None:
        """Key material is read once and becomes one context, which is kept until the certificate is another one."""
        reader = CountingReader()
        self.configuration = Configuration(Folder(str(self.folder), reader), port_map={443: 0})
        (self.folder / "gateway.yaml").write_text(SECURE)
        authority = Authority.new("Test authority")
        for number, more in ((1, ""), (1, "# nothing\n"), (2, "")):
            if not more:
                issued = authority.server(["a.example"])
                (self.folder / "a.crt").write_bytes(issued.chain_pem)
                (self.folder / "a.key").write_bytes(issued.key_pem)
            (self.folder / "more.yaml").write_text(more)
            reader.contents.clear()
            reload = await self.service.reload()
            self.assertIs(reload.outcome, Outcome.INSTALLED)
            self.assertEqual(self.service.secrets.contexts.made, number)
            self.assertEqual((reader.contents[issued.chain_pem], reader.contents[issued.key_pem]), (1, 1))
        (change,) = reload.changes
        self.assertTrue(change.startswith("certificate of server"), change)

    async def test_broken(self) -> None:
        """A file with an error keeps what runs; all problems are kept for whoever asks, and told again."""
        self.write()
        await self.service.reload()
        (self.folder / "broken.yaml").write_text("kind: Gateway\n")
        for _ in range(2):
            reload = await self.service.reload()
            self.assertIs(reload.outcome, Outcome.REFUSED)
            self.assertIn("broken.yaml:1:1: error", str(next(iter(reload.problems))))
        self.assertEqual(self.hosts(), ["a.example"])
        # what was read is followed all the same: its mending is to be noticed
        self.assertEqual(self.followed[-1].path, self.folder.absolute())
        (self.folder / "broken.yaml").unlink()
        self.assertIs((await self.service.reload()).outcome, Outcome.INSTALLED)

    async def test_port_taken(self) -> None:
        """A port that can't be opened refuses the reload, with the place of the server that asks for it."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        number = taken.getsockname()[1]
        self.write(number)
        reload = await self.service.reload()
        self.assertIs(reload.outcome, Outcome.REFUSED)
        words = f"cannot bind 127.0.0.1:{number}: Address already in use"
        self.assertEqual([str(each) for each in reload.problems], [f"gateway.yaml:6:1: error: {words}"])
        taken.close()
        self.assertIs((await self.service.reload()).outcome, Outcome.INSTALLED)

    async def test_together(self) -> None:
        """Who asks while a reload is under way gets the next one: it has seen what made them ask."""
        self.deferred = []
        first = self.service.reload()
        self.write(host="b.example")
        second, third = self.service.reload(), self.service.reload()
        self.deferred.pop().callback(None)
        await first
        self.assertNoResult(second)
        self.write(host="c.example")
        self.deferred.pop().callback(None)
        outcomes: list[Reload] = [await second, await third]
        self.assertIs(outcomes[0], outcomes[1])
        self.assertEqual((self.hosts(), self.deferred), (["c.example"], []))

    async def test_own_error(self) -> None:
        """An error of our own refuses the reload, and is logged."""
        self.write()
        self.configuration = None  # type: ignore[assignment]
        reload = await self.service.reload()
        self.assertIs(reload.outcome, Outcome.REFUSED)
        self.assertIn("internal error: AttributeError", str(next(iter(reload.problems))))
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)

    async def test_follower_breaks(self) -> None:
        """A follower that breaks is logged; the others follow, who waits is told, and the next reload works."""
        followed: list[Watched] = []

        def broken(watched: Watched) -> None:
            raise FileNotFoundError("gone")

        self.service.followers[:0] = [broken]
        self.service.followers.append(followed.append)
        for host in ("a.example", "b.example"):
            self.write(host=host)
            self.assertIs((await self.service.reload()).outcome, Outcome.INSTALLED)
            self.assertEqual(self.hosts(), [host])
            self.assertEqual(followed[-1].path, self.folder.absolute())
            self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)

    async def test_asked_by_a_follower(self) -> None:
        """A follower may ask for the next reload, which comes when this one is over."""
        asked: list[Deferred[Reload]] = []
        self.service.followers.append(lambda _: asked.append(self.service.reload()) if not asked else None)
        self.write()
        self.assertIs((await self.service.reload()).outcome, Outcome.INSTALLED)
        self.assertIs((await asked[0]).outcome, Outcome.UNCHANGED)

    async def test_install_breaks(self) -> None:
        """An install that breaks for whatever reason keeps what runs, and the next reload works."""
        self.write()
        await self.service.reload()
        before = self.service.snapshot
        self.bind = UNIXAddress("no\0path")
        self.write(host="b.example")
        reload = await self.service.reload()
        self.assertIs(reload.outcome, Outcome.REFUSED)
        self.assertIn("internal error: ValueError", str(next(iter(reload.problems))))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertIs(self.service.snapshot, before)
        self.bind = None
        self.assertIs((await self.service.reload()).outcome, Outcome.INSTALLED)
        self.assertEqual(self.hosts(), ["b.example"])

    async def test_while_ending(self) -> None:
        """A gateway that ends opens nothing more."""
        self.deferred = []
        asked = self.service.reload()
        await self.service.stopService()
        self.assertFalse(self.service.ready)
        self.write()
        self.deferred.pop().callback(None)
        self.assertIs((await asked).outcome, Outcome.UNCHANGED)
        self.assertEqual(self.service.data_plane.ports, {})
