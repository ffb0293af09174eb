# Compiled: asked for connections whose context is not there.
"""
The seam between a connection that is held after its ClientHello and whoever finds the context that it lacks.

It may take its time: a store is read, or an authority issues a certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

from OpenSSL import SSL

from edgegate.routing.snapshot import FilterChain
from edgegate.tls.client_hello import ClientHello


@dataclass(frozen=True, slots=True)
class NoContext:
    """
    Why a client whose ClientHello was read is not served.

    @ivar reason: For the log.
    @ivar words: The alert that it is told.
    @ivar unknown: Whether it is because of the name that it asks for.
    """

    reason: str
    words: bytes
    unknown: bool = False


SetContext = Callable[[SSL.Context | NoContext], None]
"""Gets the context of a handshake, or why there is none. Called once, at once or in a later turn of the reactor."""


class SoughtContext(Protocol):
    """A context that is being looked for, for one connection."""

    def leave(self) -> None:
        """The connection waits no longer, and is told nothing. May be called at any time, again too."""


class ContextSeeker(Protocol):
    """
    Finds contexts that are not in the L{edgegate.tls.sni.ContextMap}.

    Asked of connections alone whose chain ends TLS and has no context for the name that they ask for.
    """

    def seek(
        self, listener: str, chain: FilterChain, hello: ClientHello, client: Hashable, found: SetContext
    ) -> SoughtContext | None:
        """
        Look for the context of a handshake.

        @param listener: The name of the listener.
        @param client: Whose connection it is; see L{edgegate.overload.connections.client_of}.
        @return: L{None}: C{found} was called already.
        """
