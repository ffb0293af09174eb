"""
The first certificates: those that are issued, and that a gateway waits for before it says that it is ready.

It serves meanwhile: authorities ask for challenges, and hosts that have a certificate need not wait for others. What is
missing after a reload makes a gateway that was ready unready no more: others send it traffic already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger, LogLevel

from edgegate.routing.snapshot import Snapshot
from edgegate.tls.secret_store import Secrets

log = Logger(namespace=__name__)

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Awaited:
    """
    A certificate that is to be issued. It is the same one wherever files name it, and for however long.

    @ivar issuer: What its issuer is called.
    @ivar timeout: Seconds for which it is waited for at the most.
    @ivar place: Of its host in the files.
    """

    host: str
    issuer: str
    timeout: float = field(compare=False)
    place: str = field(compare=False)


def awaited(snapshot: Snapshot, secrets: Secrets) -> tuple[Awaited, ...]:
    """
    Return the certificates that are to be issued, and whose issuers say that they are waited for.

    @param secrets: What the Snapshot names.
    """
    return tuple(
        Awaited(each.host, each.issuer.name, each.issuer.readiness_timeout, str(each.origin))
        for each in snapshot.certificates
        if each.issuer.waits and secrets.pair(each.credential).withheld
    )


class FirstCertificates:
    """Waits for them, once."""

    def __init__(self, clock: IReactorTime, find: Callable[[], Iterable[Awaited]]) -> None:
        """
        @param find: Returns what is missing now.
        """
        self._clock = clock
        self._find = find
        self._missing: dict[Awaited, float] = {}
        self._call: IDelayedCall | None = None
        self._waiters: list[Deferred[None]] = []

    @property
    def waiting(self) -> bool:
        """Whether some are missing."""
        return bool(self._missing)

    @property
    def left(self) -> float:
        """The seconds for which they are waited for at the most."""
        return max([end - self._clock.seconds() for end in self._missing.values()], default=0.0)

    def when_over(self) -> Deferred[None]:
        """Return what fires when none is waited for any more."""
        if not self._missing:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._waiters.append(waiter)
        return waiter

    def begin(self) -> None:
        """The gateway has begun to serve."""
        now = self._clock.seconds()
        self._missing = {each: now + each.timeout for each in self._find() if each.timeout > 0}
        if self._missing:
            words = "not ready for {seconds:g} s at most, until there are the first certificates: {hosts}"
            log.info(words, seconds=max(each.timeout for each in self._missing), hosts=_named(self._missing))
            self._wait()

    def look(self) -> None:
        """Some may be there now, or not be asked for any more."""
        if self._missing:
            missing = set(self._find())
            self._missing = {each: end for each, end in self._missing.items() if each in missing}
            self._wait()

    def stop(self) -> None:
        """The gateway ends: wait no more, and tell nobody."""
        self._missing, self._waiters = {}, []
        self._cancel()

    def _wait(self) -> None:
        self._cancel()
        if self._missing:
            first = min(self._missing.values())
            self._call = self._clock.callLater(max(first - self._clock.seconds(), 0.0), self._late)
            return
        log.info("ready")
        waiters, self._waiters = self._waiters, []
        for each in waiters:
            each.callback(None)

    def _late(self) -> None:
        """One at least was waited for long enough."""
        self._call = None
        now = self._clock.seconds()
        for each in [each for each, end in self._missing.items() if end <= now]:
            del self._missing[each]
            log.emit(
                LogLevel.warn,
                "{host} is without a certificate after {seconds:g} s: it is no longer waited for ({place})",
                host=each.host,
                seconds=each.timeout,
                place=each.place,
            )
        self._wait()

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()


def _named(missing: Iterable[Awaited]) -> str:
    names = sorted({each.host for each in missing})
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
