"""What would nearly have taken a question, and what to change so that it does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from urllib.parse import unquote_to_bytes

from edgegate.analysis.automata import expression
from edgegate.analysis.limits import TooMuch
from edgegate.explain.conditions import Tested, tried, words
from edgegate.http.exchange import Exchange
from edgegate.model.match_parts import parts
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.notes import Notes
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import VirtualHost

MOST = 3
"""Near misses that are told."""

LONGEST = 256
"""Bytes of a value that are looked at."""


@dataclass(frozen=True, slots=True)
class Near:
    """
    A match that nearly holds.

    @ivar failed: Its conditions that fail.
    @ivar score: How near it is, between 0 and 1.
    @ivar hint: In what the first one and what is there differ, in words.
    """

    route: HTTPRoute
    match: HTTPMatch
    origin: Origin
    failed: tuple[Tested, ...]
    score: float
    hint: str


def near_routes(host: VirtualHost, asked: Exchange, notes: Notes, most: int = MOST) -> list[Near]:
    """Return the matches that come nearest to a request: those with the fewest failing conditions first."""
    found: list[Near] = []
    for route in host.routes:
        for match, origin in zip(route.matches, notes.of(route).matches, strict=False):
            failed = tuple(_failed(match, asked))
            if failed:
                found.append(Near(route, match, origin, failed, min(map(nearness, failed)), ""))
    found.sort(key=lambda each: (len(each.failed), -each.score))
    return [replace(each, hint=hint(each.failed[0])) for each in found[:most]]


def _failed(match: HTTPMatch, asked: Exchange) -> Iterator[Tested]:
    """Yield all conditions of a match that fail."""
    yield from (each for each in all_conditions(match, asked) if not each.holds)


def all_conditions(match: HTTPMatch, asked: Exchange) -> Iterator[Tested]:
    """Yield all conditions of a match, those behind one that fails as well."""
    for part in parts(match):
        yield from tried(part.alone, asked)


def nearness(failed: Tested) -> float:
    """Return how near a condition was to holding, between 0 and 1."""
    wanted = failed.wanted
    if wanted is None:
        return 0.5
    if not failed.there or failed.what.startswith("withoutHeaders"):
        return 0.6
    there, value = failed.there[0][:LONGEST], wanted.value.encode()[:LONGEST]
    if wanted.kind is Kind.REGEX:
        return 0.3 + 0.6 * len(as_far_as(wanted.value, there)) / max(len(there), 1)
    if there.rstrip(b"/") == value.rstrip(b"/"):
        return 0.98
    if there.lower() == value.lower():
        return 0.97
    if wanted.kind is Kind.PREFIX:
        there = there[: len(value) + 1]
    common = _common(value, there)
    ends = _common(value[common:][::-1], there[common:][::-1])
    alike = max(common / max(len(value), 1), 2 * (common + ends) / max(len(value) + len(there), 1))
    # a path that is another one is farther away than a method or a header that is
    return 0.9 * alike if failed.what == "uri" else 0.6 + 0.35 * alike


def _common(one: bytes, two: bytes) -> int:
    """Return with how many bytes both begin."""
    at = next((at for at, (left, right) in enumerate(zip(one, two, strict=False)) if left != right), None)
    return min(len(one), len(two)) if at is None else at


def hint(failed: Tested) -> str:
    """Return in what a condition and what is there differ, and what to change; empty: nothing is worth saying."""
    wanted = failed.wanted
    if wanted is None:
        return f"ask at port {failed.wanted_port}, or take the port out of the match"
    name = failed.what.partition("[")[2].removesuffix("]")
    if failed.what.startswith("withoutHeaders"):
        return f"leave {name} out, or take it out of withoutHeaders"
    if not failed.there:
        return f"the request has no {name}: send it, or take it out of the match"
    if wanted.kind is Kind.REGEX:
        return _stop(wanted.value, failed.there[0])
    return _unlike(failed.what, wanted.value.encode(), failed.there[0]) or _difference(
        failed.what, wanted, failed.there[0]
    )


def _unlike(what: str, value: bytes, there: bytes) -> str:
    """Return why a value can't be there as it is wanted; empty: it could."""
    if what == "uri" and b"?" in value:
        return "a path has no query behind it: ask for that in queryParams"
    if there != value and unquote_to_bytes(there) == unquote_to_bytes(value):
        return f"escapes are not decoded before values are compared: write {there.decode('latin-1')!r}"
    return ""


def _stop(regex: str, there: bytes) -> str:
    text, part = there.decode("latin-1"), as_far_as(regex, there).decode("latin-1")
    if part == text:
        return f"the expression wants more behind {text!r}"
    if len(part) == LONGEST:
        return f"the expression goes along for the first {LONGEST} bytes and more"
    return f"the expression goes along as far as {part!r} and stops at {text[len(part) :]!r}"


def _difference(what: str, wanted: StringMatch, there: bytes) -> str:
    value = wanted.value.encode()
    text = there.decode("latin-1")
    if there.rstrip(b"/") == value.rstrip(b"/"):
        more = "less" if len(there) < len(value) else "more"
        return f"the request has a slash {more} at its end"
    if there.lower() == value.lower() or (
        wanted.kind is Kind.PREFIX and there.lower().startswith(value.lower()) and not wanted.ignore_case
    ):
        mend = ": ignoreUriCase: true lets it through" if what == "uri" else ""
        return f"they differ in case alone{mend}"
    if wanted.kind is Kind.EXACT and there.startswith(value):
        return f"the request goes on with {text[len(value) :]!r}: prefix in place of exact would take it"
    if len(value) <= _SPELT and SequenceMatcher(None, value, there[: len(value) + 1]).ratio() > 0.8:
        return f"{text!r} looks like a misspelt {wanted.value!r}, or the other way round"
    return ""


_SPELT = 100
"""Bytes of a value that may be misspelt: comparing longer ones takes long."""


def as_far_as(regex: str, text: bytes) -> bytes:
    """
    Return the longest beginning of a text that an expression could still match with something else behind it.

    No more than L{LONGEST} bytes are looked at.
    """
    try:
        automaton = expression(regex)
    except TooMuch:
        return b""
    state = 0
    begin = text[:LONGEST]
    for at, byte in enumerate(begin):
        state = automaton.move(state, byte)
        if automaton.dead(state):
            return begin[:at]
    return begin


def near_names(patterns: Collection[str], name: str, most: int = MOST, among: int | None = None) -> list[str]:
    """
    Return the host patterns that come nearest to a name that none of them has.

    @param among: Of how many patterns: of more none is looked for. L{None}: of however many.
    """
    if among is not None and len(patterns) > among:
        return []
    known = list(dict.fromkeys(patterns))
    sure = [each for each in known if each in (f"*.{name}", f"www.{name}", name.removeprefix("www."))]
    parent = name.partition(".")[2]
    sure += [each for each in known if each.startswith("*.") and parent.endswith(each[1:]) and each not in sure]
    bare = {each.removeprefix("*."): each for each in known}
    near = get_close_matches(name, bare, most, 0.8) if len(bare) <= _FEW else _by_a_letter(bare, name)
    return list(dict.fromkeys([*sure, *(bare[each] for each in near)]))[:most]


_FEW = 100
"""Names that can all be compared with one."""


def _by_a_letter(names: Iterable[str], name: str) -> list[str]:
    """Return names that differ by a letter or so from one, without comparing it with all of them."""
    less = {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}
    return [
        each
        for each in names
        if abs(len(each) - len(name)) <= 1
        and (each in less or any(each[:at] + each[at + 1 :] in less for at in range(len(each))))
    ]


def missing(failed: Tested) -> str:
    """Return in words what a condition wants and what there is: C{uri begins with '/cart', is '/x'}."""
    wish = f"is {failed.wanted_port}" if failed.wanted is None else words(failed.wanted)
    if failed.what.startswith("withoutHeaders"):
        wish = f"not {wish}"
    there = " and ".join(repr(each.decode("latin-1")) for each in failed.there) or "not there"
    return f"{failed.what} should be: {wish}; it is {there}"
