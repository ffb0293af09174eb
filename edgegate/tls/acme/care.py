"""
One look after one certificate: what the store has of it, and what is done for it now. For threads.

Whoever shares the store may look after the same; the lock of a certificate sees to it that one does what costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random

from twisted.logger import Logger, LogLevel

from edgegate.model.certificates import LocalAuthority, ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.issuing import Issuing, NotIssued
from edgegate.tls.acme.life import BEGUN, Action, Life, Record, Step
from edgegate.tls.acme.local import LocalIssuing
from edgegate.tls.acme.status import CertificateStatus, Outcome, status
from edgegate.tls.acme.store import CertificateStore
from edgegate.tls.contexts import check_presentable
from edgegate.tls.secrets import BadKeyMaterial, load_key_pair

log = Logger(namespace=__name__)

RETRY_STORE = 10.0
"""Seconds until the next look at a store that can't be read or written."""

LOOK = 2.0
"""Seconds until the next look at what another process does."""


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What the store has of a certificate.

    @ivar pair: L{None}: nothing that can be served.
    @ivar outcome: What came of the try that was made just now; L{None}: none was.
    """

    pair: KeyPair | None
    record: Record
    outcome: Outcome | None = None


def kept(store: CertificateStore, certificate: ManagedCertificate) -> Kept:
    """
    Return what a store has of a certificate. Where the certificate and what is known of it do not belong together, the
    certificate counts; one that can't be presented is none, as it would keep all else that the files say out.

    @raise OSError: It can't be read.
    """
    pair, record = store.pair(certificate), store.record(certificate)
    if pair is not None:
        try:
            check_presentable(pair)
            leaf = load_key_pair(pair)[0][0]
        except BadKeyMaterial:
            pair = None
        else:
            begin, end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
            if (begin, end) != (record.begin, record.end):
                record = replace(record, begin=begin, end=end, window=None, renew_at=0.0, ask_at=begin, revoked=False)
    if pair is None:
        record = replace(record, begin=0.0, end=0.0, window=None, renew_at=0.0, ask_at=0.0, revoked=False)
    return Kept(pair, record)


def statuses(
    certificates: Iterable[ManagedCertificate], clock: Callable[[], float] = time.time
) -> dict[ManagedCertificate, CertificateStatus]:
    """Return how certificates are, by their stores; of what can't be read nothing."""
    found = {}
    for each in certificates:
        care = Care(each, clock)
        with suppress(OSError):
            found[each] = care.status(care.look()[0])
    return found


class Care:
    """
    Looks after one certificate, in the threads of one process.

    @ivar entry: The name of what its storage has of it.
    """

    def __init__(
        self, certificate: ManagedCertificate, clock: Callable[[], float] = time.time, random: Random | None = None
    ) -> None:
        self.certificate = certificate
        self._clock = clock
        self._store = CertificateStore(certificate.issuer)
        self.entry = self._store.name(certificate)
        digest = sha256(certificate.host.encode("ascii")).digest()
        self._life = Life(clock, random or Random(), int.from_bytes(digest[:4], "big") / 2**32)

    def look(self) -> tuple[Kept, Action]:
        """
        Return what the store has, and what is to be done.

        @raise OSError: It can't be read.
        """
        found = kept(self._store, self.certificate)
        return found, self._life.next(found.record)

    def renewal(self, record: Record) -> float:
        """See L{Life.renewal}."""
        return self._life.renewal(record)

    def put_off(self, record: Record) -> float:
        """See L{Life.put_off}."""
        return self._life.put_off(record)

    def status(self, found: Kept) -> CertificateStatus:
        """Return how the certificate is, by what the store has."""
        record, life = found.record, self._life
        return status(found.pair is not None, record, life.next(record), life.renewal(record))

    def is_busy(self) -> bool:
        """
        Whether another one is at it.

        @raise OSError: The store can't be read or written.
        """
        with self._store.lock(self.certificate) as ours:
            return not ours

    def do(self) -> Kept | None:
        """
        Do what is to be done, unless another process does. What fails is kept, and logged.

        @return: What there is then; L{None}: another process is at it.
        @raise OSError: The store can't be read or written.
        """
        with self._store.lock(self.certificate) as ours:
            if not ours:
                return None
            # another may have done it, until it let go of the lock
            found, action = self.look()
            if action.step is Step.ISSUE:
                return self._issue(found)
            if action.step is Step.ASK:
                assert found.pair is not None
                return self._ask(found, found.pair)
            return found

    def issue(self, wanted: Callable[[Kept], bool]) -> Kept | None:
        """
        Issue it now, whatever was to come next. What fails is kept, and logged.

        @param wanted: Whether to, by what there is once nobody else is at it.
        @return: What there is then; L{None}: another process is at it.
        @raise OSError: The store can't be read or written.
        """
        with self._store.lock(self.certificate) as ours:
            if not ours:
                return None
            found = kept(self._store, self.certificate)
            return self._issue(found) if wanted(found) else found

    def revoke(self, reason: int, replaced: bool) -> Kept | None:
        """
        Have the authority revoke it; it is served until there is another.

        @param reason: See L{Issuing.revoke}.
        @param replaced: Have whoever serves it ask for another with the next look at it.
        @return: What there is then, where there is none nothing is done; L{None}: another process is at it.
        @raise NotIssued: It was not revoked.
        @raise OSError: The store can't be read or written.
        """
        with self._store.lock(self.certificate) as ours:
            if not ours:
                return None
            found = kept(self._store, self.certificate)
            pair = found.pair
            if pair is None:
                return found
            self._authority().revoke(pair, reason)
            if not replaced:
                return found
            record = self._life.revoked(found.record)
            self._store.put_record(self.certificate, record)
            # by this whoever serves it looks at what is known of it
            self._store.put_pair(self.certificate, pair.key, pair.chain)
            return Kept(pair, record)

    def _issue(self, found: Kept) -> Kept:
        certificate, life = self.certificate, self._life
        # written first: who dies meanwhile, or can't keep what it gets, does not ask again and again
        begun = life.failed(found.record, BEGUN)
        self._store.put_record(certificate, begun)
        try:
            pair = self._authority().issue(certificate)
        except NotIssued as error:
            record = life.failed(found.record, str(error), error.retry_after)
            self._store.put_record(certificate, record)
            log.error(
                "no certificate for {host} by {issuer}: {reason}; the next try comes in {seconds} s ({origin})",
                host=certificate.host,
                issuer=certificate.issuer.name,
                reason=str(error),
                seconds=round(record.not_before - self._clock()),
                origin=str(certificate.origin),
            )
            return Kept(found.pair, record, Outcome.FAILED)
        leaf = load_key_pair(pair)[0][0]
        begin, end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
        record = life.issued(begin, end, found.record.failures)
        outcome = Outcome.ISSUED if found.pair is None else Outcome.RENEWED
        self._store.put_pair(certificate, pair.key, pair.chain)
        self._store.put_record(certificate, record)
        log.info(
            "the certificate for {host} by {issuer} is {what}, until {end}",
            host=certificate.host,
            issuer=certificate.issuer.name,
            what=outcome.value,
            end=f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
        )
        if record.error:
            log.error(
                "the certificate for {host} by {issuer} is no better than the last: {reason}; the next try comes in "
                "{seconds} s ({origin})",
                host=certificate.host,
                issuer=certificate.issuer.name,
                reason=record.error,
                seconds=round(record.not_before - self._clock()),
                origin=str(certificate.origin),
            )
        return replace(kept(self._store, certificate), outcome=outcome)

    def _ask(self, found: Kept, pair: KeyPair) -> Kept:
        life, record = self._life, found.record
        self._store.put_record(self.certificate, life.informed(record, None))
        try:
            window = self._authority().window(pair)
        except NotIssued as error:
            record = life.informed(record, None, error.retry_after)
        else:
            if window is not None:
                record = life.informed(record, (window.begin, window.end), window.retry_after)
            else:
                record = life.informed(record, None)
                if self._is_revoked(pair):
                    record = life.revoked(record)
        self._store.put_record(self.certificate, record)
        return Kept(pair, record)

    def _is_revoked(self, pair: KeyPair) -> bool:
        """Ask what tells of revocations where the authority names no windows."""
        host, issuer = self.certificate.host, self.certificate.issuer.name
        try:
            found = self._authority().is_revoked(pair)
        except NotIssued as error:
            words = "whether {issuer} has revoked the certificate for {host} is not known: {reason}"
            log.emit(LogLevel.warn, words, host=host, issuer=issuer, reason=str(error))
            return False
        if found:
            words = "{issuer} has revoked the certificate for {host}: another is due"
            log.emit(LogLevel.warn, words, host=host, issuer=issuer)
        return found

    def _authority(self) -> Issuing:
        issuer = self.certificate.issuer
        if isinstance(issuer.authority, LocalAuthority):
            return LocalIssuing(self._store, issuer.authority, self._clock)
        # not before it is needed: it takes its time, and memory
        from edgegate.tls.acme.client import Authority  # noqa: PLC0415

        return Authority(self._store, issuer)
