"""
Which ClientHellos are questions of authorities (TLS-ALPN-01, RFC 8737), as far as they are waited for.

That is written in the stores, which are looked at in a thread: for all the hellos that have come since the last look
began, so that thousands of them make one look after the other, and never two at one time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Final

from OpenSSL import SSL
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.tls.acme.challenges import TLS_ALPN_01, ChallengeAnswers, Defer
from edgegate.tls.acme.tls_alpn import challenge_context

log = Logger(namespace=__name__)

MOST_HELD: Final = 256
"""ClientHellos that wait for a look at the stores at one time; others are as if nothing were waited for."""

MOST_OF_CLIENT: Final = 64
"""Those of one client: no other keeps an authority's question out."""

PATIENCE: Final = 5.0
"""Seconds that the stores have for a look."""

_MOST_KEPT: Final = 64

Found = Callable[[SSL.Context | None], None]
"""Is told what to shake hands with; L{None}: the hello is as any other."""


_Held = dict[str, list[tuple[Hashable, Found]]]
"""Who waits for each host, with whose connections they are."""


class HelloChallenges:
    """Finds what such a client is shown. Belongs to the reactor's thread."""

    def __init__(self, answers: ChallengeAnswers, defer: Defer, clock: IReactorTime) -> None:
        self._answers = answers
        self._defer = defer
        self._clock = clock
        self._held: _Held = {}
        self._number = 0
        self._of_clients: Counter[Hashable] = Counter()
        self._looking = self._late = False
        # of the thread that looks
        self._made: dict[tuple[str, bytes], SSL.Context] = {}

    def may_know(self, host: str, client: Hashable) -> bool:
        """Whether to look at all: a host is named, there are stores, they answer, and few wait for them."""
        if not host or not self._answers.storages or self._late:
            return False
        return self._number < MOST_HELD and self._of_clients[client] < MOST_OF_CLIENT

    def find(self, host: str, client: Hashable, found: Found) -> None:
        """
        Look whether an authority is waited for that asks for a host. Called after L{may_know}.

        @param host: In normal form.
        """
        self._number += 1
        self._of_clients[client] += 1
        self._held.setdefault(host, []).append((client, found))
        if not self._looking:
            self._look()

    def _look(self) -> None:
        """What is held now is told of after this look: what was put before it came is seen by it."""
        held, self._held = self._held, {}
        self._looking = True
        call = self._clock.callLater(PATIENCE, self._give_up, held)

        def looked(result: Mapping[str, SSL.Context] | Failure) -> None:
            self._looking = self._late = False
            if isinstance(result, Failure):
                log.failure("challenges can't be looked for", result)
                result = {}
            if call.active():
                call.cancel()
            self._tell(held, result)
            if self._held and not self._looking:
                self._look()

        self._defer(partial(self._contexts, tuple(held))).addBoth(looked)

    def _give_up(self, held: _Held) -> None:
        """Let go of those who wait, and hold no others until the stores have answered."""
        self._late = True
        self._tell(held, {})
        waiting, self._held = self._held, {}
        self._tell(waiting, {})

    def _tell(self, held: _Held, contexts: Mapping[str, SSL.Context]) -> None:
        for host, waiting in held.items():
            if host in contexts:
                self._answers.answered[TLS_ALPN_01] += len(waiting)
            for client, found in waiting:
                self._number -= 1
                self._of_clients[client] -= 1
                if not self._of_clients[client]:
                    del self._of_clients[client]
                try:
                    found(contexts.get(host))
                except BaseException:
                    # each belongs to a connection of its own, which must not take the others with it
                    log.failure("what followed on a look for a challenge failed")
        held.clear()

    def _contexts(self, hosts: Sequence[str]) -> dict[str, SSL.Context]:
        """Return what is shown, to whom anything is. In a thread."""
        return {host: self._context(host, digest) for host, digest in self._answers.digests(hosts).items()}

    def _context(self, host: str, digest: bytes) -> SSL.Context:
        """Make it once, however many ask, and tell of it then."""
        if len(self._made) >= _MOST_KEPT:
            self._made.clear()
        key = host, digest
        if key not in self._made:
            self._made[key] = challenge_context(host, digest)
            log.info("a client is answered that asks for {host} as authorities do (TLS-ALPN-01)", host=host)
        return self._made[key]
