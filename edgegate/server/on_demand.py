"""What certificates on demand need of the reactor, and of HTTP."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import blockingCallFromThread

from edgegate.model.on_demand import OnDemand
from edgegate.tls.acme.challenges import Defer
from edgegate.tls.acme.demand.seeker import OnDemandSeeker


def on_demand_seeker(reactor: Any, defer: Defer, authorities: bytes) -> OnDemandSeeker:
    """
    Make what finds certificates on demand.

    @param authorities: Certificates as PEM, of authorities that are trusted besides the system's where it is asked.
    """

    def permitted(on_demand: OnDemand, host: str) -> bool | None:
        """Ask whether a certificate may be renewed, from a thread."""
        return cast(bool | None, blockingCallFromThread(reactor, cast(Any, seeker.permits), on_demand, host))

    seeker = OnDemandSeeker(cast(IReactorTime, reactor), defer, _Asking(reactor, authorities), permitted)
    return seeker


class _Asking:
    """Asks by a client that is made when it is first needed: few gateways need it, and it takes megabytes."""

    def __init__(self, reactor: Any, authorities: bytes) -> None:
        self._made = reactor, authorities
        self._ask: Any = None

    def __call__(self, url: str) -> Deferred[int]:
        if self._ask is None:
            from edgegate.http.ask_client import AskClient  # noqa: PLC0415

            self._ask = AskClient(*self._made).ask
        found: Deferred[int] = self._ask(url)
        return found
