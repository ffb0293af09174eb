"""Tests of L{edgegate.routing.table}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.routing.matching import HTTPMatch, Kind, StringMatch, condition
from edgegate.routing.table import first_match
from tests.routing.test_matching import Asked

paths = st.sampled_from(["/", "/a", "/A", "/ab", "/a/b", "/a/", "/b", "/abc", "*", ""])
kinds = st.sampled_from([Kind.EXACT, Kind.PREFIX, Kind.PREFIX, Kind.REGEX])
texts = st.sampled_from(["/a", "/A", "/ab", "/a/b", "/b", "/", "/abc"])
matches = st.builds(
    HTTPMatch,
    uri=st.none()
    | st.builds(StringMatch, kinds, st.sampled_from(["/a", "/A", "/ab", "/a/b", "/b", "/", "/abc"]), st.booleans()),
    method=st.none() | st.just(StringMatch(Kind.EXACT, "POST")),
    port=st.none() | st.just(81),
)
requests = st.builds(
    Asked,
    path=paths.map(str.encode),
    method=st.sampled_from([b"GET", b"POST"]),
    port=st.sampled_from([80, 81]),
)


def plainly(rules: list[list[HTTPMatch]], asked: Asked) -> int | None:
    """Find the first rule as Istio describes it."""
    for number, rule in enumerate(rules):
        if not rule or any(check is None or check(asked) for check in map(condition, rule)):
            return number
    return None


class FirstMatchTests(SynchronousTestCase):
    """Rules in order of precedence."""

    @given(st.lists(st.lists(matches, max_size=3), max_size=30), st.lists(requests, min_size=1, max_size=10))
    def test_order_is_law(self, rules: list[list[HTTPMatch]], asked: list[Asked]) -> None:
        """However many rules there are, the first one that holds is found."""
        find = first_match([(rule, number) for number, rule in enumerate(rules)])
        for each in asked:
            self.assertEqual(find(each), plainly(rules, each), each)

    def test_few_are_tried(self) -> None:
        """Of a thousand paths only those are tried that can match."""
        tried = []

        class Counting(Asked):
            """A request that counts who looks at its method."""

            @property  # type: ignore[misc]
            def method(self) -> bytes:  # type: ignore[override]
                tried.append(1)
                return b"GET"

            @method.setter
            def method(self, value: bytes) -> None: ...

        get = StringMatch(Kind.EXACT, "GET")
        rules = [([HTTPMatch(StringMatch(Kind.PREFIX, f"/{number:04}"), get)], number) for number in range(1000)]
        self.assertEqual(first_match(rules)(Counting(path=b"/0777/x")), 777)
        self.assertEqual(len(tried), 1)

    def test_order(self) -> None:
        """The first rule of which any match holds wins; a rule without matches takes the rest."""
        prefix = [HTTPMatch(uri=StringMatch(Kind.PREFIX, each)) for each in ("/a", "/ab", "/c")]
        find = first_match([([prefix[0]], 1), ([prefix[1], prefix[2]], 2), ([], 3), ([prefix[2]], 4)])
        for path, expected in ((b"/a", 1), (b"/ab", 1), (b"/c", 2), (b"/d", 3)):
            self.assertEqual(find(Asked(path=path)), expected)

    def test_none(self) -> None:
        """Where no rule holds there is no answer."""
        self.assertIsNone(first_match([])(Asked()))
        self.assertIsNone(first_match([([HTTPMatch(port=1)], 1)])(Asked()))
        self.assertEqual(first_match([([HTTPMatch()], 1)])(Asked()), 1)
