"""Where redirects of the files lead: round in a circle, or to a port that nobody opens."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.explain.advice import Advice
from edgegate.explain.decision import Decider, Decision, Refusal
from edgegate.explain.effects import Effects, EffectsFinder
from edgegate.explain.question import question_of
from edgegate.model.origin import Origin

MOST = 10
"""Redirects that are followed; browsers follow 20."""


def redirect_advice(decider: Decider, finder: EffectsFinder, decision: Decision, effects: Effects) -> Iterator[Advice]:
    """Follow the redirects that begin with a decision, as far as they stay on this gateway; yield what is wrong."""
    headers, method = decision.question.headers, decision.question.method.decode("latin-1")
    seen = [decision.question.url]
    for _ in range(MOST):
        location = _location(effects)
        if not location:
            return
        if location in seen:
            way = " to ".join([*seen[seen.index(location) :], location])
            yield Advice(f"the client is sent round in a circle, for ever: a loop of redirects, {way}", _said(decision))
            return
        seen.append(location)
        try:
            following = decider.decide(question_of(method, location, headers))
        except ValueError:
            return
        if following.refusal is Refusal.NO_LISTENER and decision.redirect_port is not None:
            yield Advice(f"clients are sent to {location}, but no server is opened there", _said(decision))
        if following.refusal is not None:
            return
        decision, effects = following, finder.of(following)


def _location(effects: Effects) -> str:
    """Return the URL that a client is sent to; empty: it is not."""
    answer = effects.answer
    if answer is None or not 300 <= answer.status < 400:
        return ""
    return next((value.decode("latin-1") for name, value in answer.fields if name == b"location"), "")


def _said(decision: Decision) -> Origin | None:
    """Return where is said what becomes of a request."""
    said = decision.route or decision.chain
    return None if said is None else said.origin
