"""Where redirects of the files lead: round in a circle, or to a port that nobody opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urljoin

from edgegate.explain.advice import Advice
from edgegate.explain.decision import Decider, Decision, Refusal
from edgegate.explain.effects import Effects, EffectsFinder
from edgegate.explain.question import Question, question_of
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute

MOST: Final = 20
"""Redirects that browsers follow before they give up."""

SHOWN: Final = 3
"""URLs that are shown of a way that comes to no end."""


@dataclass(frozen=True, slots=True)
class Way:
    """
    Where a client is sent, one redirect after the other, as far as this gateway answers.

    @ivar steps: What becomes of it at each URL, the one that it began with first.
    @ivar endless: Whether it comes back to a URL where it was, or a browser gives up; else it gets something else in
        the end, or goes elsewhere.
    """

    steps: tuple[Decision, ...]
    endless: bool

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs that it is sent to."""
        return tuple(each.question.url for each in self.steps[1:])

    @property
    def closed(self) -> bool:
        """Whether its last URL is one where it was before."""
        return self.urls[-1:] != () and any(each.question.url == self.urls[-1] for each in self.steps[:-1])


def way_of(decider: Decider, finder: EffectsFinder, decision: Decision) -> Way:
    """Follow the redirects that begin with a decision, as a browser does."""
    steps = [decision]
    seen = {decision.question.url}
    while len(steps) <= MOST:
        following = _following(steps[-1], finder)
        if following is None:
            return Way(tuple(steps), False)
        steps.append(decider.decide(following))
        if following.url in seen:
            break
        seen.add(following.url)
    return Way(tuple(steps), True)


def redirect_advice(decider: Decider, finder: EffectsFinder, decision: Decision) -> Iterator[Advice]:
    """Follow the redirects that begin with a decision; yield what is wrong."""
    way = way_of(decider, finder, decision)
    urls = [decision.question.url, *way.urls]
    if way.closed:
        circle = " to ".join(urls[urls.index(urls[-1]) :])
        text = f"the client is sent round in a circle, for ever: a loop of redirects, {circle}"
        yield Advice(text, _said(way.steps[-2]))
    elif way.endless:
        begin = " to ".join(urls[: SHOWN + 1])
        text = f"the client is sent on {MOST} times, where browsers give up: a loop of redirects, {begin}, and so on"
        yield Advice(text, _said(decision))
    elif way.steps[-1].refusal is Refusal.NO_LISTENER and len(way.steps) > 1:
        before = way.steps[-2]
        if before.redirect_port is not None:
            yield Advice(f"clients are sent to {urls[-1]}, but no server is opened there", _said(before))


def _following(decision: Decision, finder: EffectsFinder) -> Question | None:
    """Return what a client asks next that gets what a decision comes to; L{None}: nothing, or nothing that is known."""
    route = decision.route
    if decision.refusal is not None or (isinstance(route, HTTPRoute) and route.destinations):
        return None
    question, location = decision.question, _location(finder.of(decision))
    if not location:
        return None
    try:
        url = urljoin(question.url, location).partition("#")[0]
        following = question_of(question.method.decode("latin-1"), url)
    except ValueError:
        return None
    alpn = question.alpn if following.tls and question.alpn else following.alpn
    certificate = question.certificate if following.tls else b""
    return replace(
        following,
        headers=question.headers,
        claims=question.claims,
        peer=question.peer,
        alpn=alpn,
        certificate=certificate,
    )


def _location(effects: Effects) -> str:
    """Return the URL that a client is sent to, which may be a relative one; empty: it is not."""
    answer = effects.answer
    if answer is None or not 300 <= answer.status < 400:
        return ""
    return next((value.decode("latin-1") for name, value in answer.fields if name.lower() == b"location"), "")


def _said(decision: Decision) -> Origin | None:
    """Return where is said what becomes of a request."""
    said = decision.route or decision.chain
    return None if said is None else said.origin
