"""
Redirects that lead back to themselves, at once or through others, as far as one gateway answers.

Each route that redirects is asked by a request that reaches it, and what a client would ask next is followed, by the
functions that serve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from edgegate.analysis.boxes import Box
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import Surroundings, Witness
from edgegate.explain.decision import Decider
from edgegate.explain.effects import EffectsFinder
from edgegate.explain.question import Question
from edgegate.explain.redirects import SHOWN, Way, way_of
from edgegate.model import codes
from edgegate.model.diagnostics import Diagnostic, Severity
from edgegate.model.matching import HTTPMatch
from edgegate.model.origin import Path
from edgegate.model.routes import HTTPRoute
from edgegate.routing.hosts import host_of
from edgegate.routing.snapshot import Listener, Snapshot, VirtualHost

_ANY: Final = HTTPMatch()


def redirect_loops(snapshot: Snapshot) -> Iterator[Diagnostic]:
    """Yield the routes in the files that redirect into a loop, with a request that goes round; each once."""
    # who is let in may go round
    decider = Decider(snapshot, policies=False)
    finder = EffectsFinder(decider)
    told: set[tuple[str, str, Path]] = set()
    for listener, secure, host in _virtual_hosts(snapshot):
        for question, route in _requests(listener, secure, host):
            origin = route.origin
            place = origin.file, origin.resource, origin.path  # two may stand in one line
            if place in told:
                continue
            decision = decider.decide(question)
            ways = _round(way_of(decider, finder, decision), route) if decision.route is route else ()
            if ways:
                told.add(place)
                yield Diagnostic(Severity.WARNING, origin, _message(question, ways), code=codes.REDIRECT_LOOP)


def _message(question: Question, ways: Sequence[str]) -> str:
    shown = ", then to ".join(ways[:SHOWN]) + (", and so on" if len(ways) > SHOWN else "")
    with_headers = "".join(
        f" with {name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in question.headers
    )
    return f"leads back to itself: {question.method.decode()} {question.url}{with_headers} is sent to {shown}"


def _virtual_hosts(snapshot: Snapshot) -> Iterator[tuple[Listener, bool, VirtualHost]]:
    for listener in snapshot.listeners:
        for chain in listener.chains():
            for _, host in chain.http.items() if chain.http is not None else ():
                if any(route.redirect is not None for route in host.routes):
                    yield listener, chain.tls is not None, host


def _requests(listener: Listener, secure: bool, host: VirtualHost) -> Iterator[tuple[Question, HTTPRoute]]:
    """Yield a request for each match of each route that redirects, as far as one is found that reaches it."""
    rows = [(match, route) for route in host.routes for match in route.matches or (_ANY,)]
    scheme = b"https" if secure else b"http"
    surroundings = Surroundings(listener.port, (scheme,), host.domain)
    try:
        space = Space((match for match, _ in rows), surroundings)
    except TooMuch:
        return
    before: list[Box] = []
    for match, route in rows:
        box = space.box(match)
        if box is None:
            continue
        if route.redirect is not None:
            try:
                found = find(space, box, before)
            except TooMuch:
                found = None
            if found is not None:
                yield _question(found, secure), route
        before.append(box)


def _question(found: Witness, secure: bool) -> Question:
    """Return the question of a request that was found; its host gets the port that a client would say."""
    authority = found.authority
    if found.port != (443 if secure else 80) and host_of(authority) == authority.decode("latin-1"):
        authority = b"%b:%d" % (authority, found.port)
    return Question(
        found.port,
        secure,
        host_of(authority) if secure else "",
        b"http/1.1" if secure else b"",
        method=found.method,
        target=found.target,
        authority=authority,
        headers=found.sent,
        claims=found.claim_fields,
    )


def _round(way: Way, route: HTTPRoute) -> tuple[str, ...]:
    """
    Return where a request is sent one after the other, up to where that begins again or a browser gives up.

    @return: Nothing where it ends, or goes round elsewhere without the route: that is another's loop.
    """
    if not way.endless:
        return ()
    urls = way.urls
    again = sum(each.route is route for each in way.steps[1:])
    if way.closed and urls[-1] == way.steps[0].question.url:
        return urls
    return urls if again > 1 else ()
