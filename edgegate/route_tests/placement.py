"""Where requests are sent of which a file of tests says only the host: the formats of others know no ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from edgegate.explain.question import Question, question_of
from edgegate.http.fields import Field
from edgegate.model.addresses import TCPAddress
from edgegate.routing.hosts import host_of
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot

CERTIFICATE: Final = b'Subject=""'
"""What backends are told of the certificate of a client that has one: nobody knows whose it is."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """
    A request without a port.

    @ivar authority: The host; a port in it is preferred.
    @ivar secure: Whether it comes over TLS; L{None}: either way.
    @ivar port: That it came to, if that is known: it is preferred to one in C{authority}.
    """

    method: str
    authority: str
    target: str
    headers: tuple[Field, ...] = ()
    secure: bool | None = None
    port: int | None = None

    def question(self, port: int, tls: bool) -> Question:
        """
        Return it, sent to a port.

        @raise ValueError: Nobody can send it.
        """
        if not self.target.startswith("/"):
            raise ValueError("a path begins with a slash")
        url = f"{'https' if tls else 'http'}://{self.authority}{self.target}"
        question = question_of(self.method, url, self.headers, port=port)
        # these formats know no TLS: a client without a certificate is not what they ask about
        return replace(question, authority=self.authority.encode(), certificate=CERTIFICATE if tls else b"")


class _Place(NamedTuple):
    listener: Listener
    tls: bool


def placed(snapshot: Snapshot, request: Unplaced) -> Question:
    """
    Return a request, sent to a port that has its host: best to the one in its authority, then to one that does not
    send everyone to https, in the clear before TLS. Where no port has the host, it goes to the first.
    """
    host, port = host_of(request.authority.encode()), str(request.port or request.authority.rpartition(":")[2])

    def rank(place: _Place) -> tuple[bool, bool, bool, int]:
        chain = _chain(place, host)
        found = None if chain is None or chain.http is None else chain.http.lookup(host)
        wrong_port = port.isdigit() and int(port) != place.listener.port
        return found is None, wrong_port, found is None or found.redirect_port is not None, int(place.tls)

    places = [place for place in _places(snapshot) if request.secure in (None, place.tls)]
    # a file that says nothing of TLS may be of hosts that have nothing else
    best = min(places or list(_places(snapshot)), key=rank, default=None)
    return request.question(80, False) if best is None else request.question(best.listener.port, best.tls)


def _places(snapshot: Snapshot) -> Iterator[_Place]:
    for listener in sorted(snapshot.listeners, key=lambda each: each.port):
        if listener.plain is not None and isinstance(listener.bind, TCPAddress):
            yield _Place(listener, False)
        if len(listener.secure):
            yield _Place(listener, True)


def _chain(place: _Place, host: str) -> FilterChain | None:
    return place.listener.secure.lookup(host) if place.tls else place.listener.plain
