"""
A provider at work: what it says of itself is fetched in the background and outlives its outages; codes and refresh
tokens are sent to it when they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.access.jwt.key_set import KeySet, parse_key_set
from edgegate.access.oidc.provider import Metadata, Tokens, parse_metadata, parse_tokens, token_request
from edgegate.http.guards.fetch_timer import FetchTimer
from edgegate.model.guards.oidc import OIDCClient

log = Logger(namespace=__name__)

A = TypeVar("A")

TIMEOUT = 5.0
"""Seconds for one answer of a provider."""

AGAIN = 1.0
"""Seconds after a try that has failed before a user's request begins another one."""

MOST_PROVIDERS = 64

MOST_REDEEMED = 64
"""Codes that a provider is sent at a time: anybody can bring some."""

DISCOVERY = "/.well-known/openid-configuration"

Field = tuple[bytes, bytes]


class ProviderClient(Protocol):
    """Asks a provider."""

    def fetch(self, url: str, timeout: float) -> Deferred[bytes]:
        """Fetch a document; see L{edgegate.http.guards.key_sets.KeySetClient.fetch}."""

    def post(self, url: str, fields: list[Field], body: bytes, timeout: float) -> Deferred[tuple[int, bytes]]:
        """
        Send something; errors of the connection are in the Deferred.

        @param timeout: Seconds until the whole answer is there.
        @return: Fires with the answer's status and body.
        """


class Unavailable(Exception):
    """Nothing is known of the provider yet, or it does not answer."""


class Provider:
    """
    A provider, as the gateway's client of it.

    @ivar metadata: L{None}: they were never fetched, or that is too long ago.
    @ivar keys: Those that sign id tokens.
    @ivar error: Why the last try has failed; empty: it has not.
    """

    def __init__(self, says: OIDCClient, client: ProviderClient, clock: IReactorTime) -> None:
        self.says = says
        self.metadata: Metadata | None = None
        self.keys: KeySet | None = None
        self.error = ""
        self._client = client
        self._clock = clock
        self._timer = FetchTimer(clock, self.fetch)
        self._fetching: Deferred[None] | None = None
        self._waiting: list[Deferred[bool]] = []
        self._stopped = False
        self._tried = clock.seconds()
        self._redeemed = 0

    @property
    def ready(self) -> bool:
        """Whether users can log in."""
        return self.metadata is not None and self.keys is not None

    def known(self) -> Deferred[bool]:
        """
        Return whether users can log in, once it is known: who waits for a provider that was away has it asked again.
        """
        done: Deferred[bool] = Deferred()
        if not self.ready and self._clock.seconds() - self._tried >= AGAIN:
            self.fetch()
        if self.ready or self._fetching is None:
            done.callback(self.ready)
        else:
            self._waiting.append(done)
        return done

    def refetched(self) -> Deferred[bool]:
        """Fetch the keys anew, as one is not known; not often, as anybody can say so. See L{known}."""
        if self._fetching is None and self._timer.early():
            self.fetch()
        if self._fetching is None:
            done: Deferred[bool] = Deferred()
            done.callback(False)
            return done
        done = Deferred()
        self._waiting.append(done)
        return done

    def fetch(self) -> None:
        """Fetch what the provider says of itself now, unless that is being done."""
        if self._fetching is not None or self._stopped:
            return
        self._timer.begun()
        issuer = self.says.issuer
        found = self._client.fetch(issuer.rstrip("/") + DISCOVERY, TIMEOUT)
        self._fetching = fetching = found.addCallback(self._described)
        fetching.addCallbacks(self._fetched, self._failed)
        fetching.addErrback(lambda failure: log.failure("metadata of {issuer} can't be taken", failure, issuer=issuer))

    def redeem(self, code: str, verifier: str, redirect_uri: str) -> Deferred[Tokens]:
        """
        Exchange a code for tokens.

        @return: Fails with L{Unavailable}, L{edgegate.access.oidc.provider.Refused} or
            L{edgegate.access.oidc.provider.BadProvider}.
        """
        if self._redeemed >= MOST_REDEEMED:
            return fail(Unavailable(f"{MOST_REDEEMED} logins wait for it"))
        self._redeemed += 1
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return self._tokens(asked).addBoth(self._answered)

    def _answered(self, found: A) -> A:
        self._redeemed -= 1
        return found

    def refresh(self, token: str) -> Deferred[Tokens]:
        """Exchange a refresh token for new tokens; see L{redeem}."""
        return self._tokens({"grant_type": "refresh_token", "refresh_token": token})

    def revoke(self, token: str) -> None:
        """Give a refresh token back, if the provider takes it; whatever it answers, nobody waits for that."""
        metadata, says = self.metadata, self.says
        if metadata is None or not metadata.revocation or not token:
            return
        asked = {"token": token, "token_type_hint": "refresh_token"}
        fields, body = token_request(metadata, says.client, says.secret, asked)
        self._client.post(metadata.revocation, fields, body, TIMEOUT).addErrback(
            lambda failure: log.info(
                "{issuer} has not taken a token back: {why}", issuer=says.issuer, why=failure.getErrorMessage()
            )
        )

    def stop(self) -> None:
        """Ask nothing more."""
        self._stopped = True
        self._timer.stop()
        if self._fetching is not None:
            self._fetching.cancel()

    # ------------------------------------------------------------------------------------------------------------------

    def _tokens(self, asked: Mapping[str, str]) -> Deferred[Tokens]:
        metadata, says = self.metadata, self.says
        if metadata is None:
            return fail(Unavailable(self.error))
        fields, body = token_request(metadata, says.client, says.secret, asked)
        answer = self._client.post(metadata.token, fields, body, TIMEOUT)
        answer.addErrback(_unavailable)
        return answer.addCallback(lambda found: parse_tokens(*found))

    def _described(self, data: bytes) -> Deferred[None]:
        metadata = parse_metadata(data, self.says.issuer)

        def taken(keys: bytes) -> None:
            found = parse_key_set(keys, secrets=False)
            if not found.keys:
                raise ValueError("no key of its set can be used")
            self.metadata, self.keys = metadata, found

        return self._client.fetch(metadata.keys, TIMEOUT).addCallback(taken)

    def _fetched(self, _: None) -> None:
        if self.error:
            log.info("the OpenID provider {issuer} can be asked again", issuer=self.says.issuer)
        self.error = ""
        self._timer.succeeded()
        self._over()

    def _failed(self, failure: Failure) -> None:
        why = failure.getErrorMessage() or repr(failure.value)
        if why != self.error and not self._stopped:
            kept = "what it said before is gone by" if self.ready else "nobody can log in"
            log.warn(  # noqa: G010
                "the OpenID provider {issuer} can't be asked: {why}; {kept}",
                issuer=self.says.issuer,
                why=why,
                kept=kept,
            )
        self.error = why
        if self._timer.outdated:
            self.metadata = self.keys = None
        self._timer.failed()
        self._over()

    def _over(self) -> None:
        """A try is over: tell who waits."""
        self._fetching = None
        self._tried = self._clock.seconds()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(self.ready)


class Providers:
    """
    All providers of a process: what is known of one outlives changes of the policies that name it.

    Of more than there is room for those go of which no policy is left, first who was named the longest time ago.
    """

    def __init__(self, make: Callable[[OIDCClient], Provider]) -> None:
        self._make = make
        self._known: dict[OIDCClient, Provider] = {}
        self._policies: dict[OIDCClient, int] = {}

    def of(self, says: OIDCClient) -> Provider:
        """Return a provider for one more policy, until L{left}; it begins to be asked if it was not yet."""
        found = self._known.pop(says, None)
        if found is None:
            found = self._make(says)
            found.fetch()
        self._known[says] = found
        self._policies[says] = self._policies.get(says, 0) + 1
        self._make_room()
        return found

    def left(self, says: OIDCClient) -> None:
        """A policy of a provider is no more."""
        policies = self._policies.pop(says, 0) - 1
        if policies > 0:
            self._policies[says] = policies
        self._make_room()

    def _make_room(self) -> None:
        if len(self._known) > MOST_PROVIDERS:
            unnamed = next((says for says in self._known if says not in self._policies), None)
            if unnamed is not None:
                self._known.pop(unnamed).stop()

    def stop(self) -> None:
        """Ask none any more."""
        for each in self._known.values():
            each.stop()
        self._known.clear()
        self._policies.clear()


def _unavailable(failure: Failure) -> None:
    raise Unavailable(failure.getErrorMessage() or repr(failure.value)) from failure.value
