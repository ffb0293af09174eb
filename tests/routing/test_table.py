"""Tests of L{edgegate.routing.table}."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.routing.table import first_match
from tests.routing.test_matching import Asked

PATHS = ("/a", "/A", "/ab", "/a/b", "/b", "/", "/abc", "", "/\u00dc")
EXPRESSIONS = ("/a.*", "/[ab]+", "/a|/b", ".*", ".+", "x?", "(?:x|y),?y?", "/a/(b|c)")
VALUES = ("", "x", "y", "xy", "x,y", "X", "1", "x; y")


def text_matches(values: Sequence[str], ignore_case: st.SearchStrategy[bool]) -> st.SearchStrategy[StringMatch]:
    """Conditions on a text of all forms."""
    return (
        st.builds(StringMatch, st.sampled_from([Kind.EXACT, Kind.PREFIX]), st.sampled_from(values), ignore_case)
        | st.builds(StringMatch, st.just(Kind.REGEX), st.sampled_from(EXPRESSIONS))
        | st.just(StringMatch(Kind.PRESENT))
    )


def named(names: Sequence[str]) -> st.SearchStrategy[tuple[tuple[str, StringMatch], ...]]:
    """Conditions on some of these names, mostly on none."""
    value = text_matches(VALUES, st.just(False))
    some = st.lists(st.tuples(st.sampled_from(names), value), min_size=1, max_size=2, unique_by=lambda each: each[0])
    return st.just(()) | st.just(()) | some.map(tuple)


HEADERS = ("x-a", "x-b", "cookie", "host", ":path", ":method")
matches = st.builds(
    HTTPMatch,
    uri=st.none() | text_matches(PATHS, st.booleans()) | text_matches(PATHS, st.booleans()),
    method=st.none() | st.none() | text_matches(("GET", "POST", "P"), st.just(False)),
    authority=st.none() | st.none() | text_matches(("shop.example", "shop", "shop.example:81"), st.just(False)),
    scheme=st.none() | st.none() | text_matches(("http", "https"), st.just(False)),
    port=st.none() | st.none() | st.just(81),
    headers=named(HEADERS),
    without_headers=named(HEADERS),
    query_params=named(("a", "b")),
    stat_prefix=st.sampled_from(["", "counted"]),
)
fields = st.tuples(st.sampled_from([b"x-a", b"x-b", b"cookie", b"host"]), st.sampled_from([v.encode() for v in VALUES]))
requests = st.builds(
    Asked,
    path=st.sampled_from([*PATHS, "/aB", "/a/c", "*", "/xyz"]).map(str.encode),
    query=st.sampled_from([b"", b"a", b"a=x", b"a=x&a=y", b"b=&a=xy", b"b=x,y&c", b"%61=x"]),
    method=st.sampled_from([b"GET", b"POST"]),
    scheme=st.sampled_from([b"http", b"https"]),
    authority=st.sampled_from([b"shop.example", b"shop.example:81", b"x"]),
    headers=st.lists(fields, max_size=4),
    port=st.sampled_from([80, 81]),
)


def text_holds(match: StringMatch, text: bytes) -> bool:
    """Whether a text satisfies a condition, as Istio describes C{StringMatch}."""
    value = match.value.encode()
    if match.ignore_case:
        value, text = value.lower(), text.lower()
    if match.kind is Kind.EXACT:
        return text == value
    if match.kind is Kind.PREFIX:
        return text.startswith(value)
    return match.kind is Kind.PRESENT or re.fullmatch(value, text) is not None


def values_of(asked: Asked, name: str) -> list[bytes]:
    """Find the values of a header, as Envoy shows them to conditions: one for each field, but for cookies."""
    pseudo = {":path": asked.path + (b"?" + asked.query if asked.query else b""), ":method": asked.method}
    if name in pseudo:
        return [pseudo[name]]
    values = [value for key, value in asked.headers if key == name.encode()]
    return [b"; ".join(values)] if values and name == "cookie" else values


def param_of(asked: Asked, name: str) -> bytes | None:
    """Find the first value of a parameter of the query."""
    for pair in asked.query.split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == name.encode():
            return value
    return None


def match_holds(match: HTTPMatch, asked: Asked) -> bool:
    """Whether all conditions of a match hold, as Istio describes C{HTTPMatchRequest}."""
    uri = match.uri
    if uri is not None and not (uri.kind is Kind.PREFIX and uri.value == "/") and not text_holds(uri, asked.path):
        return False
    for condition, text in (
        (match.method, asked.method),
        (match.authority, asked.authority),
        (match.scheme, asked.scheme),
    ):
        if condition is not None and not text_holds(condition, text):
            return False
    for name, condition in match.headers:
        if not any(text_holds(condition, value) for value in values_of(asked, name)):
            return False
    for name, condition in match.without_headers:
        values = values_of(asked, name)
        if name == "cookie":
            values += [value for key, value in asked.headers if key == b"cookie"]
        if any(text_holds(condition, value) for value in values):
            return False
        if not values and condition.kind is not Kind.PRESENT and text_holds(condition, b""):
            return False
    for name, condition in match.query_params:
        value = param_of(asked, name)
        if value is None or not text_holds(condition, value):
            return False
    return match.port is None or match.port == asked.port


def plainly(rules: list[list[HTTPMatch]], asked: Asked) -> int | None:
    """Find the first rule as Istio describes it."""
    for number, rule in enumerate(rules):
        if not rule or any(match_holds(match, asked) for match in rule):
            return number
    return None


class FirstMatchTests(SynchronousTestCase):
    """Rules in order of precedence."""

    @given(
        st.lists(st.lists(matches, min_size=1, max_size=3), max_size=40), st.booleans(), st.lists(requests, min_size=1)
    )
    @settings(max_examples=300)
    def test_order_is_law(self, rules: list[list[HTTPMatch]], open_end: bool, asked: list[Asked]) -> None:
        """However many rules there are, and whatever they ask for, the first one that holds is found."""
        if open_end:
            rules = [*rules, []]
        find = first_match([(rule, number) for number, rule in enumerate(rules)])
        for each in asked:
            self.assertEqual(find(each), plainly(rules, each), each)

    def test_case_of_bytes(self) -> None:
        """Where case does not matter it is that of ASCII letters, with many rules as with few."""
        rules = [[HTTPMatch(StringMatch(Kind.EXACT, f"/\u00dc/{number}", ignore_case=True))] for number in range(9)]
        for some in (rules, rules[:2]):
            find = first_match([(rule, number) for number, rule in enumerate(some)])
            self.assertEqual(find(Asked(path="/\u00dc/1".encode())), 1)
            self.assertIsNone(find(Asked(path="/\u00fc/1".encode())))

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
