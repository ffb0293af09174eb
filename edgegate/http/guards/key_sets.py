"""
Key sets that are fetched: at the start and in the background, never while a request waits.

Each set is fetched once in a process, for all the rules that name it; it stays as long as one of them does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.access.jwt.counts import TokenCounts
from edgegate.access.jwt.discovery import keys_url
from edgegate.access.jwt.key_set import KeySet, parse_key_set
from edgegate.http.guards.fetch_timer import FetchTimer
from edgegate.model.guards.jwt import RemoteKeys

log = Logger(namespace=__name__)


class KeySetClient(Protocol):
    """Fetches documents."""

    def fetch(self, url: str, timeout: float) -> Deferred[bytes]:
        """
        Fetch a document: at most C{MOST_BYTES} of it. It fails with what is wrong in words.

        @param timeout: Seconds until the whole is there.
        """


class KeySource:
    """
    One key set: fetches it now and then, and tells the rules that use it.

    @ivar keys: L{None}: it was never fetched, or that is too long ago.
    @ivar error: Why the last try has failed; empty: it has not, or there was none yet.
    """

    def __init__(self, remote: RemoteKeys, client: KeySetClient, clock: IReactorTime, counts: TokenCounts) -> None:
        self._counts = counts
        self._remote = remote
        self._client = client
        self._clock = clock
        self._timer = FetchTimer(clock, self.fetch)
        self._users: list[Callable[[KeySet | None], None]] = []
        self._fetching: Deferred[bytes] | None = None
        self._stopped = False
        self._waiting: list[Callable[[], None]] | None = []
        self._data = b""
        self.keys: KeySet | None = None
        self.error = ""

    def add(self, user: Callable[[KeySet | None], None]) -> None:
        """Tell somebody of the keys, now and whenever they change."""
        self._users.append(user)
        user(self.keys)
        if len(self._users) == 1:
            self.fetch()

    def remove(self, user: Callable[[KeySet | None], None]) -> bool:
        """Tell somebody no more; return whether that was the last one. It stops then."""
        self._users.remove(user)
        if self._users:
            return False
        self._stopped = True
        self._timer.stop()
        self._first_is_over()
        if self._fetching is not None:
            self._fetching.cancel()
        return True

    @property
    def awaited(self) -> bool:
        """Whether the first try is not over: soon it will be known whether there are keys."""
        return self._waiting is not None

    def when_known(self, call: Callable[[], None]) -> None:
        """Call once the first try is over, whatever comes of it; for use while that is C{awaited}."""
        assert self._waiting is not None
        self._waiting.append(call)

    def unknown_key(self) -> None:
        """A token names a key that is not among these: they may have changed."""
        if self._fetching is None and self._timer.early():
            self.fetch()

    def fetch(self) -> None:
        """Fetch the keys now, unless that is being done."""
        if self._fetching is not None or self._stopped:
            return
        self._timer.begun()
        remote = self._remote
        fetching = self._client.fetch(remote.url, remote.timeout)
        self._fetching = fetching
        if remote.discovered:
            fetching.addCallback(self._discovered)
        fetching.addCallbacks(self._fetched, self._failed)
        fetching.addErrback(self._unexpected)

    def _discovered(self, data: bytes) -> Deferred[bytes]:
        return self._client.fetch(keys_url(data, self._remote.url), self._remote.timeout)

    def _fetched(self, data: bytes) -> None:
        try:
            keys = parse_key_set(data, secrets=False)
        except ValueError as error:
            self._failed(Failure(error))
            return
        if not keys.keys:
            reasons = "; ".join(sorted({why for _, why in keys.left_out})) or "it is empty"
            self._failed(Failure(ValueError(f"no key of the set can be used: {reasons}")))
            return
        self._fetching = None
        self._counts.fetched += 1
        if self.error:
            log.info("the keys of {url} are fetched again", url=self._remote.url)
        self.error = ""
        self._timer.succeeded()
        if data != self._data or self.keys is None:
            self._data = data
            for place, why in keys.left_out:
                log.warn("key {number} of {url} is not used: {why}", number=place + 1, url=self._remote.url, why=why)  # noqa: G010
            self._tell(keys)
        self._first_is_over()

    def _failed(self, failure: Failure) -> None:
        self._fetching = None
        if self._stopped:
            return
        self._counts.not_fetched += 1
        why = failure.getErrorMessage() or type(failure.value).__name__
        if why != self.error:
            kept = "the old ones serve on" if self.keys is not None else "all tokens of its issuer are refused"
            log.warn("the keys of {url} can't be fetched: {why}; {kept}", url=self._remote.url, why=why, kept=kept)  # noqa: G010
        self.error = why
        if self.keys is not None and self._timer.outdated:
            log.warn("the keys of {url} are too old: its tokens are refused", url=self._remote.url)  # noqa: G010
            self._tell(None)
        self._timer.failed()
        self._first_is_over()

    def _first_is_over(self) -> None:
        waiting, self._waiting = self._waiting, None
        for call in waiting or ():
            call()

    def _unexpected(self, failure: Failure) -> None:
        log.failure("the keys of {url} can't be taken", failure, url=self._remote.url)
        self._fetching = None
        self._timer.failed()
        self._first_is_over()

    def _tell(self, keys: KeySet | None) -> None:
        self.keys = keys
        for user in tuple(self._users):
            user(keys)


class KeySets:
    """
    All key sets that are fetched, by where they are.

    @ivar counts: What became of tokens.
    """

    def __init__(self, clock: Any, authorities: bytes = b"", client: KeySetClient | None = None) -> None:
        """
        @param clock: The reactor.
        @param authorities: Certificates as PEM, of authorities that are trusted besides the system's.
        @param client: L{None}: one that asks by HTTP.
        """
        self._client = client
        self._clock = clock
        self._authorities = authorities
        self.counts = TokenCounts()
        self._sources: dict[RemoteKeys, KeySource] = {}

    def add(self, remote: RemoteKeys, user: Callable[[KeySet | None], None]) -> KeySource:
        """Tell somebody of a key set, now and whenever it changes."""
        source = self._sources.get(remote)
        if source is None:
            source = self._sources[remote] = KeySource(remote, self._made_client(), self._clock, self.counts)
        source.add(user)
        return source

    def remove(self, remote: RemoteKeys, user: Callable[[KeySet | None], None]) -> None:
        """Tell somebody no more."""
        if self._sources[remote].remove(user):
            del self._sources[remote]

    def _made_client(self) -> KeySetClient:
        client = self._client
        if client is None:
            # few gateways fetch keys: the others do without treq
            from edgegate.http.guards.key_set_client import TreqKeySetClient  # noqa: PLC0415

            client = self._client = TreqKeySetClient(self._clock, self._authorities)
        return client
