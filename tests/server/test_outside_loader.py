"""Tests of L{edgegate.server.outside_loader}: real processes read real files."""

from __future__ import annotations

import gc
from pathlib import Path
from sys import getrefcount
from typing import cast

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.origin import Origin
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.server.outside_loader import FEW_OBJECTS, OutsideLoader
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.sources.file_reader import defer_to_daemon
from edgegate.sources.loading import Configuration, Loaded
from edgegate.sources.named import source_named
from tests.istio.translate.test_pickling import virtual_hosts
from tests.sources.test_loading import HTTP

SERVICE = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop-{number}}}
spec:
  hosts: [shop-{number}.example]
  gateways: [gw]
  http: [{{match: [{{uri: {{prefix: {path}}}}}], directResponse: {{status: 200}}}}]
"""


class OutsideLoaderTests(TestCase):
    """Files that other processes read for this one."""

    def setUp(self) -> None:
        """Write files."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        for number in range(3):
            self.write(number, "/")
        (self.folder / "gateway.yaml").write_text(HTTP)
        self.configuration = Configuration(source_named(str(self.folder)))
        self.reactor = cast(IReactorTime, installed)
        self.loader = self.made(100)

    def made(self, much: int) -> OutsideLoader:
        """Return a loader that takes so much for much."""

        def defer(work):  # type: ignore[no-untyped-def]
            return defer_to_daemon(cast(IReactorFromThreads, installed), work)

        loader = OutsideLoader(self.reactor, self.configuration, defer, much)
        self.addCleanup(loader.end)
        return loader

    def write(self, number: int, path: str) -> None:
        """Write a file with a host."""
        (self.folder / f"shop-{number}.yaml").write_text(SERVICE.format(number=number, path=path))

    async def load(self) -> tuple[Loaded, list[VirtualHost]]:
        """Return what is loaded."""
        loaded = await self.loader.load(None)
        assert loaded is not None and loaded.snapshot is not None
        return loaded, list(virtual_hosts(loaded.snapshot))

    async def test_load(self) -> None:
        """What comes is what this process would have read; of a folder that is as it was that is told."""
        loaded, _ = await self.load()
        here = self.configuration.load()
        self.assertEqual((loaded.snapshot, list(loaded.problems)), (here.snapshot, list(here.problems)))
        self.assertIs(loaded.source, self.configuration.source)
        self.assertIsNone(await self.loader.load(loaded.contents))
        self.assertIsNone(await self.loader.load(here.contents))

    async def test_kept(self) -> None:
        """Hosts that are what they were are kept, whatever becomes of others, and after a mistake, too."""
        _, before = await self.load()
        self.write(1, "/new")
        (self.folder / "wrong.yaml").write_text("kind: [\n")
        refused = await self.loader.load(None)
        assert refused is not None and refused.snapshot is None
        self.assertIn("wrong.yaml:2:1: error", str(next(iter(refused.problems))))
        (self.folder / "wrong.yaml").unlink()
        _, after = await self.load()
        self.assertEqual([old is new for old, new in zip(before, after, strict=True)], [True, False, True])

    async def test_forgotten(self) -> None:
        """Nothing is kept of what was much once, when this process reads itself."""
        _, (first, *_) = await self.load()
        self.loader._much = 1_000_000
        self.assertFalse(await self.loader.wanted(0))
        self.loader._much = 1
        _, (again, *_) = await self.load()
        self.assertEqual(again, first)
        self.assertIsNot(again, first)

    async def test_collector(self) -> None:
        """The garbage collector is on again afterwards."""
        self.assertTrue(gc.isenabled())
        await self.load()
        self.assertTrue(gc.isenabled())

    async def test_few_objects(self) -> None:
        """The garbage collector looks through all where that is little: much would keep requests waiting."""
        self.configuration = Configuration(source_named(str(self.folder)), frozen=True)
        self.loader = self.made(100)
        self.addCleanup(gc.unfreeze)
        # so that it looks through nothing unasked
        gc.disable()
        self.addCleanup(gc.enable)
        looked: list[int] = []

        def look(phase: str, info: dict[str, int]) -> None:
            if phase == "start":
                looked.append(info["generation"])

        for much in (False, True):
            gc.collect()
            gc.unfreeze()
            kept = [[number] for number in range(FEW_OBJECTS if much else 0)]
            if much:
                gc.freeze()
            gc.callbacks.append(look)
            try:
                await self.load()
            finally:
                gc.callbacks.remove(look)
            self.assertEqual(2 not in looked, much, len(kept))
            looked.clear()

    async def test_wanted(self) -> None:
        """What was much is; what was little is looked at: it may have grown."""
        size = self.configuration.load().contents.size
        for much, before, wanted in (
            (size, size, True),
            (size, 0, True),
            (size + 1, 0, False),
            (size + 1, size, False),
        ):
            self.assertEqual(await self.made(much).wanted(before), wanted, (much, before))

    async def test_end(self) -> None:
        """The end ends a process in its middle, and one that has not begun."""
        loading = self.loader.load(None)
        self.loader.end()
        await self.assertFailure(loading, ReadingFailed)
        await self.assertFailure(self.loader.load(None), ReadingFailed)


def served(host: VirtualHost) -> Snapshot:
    """Return a Snapshot of one host."""
    nowhere = Origin("a.yaml", 1, "Gateway gw")
    chain = FilterChain("http", nowhere, http=HostTable([(host.domain, host)]))
    return Snapshot((Listener("http", TCPAddress("127.0.0.1", 80), 80, nowhere, chain),))


class LettingGoTests(SynchronousTestCase):
    """What is served no longer."""

    def test_bit_by_bit(self) -> None:
        """It is kept until the loop has time, and then goes wholly; the end keeps nothing either."""
        clock = Clock()
        loader = OutsideLoader(clock, cast(Configuration, None), lambda work: Deferred())
        for ended in (False, True):
            host = VirtualHost("a.example")
            snapshot = served(host)
            alone = getrefcount(host) - 1
            loader.let_go(snapshot)
            del snapshot
            self.assertGreater(getrefcount(host), alone)
            if ended:
                loader.end()
            else:
                clock.advance(1)
                clock.advance(1)
            self.assertEqual(getrefcount(host), alone)
            self.assertEqual(clock.getDelayedCalls(), [])
