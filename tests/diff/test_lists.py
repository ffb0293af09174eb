"""Tests of L{edgegate.diff.lists}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.wire import Surroundings
from edgegate.diff.behaviour import Refused
from edgegate.diff.lists import Lists, Rows
from edgegate.model.matching import HTTPMatch, Kind, StringMatch

A, B = Refused(404, "a"), Refused(404, "b")


def at(path: str, does: Refused, **more: StringMatch) -> tuple[tuple[HTTPMatch, ...], Refused]:
    """Return a row for paths that begin in some way."""
    return (HTTPMatch(uri=StringMatch(Kind.PREFIX, path), **more),), does


def of(host: str) -> Surroundings:
    """Return what is known of requests for a host."""
    return Surroundings(80, (b"http",), host, host)


class ListsTests(SynchronousTestCase):
    """Many lists."""

    def compared(self, lists: Lists, host: str, old: Rows, new: Rows) -> list[str]:
        """Return the requests that show differences of two lists, and why there may be more."""
        found = lists.compare(old, new, of(host), 10)
        return [*(str(each.request) for each in found.differences), *found.undecided]

    def test_alike(self) -> None:
        """Two lists that are like two others need no work, and are told with a host of their own."""
        old, new = [at("/a", A), at("/", B)], [at("/", A)]
        first, both = Lists(), Lists()
        one = self.compared(first, "a.example", old, new)
        self.assertTrue(one)
        self.assertEqual(self.compared(both, "a.example", old, new), one)
        left = both._steps._left
        again = self.compared(both, "b.example", list(old), list(new))
        self.assertEqual(again, [each.replace("a.example", "b.example") for each in one])
        self.assertEqual(both._steps._left, left)
        self.assertEqual(again, self.compared(Lists(), "b.example", old, new))

    def test_hosts(self) -> None:
        """Where conditions ask for hosts, each list is looked at with its own."""
        asked = StringMatch(Kind.EXACT, "a.example")
        old, new = [at("/", A, authority=asked), at("/", B)], [at("/", B)]
        lists = Lists()
        self.assertEqual(self.compared(lists, "a.example", old, new), ["GET http://a.example/"])
        self.assertEqual(self.compared(lists, "b.example", old, new), [])

    def test_schemes(self) -> None:
        """Lists in the clear and over TLS are told apart."""
        rows: list[Rows] = [[at("/", A, scheme=StringMatch(Kind.EXACT, "http"))], [at("/", B)]]
        lists = Lists()
        found = [
            lists.compare(*rows, Surroundings(80, (scheme,), "a.example", "a.example"), 9).differences
            for scheme in (b"http", b"https")
        ]
        self.assertEqual([[each.old for each in some] for some in found], [[A], [None]])

    def test_bound(self) -> None:
        """All lists together have so much work and no more; what is equal needs none."""
        lists = Lists(200)
        undecided = ["in all hosts together there are too many combinations of conditions"]
        for number in range(20):
            old = [at(f"/{number}/{each}", A) for each in range(10)]
            found = self.compared(lists, "a.example", old, [at(f"/{number}/{each}", B) for each in range(10)])
        self.assertEqual(found, undecided)
        self.assertEqual(self.compared(lists, "a.example", old, list(old)), [])
