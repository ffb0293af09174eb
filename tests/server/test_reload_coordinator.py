"""Tests of L{edgegate.server.reload_coordinator}: no file is read, and no port opened."""

from __future__ import annotations

from itertools import product

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.server.candidate import Candidate
from edgegate.server.reload import Outcome
from edgegate.server.reload_coordinator import TRANSITIONS, Event, ReadingFailed, ReloadCoordinator, State
from edgegate.sources.source import Contents


class FakeLoaded:
    """What was read, of which only the problems are looked at here."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.contents = Contents()


def made() -> Candidate:
    """Return something that was read."""
    return Candidate(FakeLoaded(Problems()))  # type: ignore[arg-type]


class FakeSteps:
    """
    Reads what the test says.

    @ivar found: What comes of a reading.
    @ivar fits: Whether it can be served.
    @ivar read_anyway: How each reading was asked for.
    @ivar under_way: The readings that are not over.
    """

    def __init__(self) -> None:
        self.found: Candidate | None = None
        self.fits = True
        self.latest = made()
        self.read_anyway: list[bool] = []
        self.installed: list[Candidate] = []
        self.under_way: list[Deferred[None]] = []

    def read(self, anyway: bool) -> Deferred[Candidate | None]:
        """Find it later."""
        later: Deferred[None] = Deferred()
        self.under_way.append(later)

        def found(_: None) -> Candidate | None:
            self.read_anyway.append(anyway)
            return self.found

        return later.addCallback(found)

    def install(self, read: Candidate) -> Deferred[bool]:
        """Take it, if it fits."""
        self.latest = read
        if self.fits:
            self.installed.append(read)
        return succeed(self.fits)


class ReloadCoordinatorTests(SynchronousTestCase):
    """Readings that take until the test says that they are over."""

    def setUp(self) -> None:
        """Make one that is idle."""
        self.clock = Clock()
        self.steps = FakeSteps()
        self.under_way = self.steps.under_way
        self.reloads = ReloadCoordinator(self.steps, self.clock)

    def read(self) -> None:
        """The reading that is under way is over."""
        self.under_way.pop(0).callback(None)

    def test_table(self) -> None:
        """Every event has its place in every state, but for the end of what is not under way."""
        missing = set(product(State, Event)) - set(TRANSITIONS)
        idle, reading = (State.IDLE, State.HELD, State.HELD_DUE), (State.UNDER_WAY, State.DUE)
        self.assertEqual(
            missing,
            {
                *((state, Event.DONE) for state in idle),
                *((state, Event.HOLD) for state in State if state is not State.IDLE),
                *((state, Event.RESUME) for state in (State.IDLE, *reading)),
            },
        )

    def test_held(self) -> None:
        """While that holds nothing is read, and who asks waits; who asks at its end is told that nothing changed."""
        self.assertTrue(self.reloads.hold())
        self.assertFalse(self.reloads.hold())
        self.reloads.resume()
        self.assertIs(self.reloads.state, State.IDLE)
        self.reloads.hold()
        asked = self.reloads.reload()
        self.reloads.files_changed()
        self.assertEqual((self.reloads.state, self.under_way), (State.HELD_DUE, []))
        self.reloads.resume()
        self.assertFalse(self.reloads.hold())
        self.read()
        self.assertIs(self.successResultOf(asked).outcome, Outcome.UNCHANGED)
        self.reloads.hold()
        asked = self.reloads.reload()
        self.reloads.end()
        self.assertIs(self.successResultOf(asked).outcome, Outcome.UNCHANGED)
        self.reloads.resume()
        self.assertEqual((self.reloads.state, self.under_way), (State.ENDED, []))

    def test_one_at_a_time(self) -> None:
        """What is asked for while files are read is due, however often, and is done once, for all who asked."""
        self.steps.found = made()
        first = self.reloads.reload()
        self.assertIs(self.reloads.state, State.UNDER_WAY)
        second, third = self.reloads.reload(), self.reloads.reload()
        self.reloads.files_changed()
        self.assertEqual((self.reloads.state, len(self.under_way)), (State.DUE, 1))
        self.clock.advance(2)
        self.read()
        self.assertEqual(self.successResultOf(first).seconds, 2)
        self.assertEqual((self.reloads.state, len(self.under_way)), (State.UNDER_WAY, 1))
        self.assertNoResult(second)
        self.read()
        self.assertIs(self.successResultOf(second), self.successResultOf(third))
        self.assertEqual((self.reloads.state, self.under_way), (State.IDLE, []))

    def test_refused(self) -> None:
        """What was refused is read again for who asks, changed or not, but not because a file may have changed."""
        self.steps.found, self.steps.fits = made(), False
        asked = self.reloads.reload()
        self.read()
        self.assertIs(self.successResultOf(asked).outcome, Outcome.REFUSED)
        self.reloads.files_changed()
        self.read()
        self.reloads.reload()
        self.read()
        self.assertEqual(self.steps.read_anyway, [False, False, True])

    def test_broken(self) -> None:
        """What broke once is told of no longer than until the next reading, whoever asks for it."""
        asked = self.reloads.reload()
        self.under_way.pop(0).errback(OSError("the source is gone"))
        self.assertIs(self.successResultOf(asked).outcome, Outcome.REFUSED)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.steps.found = made()
        self.reloads.files_changed()
        self.read()
        self.assertEqual((self.steps.read_anyway, self.reloads.last.outcome), ([True], Outcome.INSTALLED))
        self.reloads.files_changed()
        self.read()
        self.assertEqual(self.steps.read_anyway, [True, False])

    def test_reader_died(self) -> None:
        """A process that dies while it reads the files leaves no traceback in the log: the reason is told."""
        asked = self.reloads.reload()
        self.under_way.pop(0).errback(ReadingFailed("the process that read the files has died"))
        reload = self.successResultOf(asked)
        self.assertIs(reload.outcome, Outcome.REFUSED)
        self.assertEqual([each.message for each in reload.problems], ["the process that read the files has died"])
        self.reloads.files_changed()
        self.read()
        self.assertEqual(self.steps.read_anyway, [True])
        # who has ended the reading itself has nothing to be told
        asked = self.reloads.reload()
        self.reloads.end()
        self.under_way.pop(0).errback(ReadingFailed("it was ended"))
        self.assertIs(self.successResultOf(asked).outcome, Outcome.UNCHANGED)

    def test_unchanged(self) -> None:
        """What has not changed is not what came of the last reading, and nobody follows."""
        followed: list[object] = []
        self.reloads.followers.append(followed.append)
        before = self.reloads.last
        asked = self.reloads.reload()
        self.read()
        self.assertIs(self.successResultOf(asked).outcome, Outcome.UNCHANGED)
        self.assertIs(self.reloads.last, before)
        self.assertEqual(followed, [])

    def test_end(self) -> None:
        """Once the gateway ends nothing is installed; who waits, and who asks then, is told that nothing changed."""
        self.steps.found = made()
        asked = [self.reloads.reload(), self.reloads.reload()]
        self.reloads.end()
        self.assertNoResult(asked[0])
        self.read()
        asked.append(self.reloads.reload())
        self.reloads.files_changed()
        self.assertEqual([self.successResultOf(each).outcome for each in asked], [Outcome.UNCHANGED] * 3)
        self.assertEqual((self.steps.installed, self.under_way, self.reloads.state), ([], [], State.ENDED))
