"""
Finds the certificates of names that come with a ClientHello and that no file says, while their connections wait.

A name goes through these, in this order: what it is and what the files allow; what is remembered of it; the store; the
service that is asked; the limits that the store keeps; the authority. Each lets few pass, and costs more than the one
before.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.on_demand import OnDemand
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.acme.care import Care, Kept
from edgegate.tls.acme.challenges import Defer
from edgegate.tls.acme.demand.held import HeldCertificates, Permitted, Place, Ready, credential, ready
from edgegate.tls.acme.demand.ledger import Ledger
from edgegate.tls.acme.demand.obtaining import Refused, look_up, obtain
from edgegate.tls.acme.demand.remembered import Remembered
from edgegate.tls.acme.demand.waiting import Sought, Waiting, WaitingRoom
from edgegate.tls.acme.status import Outcome
from edgegate.tls.client_hello import INTERNAL_ERROR, UNRECOGNIZED_NAME, ClientHello
from edgegate.tls.context_seeker import NoContext, SetContext

log = Logger(namespace=__name__)

MOST_LOOKED_UP = 64
"""Names that the store is looked at for at one time; the others wait for it."""

MOST_ASKED = 8
MOST_UNASKED = 64
"""Names that the service is asked about at one time, and that wait for it."""

MOST_ISSUED = 4
MOST_UNISSUED = 64
"""Certificates that an authority is asked for at one time by one process, and that wait for it."""

MOST_REMEMBERED = 4096
"""Names of which it is remembered that they get none; and of which that they may have one."""

YES, NO = 300.0, 60.0
"""Seconds for which what the service has answered holds."""

SILENT = 5.0
"""Seconds for which a name is not asked about again after it has not answered, or the store has not."""

LONGEST_REFUSAL = 60.0
"""Seconds for which a process remembers what the store says of a name that can't have one now."""

# none says what the authority does: metrics count by these words, and the log has told its own
_UNKNOWN = NoContext("no certificate for this name", UNRECOGNIZED_NAME, unknown=True)
_NOT_ALLOWED = NoContext("no certificate for this name: the service that is asked refuses it", UNRECOGNIZED_NAME, True)
_BUSY = NoContext("too many wait for certificates", INTERNAL_ERROR)
_SPENT = NoContext("no more certificates on demand for now: a limit is met", INTERNAL_ERROR)
_UNANSWERED = NoContext("the service that is asked for certificates on demand does not answer", INTERNAL_ERROR)
_FAILED = NoContext("the certificate could not be issued", INTERNAL_ERROR)
_UNREADABLE = NoContext("the store of certificates can't be used", INTERNAL_ERROR)
_GONE = NoContext("the files have changed meanwhile", INTERNAL_ERROR)

_Outcome = Ready | Refused | OSError

Ask = Callable[[str], Deferred[int]]
"""Asks a URL, and fires with the status of the answer; it fails where there is none in time."""


class OnDemandSeeker:
    """
    Finds contexts; see L{edgegate.tls.context_seeker.ContextSeeker}. Belongs to the reactor's thread.

    @ivar held: What was found.
    @ivar tries: How often this process had a first certificate issued, by the issuer's name and the outcome.
    """

    def __init__(
        self,
        clock: IReactorTime,
        defer: Defer,
        ask: Ask,
        permitted: Permitted,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """
        @param defer: Does what takes its time.
        @param permitted: Calls L{permits} in the reactor, and waits for it.
        @param wall: Returns seconds since the epoch.
        """
        self.held = HeldCertificates(clock, defer, permitted, wall)
        self._defer = defer
        self._ask = ask
        self._wall = wall
        self._issuers: dict[str, OnDemand] = {}
        self._sought: dict[str, Sought] = {}
        self._room = WaitingRoom()
        self._unread: list[Sought] = []
        self._reading = False
        self._unasked: deque[Sought] = deque()
        self._asking = 0
        self._unissued: deque[Sought] = deque()
        self._issuing = 0
        self._refused: Remembered[NoContext] = Remembered(MOST_REMEMBERED, clock.seconds)
        self._approved: Remembered[bool] = Remembered(MOST_REMEMBERED, clock.seconds)
        self._spent: dict[str, float] = {}
        self._silent = False
        self.tries: dict[tuple[str, Outcome], int] = {}

    def use(self, issuers: Iterable[OnDemand], listeners: Iterable[Listener]) -> None:
        """Issue by these from now on. What is under way goes on, and counts if they are the same."""
        before, self._issuers = self._issuers, {each.issuer.name: each for each in issuers}
        if self._issuers != before:
            # who has mended the files is not to wait
            self._refused.clear()
            self._approved.clear()
            self._spent.clear()
        for issuer in self._issuers:
            for outcome in (Outcome.ISSUED, Outcome.FAILED):
                self.tries.setdefault((issuer, outcome), 0)
        self.held.use(self._issuers, listeners)

    def stop(self) -> None:
        """Have nothing renewed any more."""
        self.held.stop()

    def seek(
        self, listener: str, chain: FilterChain, hello: ClientHello, client: Hashable, found: SetContext
    ) -> Waiting | None:
        """See L{edgegate.tls.context_seeker.ContextSeeker}."""
        assert chain.tls is not None
        host = hello.server_name
        context = self.held.context(listener, chain, host)
        if context is not None:
            found(context)
            return None
        on_demand = self._issuers.get(chain.tls.on_demand)
        refusal = _UNKNOWN if on_demand is None else self._refusal(on_demand, host, client)
        if on_demand is None or refusal is not None:
            found(refusal or _UNKNOWN)
            return None
        name = credential(chain.tls.on_demand, host)
        sought = self._sought.get(name)
        if sought is None:
            certificate = ManagedCertificate(host, on_demand.issuer, on_demand.origin)
            sought = self._sought[name] = Sought(on_demand, certificate)
            self._unread.append(sought)
        waiting = self._room.enter(sought, listener, chain, client, found)
        self._read()
        return waiting

    def permits(self, on_demand: OnDemand, host: str) -> Deferred[bool | None]:
        """Ask whether a host may have its certificate renewed; L{None}: nobody knows now."""
        done: Deferred[bool | None] = Deferred()
        if not on_demand.ask or not on_demand.allows(host):
            done.callback(on_demand.allows(host))
            return done

        def answered(status: int | Failure) -> None:
            done.callback(None if isinstance(status, Failure) else status == 200)

        self._ask(on_demand.question(host)).addBoth(answered)
        return done

    # What costs nothing -----------------------------------------------------------------------------------------------

    def _refusal(self, on_demand: OnDemand, host: str, client: Hashable) -> NoContext | None:
        """Return why a connection is not to wait; L{None}: it is."""
        if not on_demand.allows(host):
            return _UNKNOWN
        name = credential(on_demand.issuer.name, host)
        refused = self._refused.get(name)
        if refused is not None:
            return refused
        sought = self._sought.get(name)
        if not self._room.has_room(client, sought is not None and sought.missing):
            return _BUSY
        return None

    # The store --------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        if self._reading or not self._unread:
            return
        self._reading = True
        names, self._unread = self._unread[:MOST_LOOKED_UP], self._unread[MOST_LOOKED_UP:]
        places = [each.places() for each in names]
        self._defer(partial(_look_up, names, places, self._wall)).addCallbacks(
            self._has_read, self._has_not_read, callbackArgs=(names,), errbackArgs=(names,)
        )

    def _has_read(self, found: list[_Outcome | None], names: list[Sought]) -> None:
        self._reading = False
        for sought, outcome in zip(names, found, strict=True):
            if outcome is None:
                self._to_be_issued(sought)
            else:
                self._settle(sought, outcome)
        self._read()

    def _has_not_read(self, failure: Failure, names: list[Sought]) -> None:
        self._reading = False
        log.failure("certificates on demand can't be looked up", failure)
        for sought in names:
            self._refuse(sought, _UNREADABLE, SILENT)
        self._read()

    # The service ------------------------------------------------------------------------------------------------------

    def _to_be_issued(self, sought: Sought) -> None:
        for each in self._room.stay(sought):
            each.tell(_BUSY)
        spent = self._spent.get(sought.on_demand.issuer.name, 0.0)
        if self._wall() < spent:
            self._refuse(sought, _SPENT)
        elif not sought.waiting:
            self._refuse(sought, _BUSY)
        elif not sought.on_demand.ask or self._approved.get(sought.name):
            self._approve(sought)
        elif len(self._unasked) >= MOST_UNASKED:
            self._refuse(sought, _BUSY)
        else:
            self._unasked.append(sought)
            self._ask_next()

    def _ask_next(self) -> None:
        while self._unasked and self._asking < MOST_ASKED:
            sought = self._unasked.popleft()
            if not sought.waiting:
                # nobody wants to know any more
                self._refuse(sought, _BUSY)
                continue
            self._asking += 1
            question = sought.on_demand.question(sought.certificate.host)
            self._ask(question).addCallbacks(
                self._answered, self._unanswered, callbackArgs=(sought,), errbackArgs=(sought,)
            )

    def _answered(self, status: int, sought: Sought) -> None:
        self._asking -= 1
        self._silent = False
        if status == 200:
            self._approved.put(sought.name, True, YES)
            self._approve(sought)
        else:
            self._refuse(sought, _NOT_ALLOWED, NO)
        self._ask_next()

    def _unanswered(self, failure: Failure, sought: Sought) -> None:
        self._asking -= 1
        if not self._silent:
            self._silent = True
            log.error(
                "{url}, which is asked for certificates on demand, does not answer: {reason} ({origin})",
                url=sought.on_demand.ask,
                reason=failure.getErrorMessage(),
                origin=str(sought.certificate.origin),
            )
        self._refuse(sought, _UNANSWERED, SILENT)
        self._ask_next()

    # The authority ----------------------------------------------------------------------------------------------------

    def _approve(self, sought: Sought) -> None:
        if len(self._unissued) >= MOST_UNISSUED:
            self._refuse(sought, _BUSY)
            return
        self._unissued.append(sought)
        self._issue_next()

    def _issue_next(self) -> None:
        while self._unissued and self._issuing < MOST_ISSUED:
            sought = self._unissued.popleft()
            if not sought.waiting:
                self._refuse(sought, _BUSY)
                continue
            self._issuing += 1
            care, ledger = Care(sought.certificate, self._wall), Ledger(sought.on_demand, self._wall)
            self._defer(partial(_obtain, care, ledger, sought.places(), self._wall)).addCallbacks(
                self._obtained, self._not_obtained, callbackArgs=(sought,), errbackArgs=(sought,)
            )

    def _obtained(self, found: Ready | Refused, sought: Sought) -> None:
        self._issuing -= 1
        self._count(sought, found)
        if isinstance(found, Refused) and found.spent and self._is_current(sought):
            self._spend(sought, found)
        else:
            self._settle(sought, found)
        self._issue_next()

    def _count(self, sought: Sought, found: Ready | Refused) -> None:
        outcome = found.kept.outcome if isinstance(found, Ready) else found.outcome
        if outcome is not None:
            name = sought.on_demand.issuer.name
            self.tries[name, outcome] = self.tries.get((name, outcome), 0) + 1

    def _not_obtained(self, failure: Failure, sought: Sought) -> None:
        self._issuing -= 1
        host = sought.certificate.host
        if failure.check(OSError):
            log.error("the certificate for {host} can't be had: {reason}", host=host, reason=str(failure.value))
        else:
            log.failure("the certificate for {host} can't be had", failure, host=host)
        self._refuse(sought, _UNREADABLE, SILENT)
        self._issue_next()

    def _spend(self, sought: Sought, refused: Refused) -> None:
        """A limit of an issuer is met: none of its names gets further, until it may."""
        issuer = sought.on_demand.issuer.name
        if self._spent.get(issuer, 0.0) < self._wall():
            log.emit(
                LogLevel.warn,
                "no more certificates on demand by {issuer} for now: {reason} ({origin})",
                issuer=issuer,
                reason=refused.reason,
                origin=str(sought.certificate.origin),
            )
        self._spent[issuer] = refused.until
        self._refuse(sought, _SPENT)

    # The end ----------------------------------------------------------------------------------------------------------

    def _settle(self, sought: Sought, found: _Outcome) -> None:
        """Tell all that wait for a name what was found."""
        if isinstance(found, Refused):
            seconds = min(max(found.until - self._wall(), 0.0), LONGEST_REFUSAL)
            self._refuse(sought, _FAILED, seconds)
        elif isinstance(found, OSError):
            words = "the certificate for {host} can't be read: {reason}"
            log.error(words, host=sought.certificate.host, reason=str(found))
            self._refuse(sought, _UNREADABLE, SILENT)
        elif not self._is_current(sought):
            self._refuse(sought, _GONE)
        else:
            self.held.hold(sought.on_demand, sought.certificate, found)
            for each in self._end(sought):
                host = sought.certificate.host
                each.tell(self.held.context(each.listener, each.chain, host) or _UNREADABLE)

    def _refuse(self, sought: Sought, why: NoContext, seconds: float = 0.0) -> None:
        if seconds and self._is_current(sought):
            self._refused.put(sought.name, why, seconds)
        for each in self._end(sought):
            each.tell(why)

    def _end(self, sought: Sought) -> list[Waiting]:
        del self._sought[sought.name]
        return sought.dismiss()

    def _is_current(self, sought: Sought) -> bool:
        return self._issuers.get(sought.on_demand.issuer.name) == sought.on_demand


def _look_up(names: list[Sought], places: list[frozenset[Place]], wall: Callable[[], float]) -> list[_Outcome | None]:
    found: list[_Outcome | None] = []
    for each, shown in zip(names, places, strict=True):
        try:
            there = look_up(Care(each.certificate, wall), wall)
        except OSError as error:
            found.append(error)
        else:
            found.append(ready(there, shown) if isinstance(there, Kept) else there)
    return found


def _obtain(care: Care, ledger: Ledger, places: frozenset[Place], wall: Callable[[], float]) -> Ready | Refused:
    found = obtain(care, ledger, wall)
    return ready(found, places) if isinstance(found, Kept) else found
