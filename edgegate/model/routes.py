# Hot path: each request has one.
"""Routes: where requests and connections go, and what becomes of them on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from edgegate.model.actions import DirectResponse, Redirect, RequestChanges
from edgegate.model.guards.guard import Guards
from edgegate.model.headers import HeaderChanges
from edgegate.model.matching import HTTPMatch
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable
from edgegate.model.policies import DEFAULT_RETRIES, CORSPolicy, Faults, Mirror, RetryPolicy


@dataclass(frozen=True, slots=True)
class WeightedCluster(Picklable):
    """
    One destination of a route; weights are relative to each other, and a weight of 0 gets nothing.

    @ivar request: What is changed of requests that go there; L{None}: nothing.
    @ivar response: What is changed of the responses that come from there, in this order.
    """

    cluster: str
    weight: int
    request: RequestChanges | None = None
    response: tuple[HeaderChanges, ...] = ()


# HTTP ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HTTPRoute(Picklable):
    """
    One item of C{VirtualService.http}, or a part of it: what it does may depend on which of its conditions holds.

    @ivar matches: Any of them must hold; none: every request.
    @ivar timeout: From the whole request received to the whole response, in seconds; L{None}: no limit.
    @ivar redirect: Where given, what every request is answered with; so is C{direct}.
    @ivar response: What is changed of the headers of such a response.
    @ivar retries: L{None}: nothing is tried again.
    @ivar guards: What requests that take it meet, once it is known; others stand on its virtual host.
    @ivar filtered: Whether there is more to do than to send requests on.
    @ivar expected: Within how many milliseconds a backend is to answer, as it is told, or empty: the
        time of a try where there is one, but not more than the route's.
    """

    name: str
    origin: Origin = field(compare=False)
    destinations: tuple[WeightedCluster, ...]
    matches: tuple[HTTPMatch, ...] = ()
    timeout: float | None = None
    redirect: Redirect | None = None
    direct: DirectResponse | None = None
    response: HeaderChanges | None = None
    retries: RetryPolicy | None = DEFAULT_RETRIES
    faults: Faults | None = None
    cors: CORSPolicy | None = None
    mirrors: tuple[Mirror, ...] = ()
    guards: Guards = ()
    filtered: bool = field(init=False, repr=False, compare=False)
    expected: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        only_sent = self.redirect is None and self.direct is None and self.faults is None and self.cors is None
        object.__setattr__(self, "filtered", not only_sent or bool(self.guards))
        per_try = None if self.retries is None else self.retries.per_try_timeout
        object.__setattr__(self, "expected", _expected(self.timeout, per_try))


@lru_cache(maxsize=1024)
def _expected(timeout: float | None, per_try: float | None) -> bytes:
    """Return how long a response may take, or nothing: one value for all routes that say the same."""
    least = min((each for each in (timeout, per_try) if each is not None), default=None)
    return b"" if least is None else milliseconds(least)


def milliseconds(seconds: float) -> bytes:
    """Return a time as backends are told it."""
    return b"%d" % (seconds * 1000)


# TCP -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TCPRoute(Picklable):
    """
    One C{match} of an item of C{VirtualService.tcp} or C{tls} (or an item without matches).

    @ivar sni_hosts: Patterns in normal form of which one must match the SNI name; empty: any, or none at all.
    @ivar destination_subnets: CIDR notations of which one must hold the local address; empty: any.
    @ivar source_subnets: The same for the client's address.
    """

    origin: Origin = field(compare=False)
    destinations: tuple[WeightedCluster, ...]
    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    source_subnets: tuple[str, ...] = ()

    @property
    def anywhere(self) -> bool:
        """Whether no address is asked for."""
        return not self.destination_subnets and not self.source_subnets
