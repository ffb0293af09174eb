"""
Redirects that lead back to themselves, at once or through others, as far as one gateway answers.

Each route that redirects is asked by a request that reaches it, and what a client would ask next is followed, by the
functions that serve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urljoin

from edgegate.analysis.boxes import Box
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import Surroundings, Witness
from edgegate.explain.decision import Decider, Decision
from edgegate.explain.effects import EffectsFinder
from edgegate.explain.question import Question, question_of
from edgegate.model import codes
from edgegate.model.diagnostics import Diagnostic, Severity
from edgegate.model.matching import HTTPMatch
from edgegate.model.origin import Path
from edgegate.model.routes import HTTPRoute
from edgegate.routing.hosts import host_of
from edgegate.routing.snapshot import Listener, Snapshot, VirtualHost

MOST_HOPS: Final = 20
"""Redirects that browsers follow before they give up."""

_SHOWN: Final = 3
_ANY: Final = HTTPMatch()


def redirect_loops(snapshot: Snapshot) -> Iterator[Diagnostic]:
    """Yield the routes in the files that redirect into a loop, with a request that goes round; each once."""
    walk = _Walk(snapshot)
    told: set[tuple[str, str, Path]] = set()
    for listener, secure, host in _virtual_hosts(snapshot):
        for question, route in _requests(listener, secure, host):
            origin = route.origin
            place = origin.file, origin.resource, origin.path  # two may stand in one line
            ways = [] if place in told else walk.round(question, route)
            if ways:
                told.add(place)
                yield Diagnostic(Severity.WARNING, origin, _message(question, ways), code=codes.REDIRECT_LOOP)


def _message(question: Question, ways: Sequence[str]) -> str:
    shown = ", then to ".join(ways[:_SHOWN]) + (", and so on" if len(ways) > _SHOWN else "")
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
        headers=found.fields,
    )


class _Walk:
    """Follows redirects."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._decider = Decider(snapshot)
        self._effects = EffectsFinder(self._decider)

    def round(self, question: Question, route: HTTPRoute) -> list[str]:
        """
        Return where a request is sent one after the other, up to where that begins again or a browser gives up.

        @return: Nothing where it ends, or goes round elsewhere without the route: that is another's loop.
        """
        decision = self._decider.decide(question)
        if decision.route is not route:
            return []
        ways: list[str] = []
        seen = {question.url}
        again = 0
        for _ in range(MOST_HOPS):
            url = self._location(decision)
            question_next = None if url is None else _following(decision.question, url)
            if url is None or question_next is None:
                return []
            ways.append(question_next.url)
            decision = self._decider.decide(question_next)
            again += decision.route is route
            if question_next.url in seen:
                return ways if question_next.url == question.url or again > 1 else []
            seen.add(question_next.url)
        return ways if again > 1 else []

    def _location(self, decision: Decision) -> str | None:
        """Return where a decision sends the client; L{None}: it gets something else."""
        route = decision.route
        redirects = decision.redirect_port is not None or (isinstance(route, HTTPRoute) and route.redirect is not None)
        if not redirects:
            return None
        answer = self._effects.of(decision).answer
        fields = answer.fields if answer is not None else ()
        location = next((value for name, value in fields if name.lower() == b"location"), None)
        return None if location is None else urljoin(decision.question.url, location.decode("latin-1"))


def _following(question: Question, url: str) -> Question | None:
    """Return what a client asks that is sent to a URL, with the headers of before; L{None}: nothing that is known."""
    try:
        return replace(question_of(question.method.decode(), url.partition("#")[0]), headers=question.headers)
    except ValueError:
        return None
