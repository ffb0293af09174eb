"""Tests of L{edgegate.net.containment}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.containment import broke, contained


class Owner:
    """Has a callback."""

    def __init__(self, *, fails_again: bool = False) -> None:
        self.ends = 0
        self.heard: list[int] = []
        self._fails_again = fails_again

    @contained
    def called(self, number: int) -> None:
        """Fail where the number is 0."""
        self.heard.append(1 // number)

    def broke(self) -> None:
        """End."""
        self.ends += 1
        if self._fails_again:
            raise KeyError


class ContainmentTests(SynchronousTestCase):
    """What a callback raises."""

    def test_nothing_wrong(self) -> None:
        """A callback is called as ever."""
        owner = Owner()
        owner.called(1)
        self.assertEqual((owner.heard, owner.ends), ([1], 0))
        self.assertEqual(Owner.called.__name__, "called")

    def test_error(self) -> None:
        """An error is logged, once, and nobody but the owner hears of it."""
        owner = Owner()
        owner.called(0)
        self.assertEqual(owner.ends, 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_another_error(self) -> None:
        """One that follows on the first is logged too."""
        owner = Owner(fails_again=True)
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            broke(owner)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_what_ends_the_process(self) -> None:
        """What is no error passes."""

        class Ending(Owner):
            """Is interrupted."""

            @contained
            def interrupted(self) -> None:
                """Be interrupted."""
                raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, Ending().interrupted)
