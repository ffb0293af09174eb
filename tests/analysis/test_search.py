"""Tests of L{edgegate.analysis.search}; L{tests.analysis.test_spaces} looks at what is found."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.limits import OutOfSteps, TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import ANYWHERE
from edgegate.model.matching import HTTPMatch, Kind, StringMatch


def path(kind: Kind, value: str) -> HTTPMatch:
    """Make a match on the path."""
    return HTTPMatch(uri=StringMatch(kind, value))


class FindTests(SynchronousTestCase):
    """The search itself."""

    def test_learnt(self) -> None:
        """Expressions that have no text together are learnt, and not looked at again."""
        wanted, other = path(Kind.REGEX, "/a[0-9]+"), path(Kind.REGEX, "/a.*")
        space = Space([wanted, other], ANYWHERE)
        boxes = space.box(wanted), space.box(other)
        assert boxes[0] is not None and boxes[1] is not None
        known = len(space.constraints)
        self.assertIsNone(find(space, boxes[0], [boxes[1]]))
        learnt = len(space.constraints)
        self.assertGreater(learnt, known)
        self.assertIsNone(find(space, boxes[0], [boxes[1]]))
        self.assertEqual(len(space.constraints), learnt)

    def test_undecided(self) -> None:
        """Where an expression is too large there is no proof, unless one is found without it."""
        large, plain = path(Kind.REGEX, "/" + "[a-z]{900}" * 7), path(Kind.PREFIX, "/")
        space = Space([large, plain], ANYWHERE)
        boxes = space.box(large), space.box(plain)
        assert boxes[0] is not None and boxes[1] is not None
        with self.assertRaises(TooMuch):
            find(space, boxes[0], [])
        self.assertIsNotNone(find(space, boxes[1], [boxes[0]]))
        self.assertIsNone(find(space, boxes[0], [boxes[0]]))

    def test_steps(self) -> None:
        """A search takes no more steps than it may, and they are the space's, too."""
        matches = [HTTPMatch(headers=((f"x-{number}", StringMatch(Kind.PRESENT)),)) for number in range(20)]
        space = Space([HTTPMatch(), *matches], ANYWHERE, 1000)
        boxes = [box for box in map(space.box, matches) if box is not None]
        with self.assertRaises(OutOfSteps):
            find(space, {}, boxes, 10)
        self.assertFalse(space.steps.spent)
        with self.assertRaises(OutOfSteps):
            for _ in range(100):
                find(space, {}, boxes)
        self.assertTrue(space.steps.spent)
