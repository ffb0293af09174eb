"""Tests of L{edgegate.server.candidate}: nothing is read from a disk, and no port is opened."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import NO_ENDPOINTS, Endpoints
from edgegate.model.proxy import ProxySettings
from edgegate.model.tracing import DeclaredTracing, SpanFormat, TracingProvider
from edgegate.observe.tracing.tracing_service import TracingService
from edgegate.observe.tracing.wanted import TracingOptions
from edgegate.routing.snapshot import Snapshot
from edgegate.server.candidate import Candidate, Candidates
from edgegate.server.contexts import Contexts
from edgegate.server.data_plane import DataPlane
from edgegate.server.loader_process import CannotLaunch
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


class FakeOutside:
    """
    Reads in another process, as it were.

    @ivar let_gone: What it let go.
    """

    def __init__(self) -> None:
        self.much = self.launches = True
        self.ended = False
        self.found: Loaded | None = None
        self.before: list[Contents | None] = []
        self.let_gone: list[Snapshot] = []

    def wanted(self, size: int) -> Deferred[bool]:
        """Tell what the test says."""
        return succeed(self.much)

    def load(self, before: Contents | None) -> Deferred[Loaded | None]:
        """Return what the test says, if there is a process."""
        if not self.launches:
            return fail(CannotLaunch("Too many processes"))
        self.before.append(before)
        return succeed(self.found)

    def let_go(self, snapshot: Snapshot) -> None:
        """Take note of it."""
        self.let_gone.append(snapshot)

    def end(self) -> None:
        """Take note of it."""
        self.ended = True


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

    def test_from_the_start(self) -> None:
        """What counts from the start alone is told when files say otherwise, and the rest is served."""

        class Source:
            name = "etc"

        for said, words in (
            (ProxySettings(paths="none"), "pathNormalization of MeshConfig is another than at the start"),
            (ProxySettings(2), "says otherwise than at the start how many proxies are trusted"),
            (ProxySettings(underscores="reject"), "it counts from the next start on, unless options say it"),
        ):
            source: Any = Source()
            self.found = Loaded(Snapshot(proxy=said), Problems(), source, Contents())
            candidate = self.read(True)
            assert candidate is not None
            (told,) = candidate.problems
            self.assertIn(words, str(told))
            self.assertTrue(self.install(candidate))

    def test_traces(self) -> None:
        """Requests are traced as the files say that are served."""
        traces = TracingService(cast(Any, MemoryReactorClock()), TracingOptions())
        told: list[object] = []
        traces.trace_by = told.append
        said = DeclaredTracing(TracingProvider(SpanFormat.OTLP, "http://127.0.0.1:4318/v1/traces"))
        first = self.loaded(Snapshot(tracing=said))
        candidates = Candidates(cast(DataPlane, self.plane), first, self.load, maybeDeferred, traces=traces)
        self.assertEqual(told, [])
        candidates.install_first()
        self.assertEqual(told, [traces.tracer])
        self.assertIsNotNone(traces.tracer)

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

    def test_outside(self) -> None:
        """Where there is much another loader reads; where it can't, this process does, and says so."""
        outside = FakeOutside()
        first = self.found
        self.candidates = Candidates(cast(DataPlane, self.plane), first, self.load, maybeDeferred, outside)  # type: ignore[arg-type]
        self.found = self.loaded(Snapshot((FREE,)))
        outside.found = self.loaded(Snapshot())
        for much, launches, expected in (
            (False, True, self.found),
            (True, True, outside.found),
            (True, False, self.found),
        ):
            outside.much, outside.launches = much, launches
            candidate = self.read(True)
            assert candidate is not None
            self.assertIs(candidate.loaded, expected)
        outside.launches, outside.found = True, None
        self.assertIsNone(self.read(False))
        self.assertEqual(outside.before, [None, first.contents])
        self.assertEqual(self.candidates.latest.loaded, first)

    def test_let_go(self) -> None:
        """What was served, or was to be, is let go when the next one comes."""
        outside = FakeOutside()
        outside.much = False
        self.candidates = Candidates(cast(DataPlane, self.plane), self.found, self.load, maybeDeferred, outside)  # type: ignore[arg-type]
        snapshots = [self.found.snapshot, Snapshot((FREE,)), None, Snapshot()]
        for snapshot in snapshots[1:]:
            self.found = self.loaded(snapshot)
            candidate = self.read(True)
            assert candidate is not None
            self.install(candidate)
        self.assertEqual(outside.let_gone, snapshots[:2])
        self.candidates.end()
        self.assertTrue(outside.ended)
