"""The certificates on demand that a process serves: those that were asked for of late, with their contexts."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from OpenSSL import SSL
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.on_demand import OnDemand
from edgegate.model.tls import KeyPair, ServerTLS
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.acme.care import Kept
from edgegate.tls.acme.challenges import Defer
from edgegate.tls.acme.demand.care import DemandedCare
from edgegate.tls.acme.demand.ledger import Ledger
from edgegate.tls.acme.keeper import CertificateKeeper
from edgegate.tls.acme.status import CertificateStatus, Outcome
from edgegate.tls.contexts import server_context
from edgegate.tls.secrets import BadKeyMaterial, ResolvedTLS, load_key_pair

log = Logger(namespace=__name__)

MOST_HELD = 1000
"""Certificates on demand that a process holds; those that were asked for least lately are read anew when they are."""

SETTLING = 1.0
"""Seconds until what is held is looked after: many may come at one time."""

Permitted = Callable[[OnDemand, str], bool | None]
"""Returns whether the certificate of a host may be renewed; L{None}: nobody knows now. May wait; for threads."""

Place = tuple[str, str, ServerTLS]
"""Where a certificate is shown, and on what terms: the names of a listener and of a chain of it, and its TLS."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A certificate that can be served, with the contexts that were made of it for some places."""

    kept: Kept
    contexts: dict[Place, SSL.Context]


@dataclass(slots=True, eq=False)
class _Held:
    """
    A certificate.

    @ivar begin: When it was valid first, in seconds since the epoch; C{end}, when it ends, and C{asked}, when it was
        asked for last, likewise.
    @ivar contexts: Made of it, by where and on what terms it is shown.
    @ivar refused: Whether it may not be renewed, by what was said last.
    """

    on_demand: OnDemand
    certificate: ManagedCertificate
    pair: KeyPair
    begin: float
    end: float
    asked: float
    contexts: dict[Place, SSL.Context]
    refused: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be renewed when it is due."""
        return not self.refused and self.asked >= self.begin


class HeldCertificates:
    """
    Holds so many, and has them renewed as long as they are asked for. What is held stays over a change of the files,
    with the keys of session tickets. Belongs to the reactor's thread.
    """

    def __init__(
        self, clock: IReactorTime, defer: Defer, permitted: Permitted, wall: Callable[[], float] = time.time
    ) -> None:
        """
        @param wall: Returns seconds since the epoch.
        """
        self._clock = clock
        self._wall = wall
        self._permitted = permitted
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._keeper = CertificateKeeper(clock, defer, self._renewed, wall, self._care)
        self._settling: IDelayedCall | None = None
        self._stopped = False

    @property
    def statuses(self) -> Mapping[ManagedCertificate, CertificateStatus]:
        """
        See L{CertificateKeeper.statuses}. Of those that are let end nothing is told: nobody is to be alarmed by them.
        """
        now, found = self._wall(), {}
        for certificate, status in self._keeper.statuses.items():
            held = self._held.get(certificate.credential.name)
            if held is not None and held.end > now and (status.next > now or held.is_wanted):
                found[certificate] = status
        return found

    @property
    def renewals(self) -> Mapping[tuple[str, Outcome], int]:
        """The tries to renew some; see L{CertificateKeeper.tries}."""
        return self._keeper.tries

    def __len__(self) -> int:
        return len(self._held)

    def context(self, listener: str, chain: FilterChain, host: str) -> SSL.Context | None:
        """Return the context of a handshake; L{None}: the certificate is not held, or has ended."""
        assert chain.tls is not None
        name = credential(chain.tls.on_demand, host)
        held = self._held.get(name)
        if held is None:
            return None
        now = self._wall()
        if held.end <= now:
            del self._held[name]
            return None
        held.asked = now
        self._held.move_to_end(name)
        place = listener, chain.name, chain.tls
        found = held.contexts.get(place)
        if found is None:
            found = _made(held.pair, place)
            if found is not None:
                held.contexts[place] = found
        return found

    def hold(self, on_demand: OnDemand, certificate: ManagedCertificate, ready: Ready) -> None:
        """Hold a certificate from now on."""
        pair, record, name = ready.kept.pair, ready.kept.record, certificate.credential.name
        assert pair is not None
        contexts = dict(ready.contexts)
        self._held[name] = _Held(on_demand, certificate, pair, record.begin, record.end, self._wall(), contexts)
        self._held.move_to_end(name)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        self._settle()

    def use(self, issuers: Mapping[str, OnDemand], listeners: Iterable[Listener]) -> None:
        """Hold from now on what these issue, for what these listeners show."""
        self._stopped = False
        if not self._held:
            return
        places = set(_places(listeners))
        for name, held in tuple(self._held.items()):
            now = issuers.get(held.certificate.issuer.name)
            if now is None or now.issuer != held.certificate.issuer or not now.allows(held.certificate.host):
                del self._held[name]
                continue
            held.on_demand = now
            held.contexts = {place: context for place, context in held.contexts.items() if place in places}
        self._settle()

    def stop(self) -> None:
        """Have nothing renewed any more. What is held is served."""
        self._stopped = True
        settling, self._settling = self._settling, None
        if settling is not None:
            settling.cancel()
        self._keeper.stop()

    # ------------------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Look after what is held, in a while."""
        if self._settling is None and not self._stopped:
            self._settling = self._clock.callLater(SETTLING, self._look_after)

    def _look_after(self) -> None:
        self._settling = None
        self._keeper.use(held.certificate for held in self._held.values())

    def _care(self, certificate: ManagedCertificate, wall: Callable[[], float]) -> DemandedCare:
        held = self._held[certificate.credential.name]

        # one that is held anew meanwhile, or whose issuer was changed, counts as it is then
        def asked() -> float:
            return self._held.get(certificate.credential.name, held).asked

        def permitted() -> bool | None:
            found = self._permitted(held.on_demand, certificate.host)
            self._held.get(certificate.credential.name, held).refused = found is False
            return found

        return DemandedCare(certificate, wall, Ledger(held.on_demand, wall), asked, permitted)

    def _renewed(self, pairs: Sequence[KeyPair]) -> None:
        for pair in pairs:
            held = self._held.get(pair.name)
            if held is not None and held.pair != pair:
                leaf = load_key_pair(pair)[0][0]
                held.begin, held.end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
                held.pair, held.contexts, held.refused = pair, {}, False


def ready(kept: Kept, places: Iterable[Place]) -> Ready:
    """Make the contexts of a certificate that is there. For threads: it takes milliseconds."""
    assert kept.pair is not None
    made = ((place, _made(kept.pair, place)) for place in places)
    return Ready(kept, {place: context for place, context in made if context is not None})


def _made(pair: KeyPair, place: Place) -> SSL.Context | None:
    listener, chain, tls = place
    try:
        return server_context(ResolvedTLS((pair,), tls.rules, tls.alpn), f"{listener} {chain}")
    except BadKeyMaterial as error:
        log.error("what was issued can't be served: {reason}", reason=str(error))
        return None


def credential(issuer: str, host: str) -> str:
    """Return the name of a certificate; see L{ManagedCertificate.credential}."""
    return f"{host} by {issuer}"


def _places(listeners: Iterable[Listener]) -> Iterator[Place]:
    for listener in listeners:
        for chain in listener.chains():
            if chain.tls is not None and chain.tls.on_demand:
                yield listener.name, chain.name, chain.tls
