"""Tests of L{edgegate.workers.worker}: one in this process; L{tests.workers.test_process} has one of its own."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread

from edgegate.model.origin import Origin
from edgegate.observe.metrics.families import OWN, REQUESTS
from edgegate.observe.metrics.meters import Meters
from edgegate.server.first_certificates import Awaited
from edgegate.server.readings import LINES_LOST
from edgegate.workers.messages import (
    Awaits,
    CounterBatch,
    Drain,
    Failed,
    LogEvent,
    Retire,
    Show,
    ViewRows,
)
from edgegate.workers.slots import ABSENT
from tests.workers.beside import WorkerCase

MESH = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    extensionProviders: [{name: log, envoyFileAccessLog: {path: no/log}}]
    defaultProviders: {accessLogging: [log]}
"""


class WorkerTests(WorkerCase):
    """What it does, and what it tells."""

    async def end(self, seconds: float = 0.0) -> Meters:
        """End the worker; return what it has counted."""
        self.heard.peer.send(Drain(seconds))
        await self.reactor.stopped
        await self.heard.gone
        meters = Meters()
        for each in self.heard.told:
            if isinstance(each, CounterBatch):
                meters.add(each.batch)
        return meters

    async def test_serves(self) -> None:
        """It serves once it is told to, shows what it does, and writes the log that it was handed to its end."""
        await self.serving()
        self.assertTrue((await self.ask()).endswith(b"served"))
        self.heard.peer.send(Show(7, "listeners"))
        shown = await self.heard.next(ViewRows)
        self.assertEqual((shown.number, len(shown.rows)), (7, 1))
        self.assertGreater(self.slots.last_beat(0), 0)
        await self.end()
        self.assertIn('"GET / HTTP/1.1" 200', (self.folder / "log").read_text())

    async def test_awaits(self) -> None:
        """Certificates that come are told as long as some are waited for."""
        worker = await self.serving()
        worker.data_plane.issued()
        worker._awaits = (Awaited("a.example.com", "n/ca", 60.0, "a.yaml:1"),)
        worker.data_plane.issued()
        self.assertEqual(await self.heard.next(Awaits), Awaits(()))
        worker.data_plane.issued()
        await self.end()
        self.assertEqual([each for each in self.heard.told if isinstance(each, Awaits)], [])

    async def test_last_counts(self) -> None:
        """What its end cuts short is counted, and in the log."""
        await self.serving()
        answered = ensureDeferred(self.ask("/silent"))
        backend, _ = await deferToThread(self.silent.accept)
        self.addCleanup(backend.close)
        meters = await self.end()
        self.assertEqual(await answered, b"reset")
        self.assertEqual(sum(each.numbers[0] for each in meters.of(REQUESTS)), 1)
        self.assertIn("/silent", (self.folder / "log").read_text())

    async def test_lines_lost(self) -> None:
        """Lines of the log that are lost at the very end are counted."""
        await self.serving(Path("/dev/full"))
        self.assertTrue((await self.ask()).endswith(b"served"))
        meters = await self.end()
        (own,) = meters.of(OWN)
        self.assertEqual(own.numbers[LINES_LOST], 1)

    async def test_retires(self) -> None:
        """It ends with its last connection once others serve, and takes none any more."""
        await self.serving()
        self.assertTrue((await self.ask()).endswith(b"served"))
        self.heard.peer.send(Retire(()))
        await self.reactor.stopped
        await self.heard.gone
        self.assertEqual(self.slots.connections(0), ABSENT)

    async def test_alone(self) -> None:
        """Without a supervisor it ends."""
        await self.serving()
        self.heard.peer.close()
        await self.reactor.stopped

    async def test_no_socket(self) -> None:
        """One that was not sent what it is to serve fails, and says why."""
        worker = self.make(bound=False)
        self.assertFalse(worker.start())
        failed = await self.heard.next(Failed)
        self.assertIn("the supervisor has not sent its socket", failed.reason)
        await self.heard.gone
        self.flushLoggedErrors()

    async def test_no_log(self) -> None:
        """One that can't open a log that the files ask for tells where they do."""
        (self.folder / "mesh.yaml").write_text(MESH)
        self.options = ()
        worker = self.make()
        self.assertFalse(worker.start())
        failed = await self.heard.next(Failed)
        self.assertEqual(failed.reason, "cannot open the access log no/log: No such file or directory")
        assert isinstance(failed.origin, Origin)
        self.assertEqual(str(failed.origin), "mesh.yaml:6")
        await self.heard.gone

    async def test_logs(self) -> None:
        """What it logs is told, with the traceback of a failure."""
        worker = await self.serving()
        worker.observer({"log_format": "{what} is odd", "what": "it", "log_namespace": "here"})
        event = await self.heard.next(LogEvent)
        self.assertEqual((event.level, event.namespace, event.text), ("info", "here", "it is odd"))
        await self.end()
