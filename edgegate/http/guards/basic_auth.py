"""Lets those pass who have a user's name and password (RFC 7617; Envoy's C{basic_auth})."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from functools import partial
from typing import Final, cast

from twisted.internet.interfaces import IReactorFromThreads

from edgegate.access.basic import LONGEST_CREDENTIALS, basic_credentials, challenge
from edgegate.access.check_queue import Admission
from edgegate.access.passwords.checking import PasswordChecker, may_be_password
from edgegate.access.verified import VerifiedCredentials
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.identified import answered_without, spelled_like
from edgegate.http.guards.password_checks import PasswordChecks
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.model.addresses import TCPAddress
from edgegate.model.guards.credentials import BasicAuth
from edgegate.overload.connections import client_of

METADATA: Final = "envoy.filters.http.basic_auth"
"""Where C{username} stands in a request's metadata."""

_AUTHORIZATION: Final = b"authorization"
_LONGEST_CHECK: Final = 10.0
"""Seconds that a request waits for a check, its turn included."""


class BasicAuthState:
    """
    What is kept for a policy while it stays as it is.

    @ivar known: The credentials that were looked at.
    """

    def __init__(self, guard: BasicAuth) -> None:
        self.known = VerifiedCredentials(os.urandom)
        self.checker = PasswordChecker(guard.users)

    def stop(self) -> None:
        """Nothing is left."""


class BasicAuthFilter(HTTPFilter):
    """Asks for a user's name and password."""

    __slots__ = ("_checker", "_checks", "_environment", "_full", "_guard", "_known", "_missing", "_wrong")

    name = "basic_auth"

    def __init__(self, guard: BasicAuth, environment: HTTPEnvironment) -> None:
        access = environment.access
        state = access.of(guard, partial(BasicAuthState, guard))
        self._guard = guard
        self._environment = environment
        self._known = state.known
        self._checker = state.checker
        self._checks = access.shared(
            PasswordChecks, lambda: PasswordChecks(cast(IReactorFromThreads, environment.wheel.clock), access.processes)
        )
        self._missing = missing_password(guard)
        self._wrong = wrong_password(guard)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """Let a request pass, refuse it, or have it wait for its password's check."""
        value = shown_credentials(exchange)
        if value is None:
            if answered_without(exchange):
                return FilterStatus.CONTINUE
            return refuse(exchange, self._guard, self._missing)
        digest = self._known.digest(value)
        user = self._known.owner(digest)
        if user is None:
            return self._unknown(exchange, value, digest)
        if not user:
            return refuse(exchange, self._guard, self._wrong)
        identify(self._guard, exchange, user)
        return FilterStatus.CONTINUE

    def _unknown(self, exchange: Exchange, value: bytes, digest: bytes) -> FilterStatus:
        """Have credentials looked at that nobody has shown yet."""
        shown = basic_credentials(value)
        if shown is None:
            return refuse(exchange, self._guard, self._missing)
        user, password = shown
        if not user or not may_be_password(password):
            return refuse(exchange, self._guard, self._wrong)
        hold = Hold(exchange, self._environment, _LONGEST_CHECK, self._expired)
        told = partial(self._told, hold, digest, user)
        work = partial(self._checker.fits, user, password)
        admission = self._checks.queue.ask(digest, _client(exchange), work, told)
        if admission is not Admission.TAKEN:
            hold.answer(self._refusal_by(_TOO_MANY[admission]))
        return FilterStatus.STOP

    def _told(self, hold: Hold, digest: bytes, user: bytes, fits: bool | None) -> None:
        """The check was made."""
        if fits is None:
            # not remembered: the next one may succeed
            hold.answer(self._refusal_by(_NOT_CHECKED))
            return
        if not fits:
            self._known.refuse(digest)
            hold.answer(self._refusal_by(self._wrong))
            return
        self._known.verify(digest, user)
        if not hold.over:
            identify(self._guard, hold.exchange, user)
            hold.go_on()

    def _expired(self, hold: Hold) -> None:
        hold.answer(self._refusal_by(_TOO_MANY[Admission.FULL]))

    def _refusal_by(self, refusal: Refusal) -> Callable[[Exchange], object]:
        return lambda exchange: refuse(exchange, self._guard, refusal)


def identify(guard: BasicAuth, exchange: Exchange, user: bytes) -> None:
    """Tell the backend and all that follows who asks."""
    exchange.note(METADATA, {"username": user.decode("utf-8")})
    removed = frozenset() if guard.forward else frozenset((_AUTHORIZATION,))
    if guard.user_header:
        removed |= spelled_like(exchange.head.fields, (guard.user_header,))
        exchange.change_request([(guard.user_header, user)], removed)
    elif removed:
        exchange.change_request([], removed)


def missing_password(guard: BasicAuth) -> Refusal:
    """Return what those get who show nothing."""
    body = b"User authentication failed. Missing username and password."
    return Refusal(401, body, "no_credential_for_basic_auth", fields=_asked(guard))


def wrong_password(guard: BasicAuth) -> Refusal:
    """Return what those get who show something else."""
    body = b"User authentication failed. Invalid username/password combination."
    return Refusal(401, body, "invalid_credential_for_basic_auth", fields=_asked(guard))


def _asked(guard: BasicAuth) -> tuple[Field, ...]:
    return ((b"www-authenticate", challenge(b"Basic", guard.realm)),)


def _client(exchange: Exchange) -> Hashable:
    """Return who counts as one client: an address, or a /64 of IPv6."""
    host = exchange.client_address.decode("latin-1")
    return host if host.startswith("::ffff:") else client_of(TCPAddress(host, 0))


def shown_credentials(exchange: Exchange) -> bytes | None:
    """Return what a request shows; L{None}: nothing that is worth a look. Two fields are nothing: which one counts?"""
    found = [value for name, value in exchange.head.fields if name == _AUTHORIZATION]
    return found[0] if len(found) == 1 and len(found[0]) <= LONGEST_CREDENTIALS else None


_NOT_CHECKED: Final = Refusal(
    503, b"the password could not be checked", "basic_auth_failed", fields=((b"retry-after", b"1"),)
)
_TOO_MANY: Final = {
    Admission.CLIENT_FULL: Refusal(
        429, b"too many passwords are being checked", "basic_auth_too_many_checks", fields=((b"retry-after", b"1"),)
    ),
    Admission.FULL: Refusal(
        503, b"too many passwords are being checked", "basic_auth_overloaded", fields=((b"retry-after", b"1"),)
    ),
}
