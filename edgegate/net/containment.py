# Compiled: wraps the callbacks of hot modules.
"""
What an error of ours ends: what it happened in, and nothing else.

The reactor enters the data plane by callbacks: a socket is ready, a deadline
has passed, a name is resolved, another request has made room. Each belongs to
one connection, exchange, copy or relay. What such a callback raises is logged
here, and its owner is told by C{broke}: it ends what it serves, once, in a way
that the other side sees. Callbacks that are run too often to be wrapped catch
what is raised themselves and hand it to L{broke}.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from twisted.logger import Logger

log: Final = Logger(namespace=__name__)


class Breakable(Protocol):
    """Whoever has callbacks."""

    def broke(self) -> None:
        """
        An error of ours was raised in a callback: end what is served, whatever state it is in.

        May be called after the end, and then does nothing.
        """


P = ParamSpec("P")
B = TypeVar("B", bound=Breakable)


def contained(callback: Callable[Concatenate[B, P], None]) -> Callable[Concatenate[B, P], None]:
    """Have a callback raise nothing; see L{broke}."""

    @wraps(callback)
    def call(owner: B, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(owner, *args, **kwargs)
        except Exception:
            broke(owner)

    return call


def broke(owner: Breakable) -> None:
    """Log the error that is being handled, and tell the owner of the callback that raised it."""
    name = type(owner).__name__
    log.failure("an error in {owner}", owner=name)
    try:
        owner.broke()
    except Exception:
        log.failure("an error in {owner} as it ended after another", owner=name)
