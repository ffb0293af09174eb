"""Lists of routes and requests to ask them about, made up so that they meet often."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from edgegate.analysis.wire import Surroundings, Witness
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.routing.table import first_match

PATHS = ("/a", "/A", "/ab", "/a/b", "/b", "/", "/abc", "", "/\u00dc", "*")
EXPRESSIONS = ("/a.*", "/[ab]+", "/a|/b", ".*", ".+", "x?", "(?:x|y),?y?", "/a/(b|c)", "(?i)/A.*", "[^x]*", "/.{2}")
VALUES = ("", "x", "y", "xy", "x,y", "X", "1", "x; y", "/a", "/a?a=x", "/a?", "GET", "shop")
HEADERS = ("x-a", "x-b", "cookie", "host", ":path", ":method", ":none", "accept", "no name")

SHOP = Surroundings(80, domain="shop.example")

Rows = Sequence[tuple[Sequence[HTTPMatch], str]]


def texts(values: Sequence[str], ignore_case: st.SearchStrategy[bool]) -> st.SearchStrategy[StringMatch]:
    """Conditions on a text of all forms."""
    plain = st.builds(StringMatch, st.sampled_from([Kind.EXACT, Kind.PREFIX]), st.sampled_from(values), ignore_case)
    return (
        plain
        | plain
        | st.builds(StringMatch, st.just(Kind.REGEX), st.sampled_from(EXPRESSIONS))
        | st.just(StringMatch(Kind.PRESENT))
    )


def named(names: Sequence[str]) -> st.SearchStrategy[tuple[tuple[str, StringMatch], ...]]:
    """Conditions on some of these names, mostly on none."""
    value = texts(VALUES, st.just(False))
    some = st.lists(st.tuples(st.sampled_from(names), value), min_size=1, max_size=2, unique_by=lambda each: each[0])
    return st.just(()) | st.just(()) | some.map(tuple)


def seldom(values: Sequence[str]) -> st.SearchStrategy[StringMatch | None]:
    """Mostly no condition."""
    return st.none() | st.none() | st.none() | texts(values, st.just(False))


matches = st.builds(
    HTTPMatch,
    uri=st.none() | texts(PATHS, st.booleans()) | texts(PATHS, st.just(False)),
    method=seldom(("GET", "POST", "P", "OPTIONS")),
    authority=seldom(("shop.example", "shop", "shop.example:81")),
    scheme=seldom(("http", "https", "httpx")),
    port=st.none() | st.none() | st.none() | st.sampled_from([80, 81]),
    headers=named(HEADERS),
    without_headers=st.just(()) | named(HEADERS),
    query_params=st.just(()) | named(("a", "b", "a=")),
)
rows = st.lists(st.tuples(st.lists(matches, max_size=2).map(tuple), st.sampled_from("ABC")), min_size=1, max_size=5)

fields = st.tuples(
    st.sampled_from([b"x-a", b"x-b", b"cookie", b"accept"]), st.sampled_from([value.encode() for value in VALUES])
)
paths = [*(path.encode() for path in PATHS if path[:1] == "/"), b"/aB", b"/a/c", b"/xyz", b"/abC"]
requests = st.builds(
    Witness,
    method=st.sampled_from([b"GET", b"POST", b"PUT", b"OPTIONS"]),
    path=st.sampled_from(paths),
    query=st.sampled_from([b"", b"a", b"a=x", b"a=x&a=y", b"b=&a=xy", b"b=x,y&c", b"%61=x", b"a=1&b=1"]),
    authority=st.sampled_from([b"shop.example", b"shop.example:81", b"SHOP.example", b"shop.example."]),
    scheme=st.sampled_from([b"http", b"https"]),
    port=st.just(80),
    fields=st.lists(fields, max_size=3).map(tuple),
) | st.builds(
    Witness, st.just(b"OPTIONS"), st.just(b"*"), st.just(b""), st.just(b"shop.example"), st.just(b"http"), st.just(80)
)


@st.composite
def changed(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Return a list, and what became of it."""
    old = draw(rows)
    new = list(old)
    how = draw(st.sampled_from(["swap", "shuffle", "drop", "insert", "other", "new"]))
    place = draw(st.integers(0, len(old) - 1))
    if how == "swap":
        new[0], new[place] = new[place], new[0]
    elif how == "shuffle":
        new = draw(st.permutations(old))
    elif how == "drop":
        del new[place]
    elif how == "insert":
        new.insert(place, draw(rows)[0])
    elif how == "other":
        new[place] = (new[place][0], draw(st.sampled_from("ABC")))
    else:
        new = draw(rows)
    return old, new


def table(rows: Rows) -> Callable[[Witness], str | None]:
    """Return what answers requests as the gateway does."""
    find = first_match((matches, place) for place, (matches, _) in enumerate(rows))

    def answer(request: Witness) -> str | None:
        place = find(request)
        if place is None:
            return None
        matches, value = rows[place]
        if request.path == b"*" and all(match.uri is None for match in matches):
            return None
        return value

    return answer
