# Hot path: asked of each request without TLS where certificates are issued.
"""
Answers authorities that want to see that a host is ours (HTTP-01, RFC 8555 section 8.3).

It comes before all that files say of requests: before guards, redirects to https and routes, and for each host. Only
what was put there for an authority is answered; all else goes on as if nobody had looked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zope.interface import classImplements

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.hold import Hold
from edgegate.http.interfaces import IResource
from edgegate.http.request import RequestHead

PREFIX: Final = b"/.well-known/acme-challenge/"

PATIENCE: Final = 5.0
"""Seconds that the file system has to say whether there is an answer."""


def is_challenge(head: RequestHead) -> bool:
    """Whether a request may be an authority's question."""
    return head.path.startswith(PREFIX) and head.method in (b"GET", b"HEAD")


class ChallengeResource:
    """Answers what was put there for an authority, and has all else go on."""

    __slots__ = ("_environment", "_unchallenged")

    def __init__(self, unchallenged: Callable[[Exchange], IResource], environment: HTTPEnvironment) -> None:
        """
        @param unchallenged: Finds what answers a request that is no authority's question.
        """
        self._unchallenged = unchallenged
        self._environment = environment

    def render(self, exchange: Exchange) -> None:
        """Have the exchange wait until the store has been asked."""
        challenges = self._environment.challenges
        token = exchange.head.path[len(PREFIX) :].decode("latin-1")
        if challenges is None or not challenges.may_know(token):
            self._go_on(exchange)
            return
        hold = Hold(exchange, self._environment, PATIENCE, self._expired)
        challenges.find(token, lambda answer: self._found(hold, answer))

    def _found(self, hold: Hold, answer: bytes | None) -> None:
        if answer is None:
            hold.answer(self._go_on)
        else:
            hold.answer(lambda exchange: self._answer(exchange, answer))

    def _answer(self, exchange: Exchange, answer: bytes) -> None:
        exchange.details = "acme_challenge"
        exchange.reply(200, [(b"content-type", b"application/octet-stream"), (b"cache-control", b"no-store")], answer)

    def _expired(self, hold: Hold) -> None:
        hold.answer(self._go_on)

    def _go_on(self, exchange: Exchange) -> None:
        self._unchallenged(exchange).render(exchange)


classImplements(ChallengeResource, IResource)
