"""Tests of L{edgegate.server.candidate}: nothing is read from a disk, and no port is opened."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import NO_ENDPOINTS, Endpoints
from edgegate.routing.snapshot import Snapshot
from edgegate.server.candidate import Candidate, Candidates
from edgegate.server.contexts import Contexts
from edgegate.server.data_plane import DataPlane
from edgegate.server.ports import CannotBind
from edgegate.sources.loading import Loaded
from edgegate.sources.source import Contents
from edgegate.tls.secret_store import Secrets, SecretStore
from edgegate.tls.secrets import BadKeyMaterial
from tests.server.test_data_plane import listener, redirecting

TAKEN = listener(TCPAddress("127.0.0.1", 1), redirecting(1))
FREE = listener(TCPAddress("127.0.0.1", 2), redirecting(1))


class FakeDataPlane:
    """
    Serves what does not need a port that is taken.

    @ivar unfit: What is wrong with the next certificates.
    """

    endpoints: Endpoints = NO_ENDPOINTS

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.secrets = SecretStore(lambda secrets: None)
        self.unfit: BadKeyMaterial | None = None

    def contexts(self, snapshot: Snapshot, read: Secrets) -> Contexts:
        """Make them."""
        if self.unfit is not None:
            raise self.unfit
        return Contexts()

    def install(self, snapshot: Snapshot, contexts: Contexts, endpoints: Endpoints) -> None:
        """Serve it."""
        if TAKEN in snapshot.listeners:
            raise CannotBind(TAKEN, CannotListenError("", 1, OSError("taken")))
        self.snapshot = snapshot


class CandidatesTests(SynchronousTestCase):
    """What becomes of files that are read."""

    def setUp(self) -> None:
        """Serve nothing, and have something to read."""
        self.plane = FakeDataPlane()
        self.changed = False
        self.found = self.loaded(Snapshot())
        self.candidates = Candidates(cast(DataPlane, self.plane), self.found, self.load, maybeDeferred)
        self.candidates.install_first()

    def loaded(self, snapshot: Snapshot | None) -> Loaded:
        """Return something that was read."""
        anything: Any = None
        return Loaded(snapshot, Problems(), anything, Contents())

    def read(self, anyway: bool) -> Candidate | None:
        """Return what is read."""
        return self.successResultOf(self.candidates.read(anyway))

    def install(self, candidate: Candidate) -> bool:
        """Return whether it is served."""
        return self.successResultOf(self.candidates.install(candidate))

    def load(self, before: Contents | None) -> Loaded | None:
        """Read what the test says."""
        return self.found if before is None or self.changed else None

    def test_unchanged(self) -> None:
        """What has not changed is read when it is to be read anyway."""
        self.assertIsNone(self.read(False))
        self.assertIsNotNone(self.read(True))
        self.changed = True
        self.assertIsNotNone(self.read(False))

    def test_installed(self) -> None:
        """What is fit is served, and it is known what that changes."""
        self.found = self.loaded(Snapshot((FREE,)))
        candidate = self.read(True)
        assert candidate is not None
        self.assertEqual(candidate.changes, (f"listener {FREE.name} added (shop.yaml:5)",))
        self.assertTrue(self.install(candidate))
        self.assertEqual((self.plane.snapshot.listeners, self.candidates.latest), ((FREE,), candidate))

    def test_refused(self) -> None:
        """Errors, certificates of no use and ports that are taken keep what is served, and are told."""
        before = self.plane.snapshot
        unfit = BadKeyMaterial("shop.pem", "no key in it")
        for snapshot, error, told in (
            (None, None, []),
            (Snapshot((FREE,)), unfit, ["shop.pem:1:1: error: no key in it"]),
            (Snapshot((TAKEN,)), None, [f"shop.yaml:5:1: error: cannot bind {TAKEN.bind}: taken"]),
        ):
            self.found = self.loaded(snapshot)
            self.plane.unfit = error
            candidate = self.read(True)
            assert candidate is not None
            self.assertFalse(self.install(candidate))
            self.assertEqual([str(problem) for problem in self.found.problems], told)
            self.assertIs(self.plane.snapshot, before)
            self.assertIs(self.candidates.latest, candidate)
