"""
Asks a Redis, from threads, within a time.

Passwords, certificates and keys are read from their files for each connection, so that they may change. After a failure
that took its time nobody tries for a moment: what is asked meanwhile fails at once, for the reason of before. So one
that hangs costs a thread a few seconds at most, however much it asks; one that refuses connections costs none.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, UnixDomainSocketConnection
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as TimedOut
from redis.retry import Retry

from edgegate.model.redis import RedisServer, RedisTLS

CONNECT_SECONDS = 2.0
"""Until one address of the Redis has taken a connection, at most."""

ANSWER_SECONDS = 2.0
"""Until Redis has answered, at most."""

PAUSE = 1.0
"""Seconds in which Redis is not asked, after a failure that took longer than C{AT_ONCE}."""

AT_ONCE = 0.2
"""Seconds. Whoever is asked for a challenge should see that Redis is there again as soon as who has put it there."""

MOST_BYTES = 1_000_000
"""Bytes of a file that are read."""


class RedisFailed(OSError):
    """A Redis does not answer, or answers with an error: C{str} says which one, and why."""


class RedisClient:
    """
    Asks one Redis. Connections are made when they are needed, and kept; forks have their own.

    @ivar failures: How often it was away.
    """

    def __init__(
        self, server: RedisServer, clock: Callable[[], float] = time.monotonic, patience: float = ANSWER_SECONDS
    ) -> None:
        """
        @param patience: Seconds that an answer may take.
        """
        self._server = server
        self._clock = clock
        self._pool = ConnectionPool(
            **_way(server),
            db=server.database,
            credential_provider=None if server.password is None else _Credentials(server.user, server.password),
            socket_timeout=patience,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._redis: Any = Redis(connection_pool=self._pool)
        self.failures = 0
        self._not_before = 0.0
        self._why = ""

    def ask(self, *words: bytes | str | int) -> Any:
        """
        Return the answer to one command.

        @raise RedisFailed: There is none, or it is an error.
        """
        return self._asked(lambda: self._redis.execute_command(*words))

    def ask_all(self, commands: Sequence[Sequence[bytes | str | int]]) -> list[Any]:
        """
        Return the answers to several commands, which are sent at once.

        @raise RedisFailed: Likewise.
        """

        def ask() -> Any:
            pipeline = self._redis.pipeline(transaction=False)
            for words in commands:
                pipeline.execute_command(*words)
            return pipeline.execute()

        return list(self._asked(ask)) if commands else []

    # ------------------------------------------------------------------------------------------------------------------

    def _asked(self, ask: Callable[[], Any]) -> Any:
        begin = self._clock()
        if begin < self._not_before:
            raise RedisFailed(self._why)
        try:
            return ask()
        except (ConnectionFailed, TimedOut) as error:
            self._why = f"Redis {self._server}: {_words(error)}"
            end = self._clock()
            if end - begin > AT_ONCE:
                self._not_before = end + PAUSE
            self.failures += 1
            raise RedisFailed(self._why) from error
        except ReadOnlyError as error:
            # it copies another one: its name may lead elsewhere by now
            self._pool.disconnect(inuse_connections=False)
            raise RedisFailed(f"Redis {self._server}: {_words(error)}") from error
        except RedisError as error:
            raise RedisFailed(f"Redis {self._server}: {_words(error)}") from error


def _way(server: RedisServer) -> dict[str, Any]:
    if not server.port:
        return {"connection_class": UnixDomainSocketConnection, "path": server.host}
    way: dict[str, Any] = {"host": server.host, "port": server.port}
    return way if server.tls is None else {**way, "connection_class": _TLSConnection, "tls": server.tls}


class _Credentials(CredentialProvider):
    """Who asks, with the password that is in a file right now."""

    def __init__(self, user: str | None, password: str) -> None:
        self._user = user
        self._password = password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        try:
            with Path(self._password).open("rb") as file:
                # any bytes: they are sent as they are
                password: Any = file.read(MOST_BYTES).strip(b"\r\n")
        except OSError as error:
            raise ConnectionFailed(f"{self._password}: {error.strerror}") from error
        return (password,) if self._user is None else (self._user, password)


class _TLSConnection(Connection):
    """One over TLS, with just the authorities that are given, and a name that may be another one than the host."""

    def __init__(self, tls: RedisTLS, **rest: Any) -> None:
        self._tls = tls
        super().__init__(**rest)  # type: ignore[no-untyped-call]

    def _connect(self) -> Any:
        context = ssl.create_default_context(cafile=self._tls.authorities)
        if self._tls.certificate is not None:
            context.load_cert_chain(self._tls.certificate, self._tls.key)
        socket = super()._connect()  # type: ignore[no-untyped-call]
        try:
            return context.wrap_socket(socket, server_hostname=self._tls.name)
        except BaseException:
            socket.close()
            raise


def _words(error: Exception) -> str:
    """Return what is wrong in one line that is not too long."""
    text = str(error) or type(error).__name__
    printable = "".join(each if each.isprintable() else " " for each in text)
    return printable if len(printable) <= 300 else f"{printable[:300]}..."
