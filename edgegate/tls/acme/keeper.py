"""
Looks after the certificates that the gateway has issued itself, as long as it serves.

Every process that serves does: it sees what another one was given by the authority, and serves it too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.model.certificates import CertificateStorage, ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.care import LOOK, RETRY_STORE, Care, Kept
from edgegate.tls.acme.challenges import Defer
from edgegate.tls.acme.life import Step
from edgegate.tls.acme.status import CertificateStatus, Outcome
from edgegate.tls.acme.storage import opened
from edgegate.tls.secrets import BadKeyMaterial

log = Logger(namespace=__name__)

TURN = 1.0
"""Seconds between two looks at whether the store has something new, or something is due."""

MOST_AT_ONCE = 4
"""Certificates for which one process asks authorities at one time."""

Put = Callable[[Sequence[KeyPair]], None]
"""Serves certificates from now on."""

_UNREAD = ""
"""The stamp of what could not be read: it is tried again in the next turn."""

Troubles = dict[str, list[str]]
"""Why something could not be looked at, and for which hosts."""


@dataclass(slots=True, eq=False)
class _Cared:
    """
    A certificate.

    @ivar stamp: Of what was read last; L{None}: there was none.
    @ivar due: When it is looked at again at the latest, by the clock on the wall.
    @ivar wanted: Whether something is to be done for it.
    @ivar busy: Whether something is.
    @ivar status: How it was when it was looked at last; L{None}: it was not yet.
    @ivar ended: The end that was told of, of what is served nevertheless.
    """

    care: Care
    stamp: str | None = None
    due: float = 0.0
    wanted: bool = False
    busy: bool = False
    status: CertificateStatus | None = None
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class _Seen:
    cared: _Cared
    stamp: str | None
    kept: Kept | None
    wanted: bool
    due: float
    status: CertificateStatus | None


class CertificateKeeper:
    """
    Belongs to the reactor's thread; what waits for files or the network is done in others.

    @ivar statuses: How the certificates were when they were looked at last, those that were; another mapping once one
        is otherwise.
    @ivar tries: How many were made by this process, by the issuer's name and their outcome.
    """

    def __init__(
        self,
        clock: IReactorTime,
        defer: Defer,
        put: Put,
        wall: Callable[[], float] = time.time,
        care: Callable[[ManagedCertificate, Callable[[], float]], Care] = Care,
    ) -> None:
        """
        @param defer: Does what takes its time.
        @param put: Serves what was issued; may raise L{BadKeyMaterial}.
        @param wall: Returns seconds since the epoch.
        @param care: Makes what looks after one of them, by such a clock.
        """
        self._care = care
        self._defer = defer
        self._put = put
        self._wall = wall
        self._cared: dict[ManagedCertificate, _Cared] = {}
        self.statuses: Mapping[ManagedCertificate, CertificateStatus] = {}
        self.tries: dict[tuple[str, Outcome], int] = {}
        self._looking = False
        self._troubles: Troubles = {}
        self._failures: set[str] = set()
        self._turns = LoopingCall(self._turn)
        self._turns.clock = clock

    def use(self, certificates: Iterable[ManagedCertificate]) -> None:
        """Look after these from now on, and after no others. What is under way for others goes on to its end."""
        before = self._cared
        self._cared = {each: before.get(each) or _Cared(self._care(each, self._wall)) for each in certificates}
        for issuer in {each.issuer.name for each in self._cared}:
            for outcome in Outcome:
                self.tries.setdefault((issuer, outcome), 0)
        self._tell_statuses()
        if not self._cared:
            self.stop()
        elif not self._turns.running:
            self._turns.start(TURN)
        else:
            self._turn()

    def stop(self) -> None:
        """Look after none any more."""
        self._cared = {}
        if self._turns.running:
            self._turns.stop()

    # ------------------------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        if self._looking or not self._cared:
            return
        self._looking = True
        cared = [each for each in self._cared.values() if not each.busy]
        self._defer(partial(_look, cared, self._wall())).addCallbacks(self._seen, self._blind)

    def _seen(self, looked: tuple[list[_Seen], Troubles]) -> None:
        self._looking = False
        seen, troubles = looked
        self._tell(troubles)
        # of what has changed meanwhile, something older was seen
        seen = [each for each in seen if not each.cared.busy]
        for each in seen:
            each.cared.stamp, each.cared.due, each.cared.wanted = each.stamp, each.due, each.wanted
            each.cared.status = each.status
            self._tell_end(each)
        if seen:
            self._tell_statuses()
        self._serve([each.kept for each in seen if each.kept is not None])
        self._begin()

    def _tell_statuses(self) -> None:
        statuses = {of: each.status for of, each in self._cared.items() if each.status is not None}
        if statuses != self.statuses:
            self.statuses = statuses

    def _tell_end(self, seen: _Seen) -> None:
        """Say once that a certificate has ended which is served for want of another."""
        kept, cared = seen.kept, seen.cared
        if kept is None or kept.pair is None or not cared.ended < kept.record.end <= self._wall():
            return
        cared.ended = kept.record.end
        certificate, end = cared.care.certificate, datetime.fromtimestamp(kept.record.end, timezone.utc)
        log.error(
            "the certificate for {host} by {issuer} has ended on {end}: it is served until there is another ({origin})",
            host=certificate.host,
            issuer=certificate.issuer.name,
            end=f"{end:%Y-%m-%d %H:%M} UTC",
            origin=str(certificate.origin),
        )

    def _blind(self, failure: Failure) -> None:
        self._looking = False
        words = str(failure.value)
        if words not in self._troubles:
            self._troubles = {words: []}
            log.failure("certificates can't be looked after", failure)

    def _tell(self, troubles: Troubles) -> None:
        """Log what is in the way of looking, once, and that it no longer is: a storage may be away for long."""
        for words, hosts in troubles.items():
            if words not in self._troubles:
                more = f" and {len(hosts) - 1} more" if len(hosts) > 1 else ""
                log.error(
                    "the certificate for {host}{more} can't be read: {reason}", host=hosts[0], more=more, reason=words
                )
        if self._troubles and not troubles:
            log.info("certificates can be looked after again")
        self._troubles = troubles

    def _serve(self, found: Iterable[Kept]) -> None:
        pairs = [each.pair for each in found if each.pair is not None]
        if not pairs or not self._cared:
            return
        try:
            self._put(pairs)
        except BadKeyMaterial:
            # one that OpenSSL refuses keeps no other from being served
            for pair in pairs:
                self._serve_alone(pair)

    def _serve_alone(self, pair: KeyPair) -> None:
        try:
            self._put([pair])
        except BadKeyMaterial as error:
            log.error("what was issued can't be served: {reason}", reason=str(error))

    def _begin(self) -> None:
        """Have done what is to be done, of so much at one time; what has no certificate yet comes before renewals."""
        running = sum(each.busy for each in self._cared.values())
        waiting = [each for each in self._cared.values() if each.wanted and not each.busy]
        for each in sorted(waiting, key=lambda each: each.stamp is not None):
            if running >= MOST_AT_ONCE:
                break
            if not each.busy:
                running += 1
                each.busy = True
                self._defer(each.care.do).addCallbacks(partial(self._done, each), partial(self._failed, each))

    def _done(self, cared: _Cared, kept: Kept | None) -> None:
        cared.busy = cared.wanted = False
        # what was done is looked at in the next turn; where another process does it, a little later
        cared.due = 0.0 if kept is not None else self._wall() + LOOK
        if kept is not None:
            self._failures.clear()
            if kept.outcome is not None:
                self.tries[cared.care.certificate.issuer.name, kept.outcome] += 1
            cared.status = cared.care.status(kept)
            self._tell_statuses()
            self._serve([kept])
        self._begin()

    def _failed(self, cared: _Cared, failure: Failure) -> None:
        cared.busy = cared.wanted = False
        cared.due = self._wall() + RETRY_STORE
        host, issuer, words = cared.care.certificate.host, cared.care.certificate.issuer, str(failure.value)
        if not failure.check(OSError):
            log.failure("the certificate for {host} can't be looked after", failure, host=host)
        elif words not in self._failures:
            # what is so for one is so for many, and again and again
            self._failures.add(words)
            log.error(
                "the certificate for {host} can't be looked after: {reason}",
                host=host,
                # not each error says where it was
                reason=words if str(issuer.storage) in words else f"{words}: {issuer.storage}",
            )
        self._begin()


def _look(cared: Sequence[_Cared], now: float) -> tuple[list[_Seen], Troubles]:
    """Look at the stores, for all that is new there or due. In a thread: it changes nothing."""
    seen: list[_Seen] = []
    troubles: Troubles = {}

    def failed(each: _Cared, error: OSError) -> None:
        troubles.setdefault(str(error), []).append(each.care.certificate.host)
        seen.append(_Seen(each, _UNREAD, None, False, now, each.status))

    for each, stamp in _stamps(cared, failed):
        if stamp == each.stamp and now < each.due:
            continue
        try:
            kept, action = each.care.look()
        except OSError as error:
            failed(each, error)
        else:
            wanted = action.step is not Step.WAIT
            # its end is told of
            due = min(action.at, kept.record.end) if kept.record.end > now else max(action.at, now)
            seen.append(_Seen(each, stamp, kept, wanted, due, each.care.status(kept)))
    return seen, troubles


def _stamps(cared: Iterable[_Cared], failed: Callable[[_Cared, OSError], None]) -> Iterator[tuple[_Cared, str | None]]:
    """Yield the stamp of each, where it can be had: a storage is asked once for all that is in it."""
    together: dict[CertificateStorage, list[_Cared]] = {}
    for each in cared:
        together.setdefault(each.care.certificate.issuer.storage, []).append(each)
    for storage, group in together.items():
        try:
            stamps = opened(storage).stamps([each.care.entry for each in group])
        except OSError as error:
            for each in group:
                failed(each, error)
        else:
            yield from zip(group, stamps, strict=True)
