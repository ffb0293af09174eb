"""Tests of L{edgegate.workers.zygote}: a real one, which the test tells what to do."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from edgegate.config.problems import Severity
from edgegate.net.channel import Channel, pair, wait_for_any
from edgegate.net.peer import Peer
from edgegate.workers.messages import FilesRead, Fork, Renew, ShedPrivileges
from edgegate.workers.slots import shared_memory
from edgegate.workers.zygotes import Zygote, Zygotes
from tests.workers.watching import Watching

PATIENCE = 60
"""Seconds after which a test gives up on a process."""


def end(zygotes: Zygotes) -> None:
    """Leave no process."""
    zygotes.stop()
    while zygotes._spawned:
        zygotes.reap()


class ForkingTests(SynchronousTestCase):
    """A zygote that may make no process."""

    def setUp(self) -> None:
        """Have one read an empty folder, and become a user whose processes are counted, which root's are not."""
        if not hasattr(resource, "prlimit"):
            raise SkipTest("the system can't limit another process")
        folder = Path(self.mktemp())
        folder.mkdir()
        self.reactor = Watching()
        self.zygotes = Zygotes(self.reactor, ("--config", str(folder)), shared_memory())  # type: ignore[arg-type]
        self.addCleanup(end, self.zygotes)
        self.zygote = self.zygotes.first()
        self.told: list[object] = []
        self.zygote.told = lambda received: self.told.append(received.value)
        while not self.zygote.read.called:
            self.hear(self.zygote.peer)
        pid = self.zygotes._spawned[0]._process.pid
        _, most = resource.prlimit(pid, resource.RLIMIT_NPROC)
        resource.prlimit(pid, resource.RLIMIT_NPROC, (0, most))
        if not os.geteuid():
            # root's processes are not counted
            self.zygote.peer.send(ShedPrivileges(65534, 65534))

    def hear(self, peer: Peer) -> None:
        """Wait for what a process tells, or its end."""
        self.assertTrue(wait_for_any([peer.fileno()], PATIENCE), "it says nothing")
        peer.doRead()

    def ask(self, value: object) -> list[str]:
        """Have it make a process; return what comes of that."""
        ours, theirs = pair()
        came: list[str] = []
        peer = Peer(
            self.reactor,  # type: ignore[arg-type]
            Channel(ours),
            lambda received: came.append(type(received.value).__name__),
            lambda: came.append("gone"),
        )
        self.addCleanup(peer.close)
        peer.start()
        self.zygote.peer.send(value, (theirs.fileno(),))
        theirs.close()
        self.hear(peer)
        return came

    def test_cannot_fork(self) -> None:
        """A worker, or the next zygote, that can't be made is given up, and why is told; the zygote lives on."""
        for value in (Fork(0, (0,)), Renew(False), Fork(0, (0,))):
            self.assertEqual(self.ask(value), ["gone"])
        words = "\n".join(["cannot fork: Resource temporarily unavailable"] * 3)
        self.assertEqual(self.zygotes.last_words(), [words])
        self.zygote.peer.doRead()
        self.assertEqual((self.zygote.peer.open, self.told), (True, []))


FILES = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: own}
spec: {local: {}, storage: {directory: ../storage}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, annotations: {edgegate.io/certificate-issuer: own}}
spec:
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [HOSTS], tls: {mode: SIMPLE, credentialName: own}}
"""


class UnreadTests(SynchronousTestCase):
    """Certificates whose storage is away."""

    def test_refused(self) -> None:
        """Files that come meanwhile are refused where workers might lose a certificate, and taken where none can be."""
        folder = Path(self.mktemp()) / "etc"
        folder.mkdir(parents=True)
        manifest, storage = folder / "gw.yaml", folder.parent / "storage"
        manifest.write_text(FILES.replace("HOSTS", "a.example.com"))
        zygotes = Zygotes(Watching(), ("--config", str(folder)), shared_memory())  # type: ignore[arg-type]
        self.addCleanup(end, zygotes)
        first = zygotes.first()
        self.read(first)
        storage.symlink_to(storage.absolute())
        manifest.write_text(FILES.replace("HOSTS", "a.example.com, b.example.com"))
        problems = self.read(zygotes.after(first, False), sound=False).problems
        (error,) = [each for each in problems if each.severity is Severity.ERROR]
        self.assertIn("gw.yaml:11:", str(error))
        self.assertIn("the certificate for a.example.com can't be read, so that the workers", str(error))
        storage.unlink()
        self.read(zygotes.after(first, False))

    def read(self, zygote: Zygote, sound: bool = True) -> FilesRead:
        """Wait until files were read; return what came of it."""
        while not zygote.read.called:
            self.assertTrue(wait_for_any([zygote.peer.fileno()], PATIENCE), "it says nothing")
            zygote.peer.doRead()
        read = self.successResultOf(zygote.read)
        assert read is not None
        self.assertEqual(read.sound, sound, list(read.problems))
        return read
