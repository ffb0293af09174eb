"""The way of a user to the provider and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.access.oidc.cookies import clear_cookies, cookie_name, received
from edgegate.access.oidc.login import (
    LASTS,
    MOST_LOGINS,
    Answer,
    BadAnswer,
    Login,
    authorization_url,
    belongs,
    parse_answer,
    unpacked_login,
)
from edgegate.access.oidc.navigation import own_url
from edgegate.access.oidc.provider import BadProvider, Refused, Tokens, identity, lasts_until
from edgegate.access.oidc.session import Session, kept_claims
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.guards.oidc.answers import (
    BAD_ANSWER,
    BAD_IDENTITY,
    NO_LOGIN,
    PROVIDER_AWAY,
    refused_by_provider,
    sent_to,
    with_cookies,
)
from edgegate.http.guards.oidc.provider import Unavailable
from edgegate.http.guards.oidc.state import OIDCState
from edgegate.http.guards.refusal import Refusal

log = Logger(namespace=__name__)

_STATE_SHOWN = 8
"""Characters of a state in the name of its cookie."""


class Logins:
    """Those of one policy."""

    def __init__(self, state: OIDCState) -> None:
        self._state = state
        self._prefix = cookie_name(state.guard.cookie, b"login", b"")

    # To the provider --------------------------------------------------------------------------------------------------

    def begin(self, exchange: Exchange) -> Refusal:
        """Return what sends a user to the provider."""
        state = self._state
        metadata = state.provider.metadata
        if metadata is None:
            return PROVIDER_AWAY
        login = Login.new(exchange.head.target, state.now(), state.random)
        says = state.guard.provider
        url = authorization_url(metadata.authorization, says.client, says.scopes, self.redirect_uri(exchange), login)
        text = state.cookies.sealer.seal(state.cookies.login_purpose, login.packed())
        kept = (
            b"set-cookie",
            b"%b=%b; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=%d" % (self._cookie(login.state), text, LASTS),
        )
        return sent_to(url, "oidc_login", [kept, *clear_cookies(self._too_many(exchange))])

    def redirect_uri(self, exchange: Exchange) -> str:
        """Return where the provider sends a user back to."""
        return own_url(exchange.scheme, exchange.authority, self._state.guard.callback).decode("ascii", "replace")

    def _cookie(self, state: str) -> bytes:
        return self._prefix + state[:_STATE_SHOWN].encode("ascii", "replace")

    def _too_many(self, exchange: Exchange) -> list[bytes]:
        """Return the names of cookies of the oldest logins of a client that has begun many."""
        cookies = received(exchange.head.fields, self._prefix)
        if len(cookies) < MOST_LOGINS:
            return []
        began = {name: self._opened(text) for name, text in cookies.items()}
        oldest_first = sorted(cookies, key=lambda name: getattr(began[name], "began", 0))
        return oldest_first[: len(cookies) - MOST_LOGINS + 1]

    def _opened(self, text: bytes) -> Login | None:
        content = self._state.cookies.sealer.open(self._state.cookies.login_purpose, text)
        return None if content is None else unpacked_login(content)

    # And back ---------------------------------------------------------------------------------------------------------

    def answered(self, exchange: Exchange) -> Refusal | tuple[Answer, Login]:
        """Return what a user brings back from the provider, or what it is answered."""
        if exchange.method != b"GET":
            return BAD_ANSWER
        try:
            answer = parse_answer(exchange.query)
        except BadAnswer:
            return BAD_ANSWER
        name = self._cookie(answer.state)
        text = received(exchange.head.fields, self._prefix).get(name)
        login = None if text is None else self._opened(text)
        state = self._state
        metadata = state.provider.metadata
        if metadata is None:
            return PROVIDER_AWAY
        issuer = state.guard.provider.issuer
        if login is None or not (
            belongs(answer, login, issuer, metadata.says_issuer, state.now()) and state.answers(login)
        ):
            return NO_LOGIN
        if answer.error:
            return with_cookies(refused_by_provider(answer.error), self.over(login))
        return answer, login

    def over(self, login: Login) -> list[Field]:
        """Return the fields that end a login: its answer counts once."""
        return clear_cookies([self._cookie(login.state)])

    def redeem(self, answer: Answer, login: Login, redirect_uri: str) -> Deferred[Session]:
        """Exchange the code for a session; see L{failed} for what it fails with."""
        done = self._state.provider.redeem(answer.code, login.verifier, redirect_uri)
        return done.addCallback(partial(self._session, nonce=login.nonce))

    def refresh(self, session: Session) -> Deferred[Session]:
        """Have a session's tokens refreshed."""
        done = self._state.provider.refresh(session.refresh_token)
        return done.addCallback(partial(self._refreshed, session))

    def _refreshed(self, session: Session, tokens: Tokens) -> Session | Deferred[Session]:
        if tokens.identity:
            return self._session(tokens, None, session)
        return self._made(tokens, session.claims, session)

    def _session(self, tokens: Tokens, nonce: str | None, before: Session | None = None) -> Session | Deferred[Session]:
        claims = self._claims(tokens, nonce)
        if claims is not None:
            return self._made(tokens, claims, before)

        def again(_: bool) -> Session:
            found = self._claims(tokens, nonce)
            if found is None:
                raise BadProvider("its id token is signed with a key that it does not tell")
            return self._made(tokens, found, before)

        return self._state.provider.refetched().addCallback(again)

    def _claims(self, tokens: Tokens, nonce: str | None) -> Mapping[str, Any] | None:
        state, says = self._state, self._state.guard.provider
        keys = state.provider.keys
        if keys is None:
            raise Unavailable("its keys are not known")
        return identity(tokens.identity, keys, says.issuer, says.client, nonce, state.now())

    def _made(self, tokens: Tokens, claims: Mapping[str, Any], before: Session | None) -> Session:
        """Make a session; a user who was one stays that one."""
        now, guard = self._state.now(), self._state.guard
        if before is not None and claims.get("sub") != before.claims.get("sub"):
            raise BadProvider("it has refreshed another user's tokens")
        return Session(
            self._state.random(12).hex() if before is None else before.identifier,
            kept_claims(claims),
            int(now) if before is None else before.began,
            int(now),
            lasts_until(tokens, claims, now),
            tokens.access if guard.forward_token else "",
            tokens.refresh or ("" if before is None else before.refresh_token),
        )

    def failed(self, failure: Failure) -> Refusal:
        """Return what is answered where a code is not exchanged."""
        issuer = self._state.guard.provider.issuer
        if isinstance(failure.value, Refused):
            log.info("{issuer} has refused a code: {why}", issuer=issuer, why=failure.value.error)
            return NO_LOGIN
        if failure.check(Unavailable):
            log.warn("{issuer} can't be asked: {why}", issuer=issuer, why=failure.getErrorMessage())  # noqa: G010
            return PROVIDER_AWAY
        if failure.check(BadProvider):
            log.warn("{issuer} can't be believed: {why}", issuer=issuer, why=failure.getErrorMessage())  # noqa: G010
            return BAD_IDENTITY
        log.failure("a login at {issuer} has failed", failure, issuer=issuer)
        return PROVIDER_AWAY
