"""
Entries in a Redis, which gateways share that share nothing else.

    PREFIX:NAME         an entry, sealed; a lock, with the token of who holds it
    PREFIX:version      another one after each write
    PREFIX:key-check    sealed, too: whether the key is the right one

What lies there is encrypted and bound to its name (L{edgegate.tls.acme.sealing}), answers to challenges too: who could
write them would have certificates for the hosts. A wrong key opens nothing, and then nothing is written either. Locks
end by themselves, by the clock of Redis alone, unless whoever holds one goes on saying so; a write that is bound to one
looks at it and writes in one step.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, Final, Protocol

from twisted.logger import Logger, LogLevel

from edgegate.model.certificates import CertificateRedis
from edgegate.tls.acme.locks import Lock, LockLost
from edgegate.tls.acme.redis_client import RedisClient, RedisFailed
from edgegate.tls.acme.sealing import HEADER, SEALING, STAMP, Seal, Unopened

log = Logger(namespace=__name__)

LEASE = 30.0
"""Seconds after which a lock ends that nobody renews."""

LONGEST_WAIT = 60.0
"""Seconds that a lock is waited for at most."""

SHOWN = 900.0
"""Seconds after which an entry ends that was to be there for a while, and was left behind."""

BIGGEST = 1 << 18
"""Bytes of an entry."""

_VERSION, _CHECK = "version", "key-check"
_POLL = 0.2
_SCANNED = 500
_LONGEST_VERSION = 64

WRITE: Final = """\
if ARGV[3] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
return 1
"""
"""Writes an entry and a version, unless a lock is wanted and not held by this token."""

RESEAL: Final = """\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
redis.call('SET', KEYS[2], ARGV[3])
return 1
"""
"""Writes an entry and a version, unless the entry has changed meanwhile."""

RENEW: Final = """\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

RELEASE: Final = """\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class Asked(Protocol):
    """
    What L{RedisClient} does.

    @ivar failures: How often it was away: from then on it may be another one.
    """

    failures: int

    def ask(self, *words: bytes | str | int) -> Any:
        """Return the answer to one command."""

    def ask_all(self, commands: Sequence[Sequence[bytes | str | int]]) -> list[Any]:
        """Return the answers to several commands."""


class RedisStorage:
    """See L{edgegate.tls.acme.storage.Storage}."""

    def __init__(self, place: CertificateRedis, redis: Asked | None = None, lease: float = LEASE) -> None:
        """
        @param redis: What is asked in place of the Redis that is named.
        @param lease: Seconds that a lock lasts unless it is renewed.
        """
        self._redis: Asked = RedisClient(place.server) if redis is None else redis
        self._where = str(place)
        self._prefix = place.prefix
        self._seal = Seal(place.keys)
        self._lease = lease
        self._right_since: int | None = None
        self._seen: tuple[bytes | None, dict[str, str | None]] = None, {}

    def read(self, name: str) -> bytes | None:
        """See L{Storage}."""
        self._look_at_key(write=False)
        content, _ = self._opened(self._key(name))
        return content

    def write(self, name: str, content: bytes, lock: Lock | None = None) -> None:
        """See L{Storage}. Who holds a lock has done what costs: it is tried as long as the lock may last."""
        if len(content) > BIGGEST:
            raise OSError(f"{name} has more than {BIGGEST >> 10} KiB")
        until = time.monotonic() + (0.0 if lock is None else self._lease)
        while not self._written(self._key(name), content, lock, last=time.monotonic() >= until):
            time.sleep(_POLL)

    def stamps(self, names: Sequence[str]) -> list[str | None]:
        """See L{Storage}. As long as nobody writes it is one short question, however many there are."""
        self._look_at_key(write=False)
        version = self._redis.ask("GETRANGE", self._key(_VERSION), 0, _LONGEST_VERSION)
        before, known = self._seen
        if version != before:
            known = {}
        new = [name for name in names if name not in known]
        # the version was asked for first: what is written meanwhile is seen the next time
        begins = self._redis.ask_all([("GETRANGE", self._key(name), 0, STAMP - 1) for name in new])
        known = {**known, **{name: begin.hex() or None for name, begin in zip(new, begins, strict=True)}}
        self._seen = version, known
        return [known[name] for name in names]

    @contextmanager
    def lock(self, name: str, wait: bool) -> Iterator[Lock | None]:
        """See L{Storage}."""
        self._look_at_key(write=False)
        lock = Lock(name, _token())
        until = time.monotonic() + LONGEST_WAIT
        while not self._redis.ask("SET", self._key(name), lock.token, "NX", "PX", round(self._lease * 1000)):
            if not wait:
                yield None
                return
            if time.monotonic() > until:
                raise RedisFailed(f"{self._where}: somebody holds the lock {name} for more than {LONGEST_WAIT:.0f} s")
            time.sleep(_POLL)
        renewal = _Repeated(self._lease / 3, lambda: self._renewed(lock))
        try:
            yield lock
        finally:
            renewal.stop()
            with suppress(OSError):  # it ends by itself
                self._redis.ask("EVAL", RELEASE, 1, self._key(name), lock.token)

    @contextmanager
    def shown(self, name: str, content: bytes) -> Iterator[None]:
        """See L{Storage}."""
        self._look_at_key(write=True)
        key = self._key(name)
        self._redis.ask("SET", key, self._seal.seal(key, content), "PX", round(SHOWN * 1000))
        try:
            yield
        finally:
            with suppress(OSError):  # it ends by itself
                self._redis.ask("DEL", key)

    # ------------------------------------------------------------------------------------------------------------------

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _written(self, key: str, content: bytes, lock: Lock | None, last: bool) -> bool:
        """
        Write an entry.

        @param last: Whether to raise that Redis is away, and not to return that it is not written.
        """
        holder, token = (key, "") if lock is None else (self._key(lock.name), lock.token)
        try:
            self._look_at_key(write=True)
            sealed = self._seal.seal(key, content)
            if self._redis.ask("EVAL", WRITE, 3, key, self._key(_VERSION), holder, sealed, _token(), token):
                return True
        except RedisFailed:
            if last:
                raise
            return False
        raise LockLost(f"{self._where}: {holder} is lost, and nothing was written: somebody else may be at it")

    def _opened(self, key: str) -> tuple[bytes | None, bool]:
        """Return what an entry holds, and whether the first of the keys has sealed it."""
        # GET would return whatever size somebody has put there
        sealed = self._redis.ask("GETRANGE", key, 0, BIGGEST + SEALING - 1)
        return self._seal.open(key, sealed) if sealed else (None, True)

    def _look_at_key(self, write: bool) -> None:
        """
        See that the key is the one of the others, once, and again after Redis was away. Where it was changed, all is
        sealed by the new one.

        @param write: Whether to say which one it is, where nobody has.
        @raise Unopened: It is another one.
        """
        failures = self._redis.failures
        if self._right_since == failures:
            return
        key = self._key(_CHECK)
        try:
            found, newest = self._opened(key)
            if found is None and write:
                self._redis.ask("SET", key, self._seal.seal(key, b"edgegate"), "NX")
                found, newest = self._opened(key)
        except Unopened as error:
            raise Unopened(
                f"{self._where}: the encryptionKey is not the one that its entries with {self._prefix}: were encrypted "
                "with; nothing is read or written"
            ) from error
        self._right_since = None if found is None else failures
        if not newest:
            self._seal_anew()

    def _seal_anew(self) -> None:
        """
        Have the first of the keys seal all that an older one has sealed; last of all the entry by which one sees that
        this is to be done. Not by who reads an entry: others may have another key first for a while.
        """
        cursor, first = 0, True
        try:
            while first or cursor:
                first = False
                cursor, keys = self._redis.ask("SCAN", cursor, "MATCH", f"{self._prefix}:*", "COUNT", _SCANNED)
                for key in (each.decode("utf-8", "replace") for each in keys):
                    if key != self._key(_CHECK):
                        self._seal_again(key)
            self._seal_again(self._key(_CHECK))
        except RedisFailed as error:
            words = "entries can't be encrypted by the new encryptionKey yet: {reason}"
            log.emit(LogLevel.warn, words, reason=str(error))
        else:
            log.info("{storage}: all entries are encrypted by the first encryptionKey now", storage=self._where)

    def _seal_again(self, key: str) -> None:
        sealed = self._redis.ask("GETRANGE", key, 0, BIGGEST + SEALING - 1)
        if not sealed.startswith(HEADER):
            return  # a lock, or the version
        with suppress(Unopened):  # which is told where it is read
            content, newest = self._seal.open(key, sealed)
            if not newest:
                again = self._seal.seal(key, content)
                self._redis.ask("EVAL", RESEAL, 2, key, self._key(_VERSION), sealed, again, _token())

    def _renewed(self, lock: Lock) -> bool:
        """Have a lock last on; return whether it does, as far as is known."""
        try:
            return bool(self._redis.ask("EVAL", RENEW, 1, self._key(lock.name), lock.token, round(self._lease * 1000)))
        except OSError:
            return True  # what is written looks at it


class _Repeated:
    """Does something again and again, in a thread, until it is stopped or there is nothing more to do."""

    def __init__(self, pause: float, work: Callable[[], bool]) -> None:
        self._pause = pause
        self._work = work
        self._stopped = Event()
        Thread(target=self._run, name="edgegate lock", daemon=True).start()

    def stop(self) -> None:
        """Do it no more; what is under way ends."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause) and self._work():
            pass


def _token() -> str:
    return secrets.token_hex(16)
