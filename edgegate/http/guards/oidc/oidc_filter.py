"""Lets those pass who have logged in with a provider of OpenID Connect, and sends others to log in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from urllib.parse import urlencode

from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.access.oidc.claims import may_pass
from edgegate.access.oidc.cookies import TooLarge, clear_cookies, joined, own, set_cookies
from edgegate.access.oidc.login import Answer, Login, with_query
from edgegate.access.oidc.navigation import keeps_cookies, own_url
from edgegate.access.oidc.session import Session
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.identified import answered_without
from edgegate.http.guards.oidc.answers import (
    NEEDS_HTTPS,
    NOT_ALLOWED,
    PROVIDER_AWAY,
    TOO_LARGE,
    goes_to_log_in,
    sent_to,
    unauthorized,
    with_cookies,
)
from edgegate.http.guards.oidc.logins import Logins
from edgegate.http.guards.oidc.passing import identify, keep_cookies, response_with_cookies, token_session
from edgegate.http.guards.oidc.provider import Provider, Providers
from edgegate.http.guards.oidc.refreshes import Refreshes
from edgegate.http.guards.oidc.state import EndedSessions, OIDCState
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.http.response import ResponseHead
from edgegate.model.guards.oidc import OIDC, OIDCClient

log = Logger(namespace=__name__)

_LONGEST: Final = 15.0
"""Seconds that a request waits for the provider."""
_EARLY: Final = 30
"""Seconds before their end from which on tokens are refreshed."""


class OIDCFilter(HTTPFilter):
    """Asks for a session."""

    __slots__ = ("_environment", "_guard", "_logins", "_refreshes", "_state", "_unauthorized")

    name = "oidc"

    def __init__(self, guard: OIDC, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._environment = environment
        self._state = oidc_state(guard, environment)
        self._logins = Logins(self._state)
        if self._state.refreshes is None:
            self._state.refreshes = Refreshes(self._logins.refresh, environment.wheel.clock.seconds)
        self._refreshes = self._state.refreshes
        self._unauthorized = unauthorized(guard)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """Let a request pass, answer it, or have it wait for the provider."""
        head, guard = exchange.head, self._guard
        if not keeps_cookies(exchange.scheme, head.authority):
            return FilterStatus.CONTINUE if answered_without(exchange) else refuse(exchange, guard, NEEDS_HTTPS)
        if head.path == guard.callback:
            return self._when_known(exchange, self._called_back)
        cookies = own(head.fields, self._state.cookies.name)
        if head.path == guard.logout:
            return self._when_known(exchange, partial(self._log_out, cookies))
        of_token = token_session(guard, exchange)
        if of_token is not None:
            return self._pass(exchange, of_token, cookies, changed=False)
        opened = self._opened(cookies)
        if opened is None:
            return self._not_logged_in(exchange)
        session, newly_sealed = opened
        return self._with_session(exchange, session, cookies, newly_sealed)

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """Set the cookies of a session that has changed."""
        return response_with_cookies(self._guard, exchange, head)

    def _opened(self, cookies: Mapping[bytes, bytes]) -> tuple[Session, bool] | None:
        """Return the session of a request, and whether it is sealed with the key that seals now."""
        text = joined(cookies, self._state.cookies.name)
        opened = None if text is None else self._state.cookies.opened(text)
        return None if opened is None or self._state.has_ended(opened[0]) else opened

    # Who has logged in ------------------------------------------------------------------------------------------------

    def _with_session(
        self, exchange: Exchange, session: Session, cookies: Mapping[bytes, bytes], newly_sealed: bool
    ) -> FilterStatus:
        now = self._state.now()
        if now >= session.began + self._guard.lasts:
            return self._not_logged_in(exchange)
        early = min(_EARLY, (session.fresh_until - session.given) // 4) if session.refresh_token else 0
        if now < session.fresh_until - early:
            return self._pass(exchange, session, cookies, not newly_sealed)
        if not session.refresh_token:
            return self._not_logged_in(exchange)
        known = self._refreshes.known(session)
        if known is None:
            return self._not_logged_in(exchange)
        if isinstance(known, Session):
            if now < known.fresh_until:
                return self._pass(exchange, known, cookies, True)
            session = known
        hold = Hold(exchange, self._environment, _LONGEST, self._expired)
        self._refreshes.ask(session, partial(self._refreshed, hold, session, cookies))
        return FilterStatus.STOP

    def _refreshed(
        self, hold: Hold, session: Session, cookies: Mapping[bytes, bytes], outcome: Session | Exception | None
    ) -> None:
        """The provider has answered, or has not."""
        if hold.over:
            return
        if isinstance(outcome, Exception):
            if self._state.now() >= session.fresh_until:
                log.warn("a session can't be refreshed: {why}", why=str(outcome))  # noqa: G010
                self._answer(hold, PROVIDER_AWAY)
                return
            outcome = session
        if outcome is None or self._state.has_ended(session):
            # it has ended at the provider, or with a logout meanwhile
            if answered_without(hold.exchange):
                hold.go_on()
            else:
                hold.answer(self._not_logged_in)
            return
        status = self._pass(hold.exchange, outcome, cookies, outcome is not session, hold)
        if status is FilterStatus.CONTINUE:
            hold.go_on()

    def _pass(
        self,
        exchange: Exchange,
        session: Session,
        cookies: Mapping[bytes, bytes],
        changed: bool,
        hold: Hold | None = None,
    ) -> FilterStatus:
        """Let a user pass who may."""
        guard = self._guard
        if not may_pass(session.claims, guard.allowed):
            return self._refuse(exchange, NOT_ALLOWED, hold)
        if changed:
            try:
                keep_cookies(guard, exchange, self._cookies(session, cookies))
            except TooLarge:
                return self._refuse(exchange, TOO_LARGE, hold)
        identify(guard, exchange, session, cookies.keys())
        return FilterStatus.CONTINUE

    def _refuse(self, exchange: Exchange, refusal: Refusal, hold: Hold | None) -> FilterStatus:
        if hold is None:
            return refuse(exchange, self._guard, refusal)
        self._answer(hold, refusal)
        return FilterStatus.STOP

    def _cookies(self, session: Session, before: Mapping[bytes, bytes]) -> list[Field]:
        """Return the fields that keep a session with its client."""
        lasts = max(int(session.began + self._guard.lasts - self._state.now()), 1)
        return set_cookies(self._state.cookies.name, self._state.cookies.sealed(session), lasts, before.keys())

    # Who has not ------------------------------------------------------------------------------------------------------

    def _not_logged_in(self, exchange: Exchange) -> FilterStatus:
        if answered_without(exchange):
            return FilterStatus.CONTINUE
        if not goes_to_log_in(exchange):
            return refuse(exchange, self._guard, self._unauthorized)
        return self._when_known(exchange, self._begin)

    def _begin(self, exchange: Exchange) -> Refusal:
        return self._logins.begin(exchange)

    def _log_out(self, cookies: Mapping[bytes, bytes], exchange: Exchange) -> Refusal:
        """End a session here, and send the user to the provider to end it there, if it can."""
        guard, metadata = self._guard, self._state.provider.metadata
        gone = clear_cookies(cookies)
        opened = self._opened(cookies)
        if opened is not None:
            self._state.end(opened[0])
            self._state.provider.revoke(opened[0].refresh_token)
        after = guard.after_logout
        if after.startswith("/"):
            after = own_url(exchange.scheme, exchange.authority, after.encode("ascii")).decode("ascii", "replace")
        if metadata is not None and metadata.end_session:
            return sent_to(end_session_url(metadata.end_session, guard.provider.client, after), "oidc_logout", gone)
        if after:
            return sent_to(after.encode("ascii", "replace"), "oidc_logout", gone)
        return with_cookies(Refusal(200, b"you have logged out", "oidc_logout"), gone)

    # Who comes back ---------------------------------------------------------------------------------------------------

    def _called_back(self, exchange: Exchange) -> Refusal | None:
        found = self._logins.answered(exchange)
        if isinstance(found, Refusal):
            return found
        answer, login = found
        hold = Hold(exchange, self._environment, _LONGEST, self._expired)
        self._redeem(hold, answer, login)
        return None

    def _redeem(self, hold: Hold, answer: Answer, login: Login) -> None:
        exchange = hold.exchange
        over = self._logins.over(login)
        url = own_url(exchange.scheme, exchange.authority, login.target.encode("latin-1"))
        before = own(exchange.head.fields, self._state.cookies.name)

        def logged_in(session: Session) -> None:
            if not may_pass(session.claims, self._guard.allowed):
                self._answer(hold, with_cookies(NOT_ALLOWED, over))
                return
            try:
                cookies = self._cookies(session, before)
            except TooLarge:
                log.error("a session of {issuer} does not fit into cookies", issuer=self._guard.provider.issuer)
                self._answer(hold, with_cookies(TOO_LARGE, over))
                return
            self._answer(hold, sent_to(url, "oidc_logged_in", [*cookies, *over]))

        def failed(failure: Failure) -> None:
            self._answer(hold, with_cookies(self._logins.failed(failure), over))

        done = self._logins.redeem(answer, login, self._logins.redirect_uri(exchange))
        done.addCallbacks(logged_in, failed).addErrback(lambda failure: log.failure("a login can't go on", failure))

    # ------------------------------------------------------------------------------------------------------------------

    def _when_known(self, exchange: Exchange, answer: Callable[[Exchange], Refusal | None]) -> FilterStatus:
        """
        Answer a request, once it is known where the provider is asked: that is so but for a moment after the start.
        """
        known = self._state.provider.known()
        if known.called:
            return self._answered_now(exchange, answer)
        hold = Hold(exchange, self._environment, _LONGEST, self._expired)
        known.addCallback(lambda _: hold.answer(partial(self._answered_now, answer=answer)))
        return FilterStatus.STOP

    def _answered_now(self, exchange: Exchange, answer: Callable[[Exchange], Refusal | None]) -> FilterStatus:
        refusal = answer(exchange)
        return FilterStatus.STOP if refusal is None else refuse(exchange, self._guard, refusal)

    def _answer(self, hold: Hold, refusal: Refusal) -> None:
        hold.answer(lambda exchange: refuse(exchange, self._guard, refusal))

    def _expired(self, hold: Hold) -> None:
        self._answer(hold, PROVIDER_AWAY)


def end_session_url(endpoint: str, client: str, after: str) -> bytes:
    """Return where a user ends the session at the provider (OpenID Connect RP-Initiated Logout 1.0 section 2)."""
    query = {"client_id": client}
    if after:
        query["post_logout_redirect_uri"] = after
    return with_query(endpoint, urlencode(query))


def oidc_state(guard: OIDC, environment: HTTPEnvironment) -> OIDCState:
    """Return what is kept for a policy; its provider begins to be asked when it is first asked for."""
    return environment.access.of(guard, lambda: _made(guard, environment))


def _made(guard: OIDC, environment: HTTPEnvironment) -> OIDCState:
    clock = environment.wheel.clock

    def make(says: OIDCClient) -> Provider:
        # few gateways log users in: the others do without treq
        from edgegate.http.guards.oidc.provider_client import TreqProviderClient  # noqa: PLC0415

        return Provider(says, TreqProviderClient(clock, says.authorities), clock)

    providers = environment.access.shared(Providers, lambda: Providers(make))
    ended = environment.access.shared(EndedSessions, EndedSessions)
    return OIDCState(guard, providers.of(guard.provider), left=partial(providers.left, guard.provider), ended=ended)
