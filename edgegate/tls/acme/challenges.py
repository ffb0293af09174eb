"""What is answered to authorities: it is in the stores, where whoever asked for a certificate has put it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from edgegate.model.certificates import CertificateStorage
from edgegate.tls.acme.store import TOKEN, challenge_answer, hello_name
from edgegate.tls.acme.tls_alpn import DIGEST

T = TypeVar("T")

HTTP_01, TLS_ALPN_01 = "HTTP-01", "TLS-ALPN-01"

MOST_SOUGHT = 16
"""Answers that are looked for at one time; what is asked for beyond is not known."""


class Defer(Protocol):
    """Does what may take its time in a thread."""

    def __call__(self, work: Callable[[], T]) -> Deferred[T]:
        """Fires in the reactor's turn."""


class ChallengeAnswers:
    """
    Finds what is answered.

    @ivar storages: Where they are looked for.
    @ivar answered: How many were answered, by their kind.
    """

    def __init__(self, defer: Defer) -> None:
        self.storages: tuple[CertificateStorage, ...] = ()
        self._defer = defer
        self._sought = 0
        self.answered = {HTTP_01: 0, TLS_ALPN_01: 0}

    def may_know(self, token: str) -> bool:
        """Whether to look for an answer at all: it is a token, and few are being looked for."""
        return self._sought < MOST_SOUGHT and TOKEN.fullmatch(token) is not None

    def find(self, token: str, found: Callable[[bytes | None], None]) -> None:
        """Look for an answer, and say what it is; L{None}: there is none, or none can be read."""
        self._sought += 1

        def ended(answer: bytes | Failure | None) -> None:
            self._sought -= 1
            known = None if isinstance(answer, Failure) else answer
            self.answered[HTTP_01] += known is not None
            found(known)

        self._defer(partial(self._answer, token)).addBoth(ended)

    def digests(self, hosts: Collection[str]) -> dict[str, bytes]:
        """
        Return what is answered to ClientHellos (TLS-ALPN-01, RFC 8737), by host, where anything is. For threads.

        @param hosts: In normal form.
        """
        found: dict[str, bytes] = {}
        for storage in self.storages:
            # of one that can't be read not each host is to wait for that
            with suppress(OSError):
                for host in hosts:
                    digest = _digest(challenge_answer(storage, hello_name(host)))
                    if digest is not None:
                        found.setdefault(host, digest)
        return found

    def _answer(self, name: str) -> bytes | None:
        for storage in self.storages:
            try:
                answer = challenge_answer(storage, name)
            except OSError:
                continue
            if answer is not None:
                return answer
        return None


def _digest(answer: bytes | None) -> bytes | None:
    try:
        digest = b"" if answer is None else bytes.fromhex(answer.decode("ascii"))
    except ValueError:
        return None
    return digest if len(digest) == DIGEST else None
