"""Lets those pass who show a key (Envoy's C{api_key_auth})."""

from __future__ import annotations

from functools import partial
from typing import Final

from edgegate.access.api_keys import KeyRing, shown_keys
from edgegate.access.basic import challenge
from edgegate.access.request_parts import without_cookies, without_parameter
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.identified import answered_without, spelled_like, with_target
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.http.request import RequestHead
from edgegate.model.guards.credentials import APIKeys, KeyLocation

METADATA: Final = "envoy.filters.http.api_key_auth"
"""Where C{client} stands in a request's metadata."""

_BODY: Final = b"Client authentication failed."


class APIKeyState:
    """
    What is kept for a policy while it stays as it is.

    @ivar ring: Knows whose key a key is.
    """

    def __init__(self, guard: APIKeys) -> None:
        self.ring = KeyRing(guard.keys)

    def stop(self) -> None:
        """Nothing is left."""


class APIKeyFilter(HTTPFilter):
    """Asks for a key."""

    __slots__ = ("_guard", "_missing", "_ring", "_unknown")

    name = "api_key_auth"

    def __init__(self, guard: APIKeys, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._ring = environment.access.of(guard, partial(APIKeyState, guard)).ring
        self._missing = missing_key(guard)
        self._unknown = unknown_key(guard)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """Let a request pass, or refuse it."""
        shown = shown_keys(self._guard.places, exchange.head.fields, exchange.query)
        if not shown:
            if answered_without(exchange):
                return FilterStatus.CONTINUE
            return refuse(exchange, self._guard, self._missing)
        client = self._ring.client_of(shown)
        if client is None:
            return refuse(exchange, self._guard, self._unknown)
        change_request(self._guard, exchange, client)
        return FilterStatus.CONTINUE


def change_request(guard: APIKeys, exchange: Exchange, client: str) -> None:
    """Take the key out of a request, put the client's name into it, and tell all that follows."""
    exchange.note(METADATA, {"client": client})
    head, asked = exchange.head, exchange.route_head
    changed = _changed_head(guard, head, client)
    if changed is not head:
        exchange.replace_head(changed)
    if asked is not None:
        exchange.route_head = _changed_head(guard, asked, client)


def _changed_head(guard: APIKeys, head: RequestHead, client: str) -> RequestHead:
    header = guard.client_header
    removed = frozenset[bytes]()
    fields: list[Field] = []
    if not guard.forward:
        head = _without_keys(guard, head)
        removed = frozenset(_names(guard, KeyLocation.HEADER))
    if header:
        removed |= spelled_like(head.fields, (header,))
        fields.append((header, client.encode("ascii")))
    if removed or fields:
        head = head.changed(fields, removed)
    return head


def _without_keys(guard: APIKeys, head: RequestHead) -> RequestHead:
    """Return a head without the keys in its query and its cookies."""
    target = head.target
    for name in _names(guard, KeyLocation.QUERY):
        target = without_parameter(target, name)
    if target is not head.target:
        head = with_target(head, target)
    cookies = _names(guard, KeyLocation.COOKIE)
    if cookies and any(name == b"cookie" for name, _ in head.fields):
        head = head.changed(without_cookies(head.fields, cookies), frozenset((b"cookie",)))
    return head


def _names(guard: APIKeys, location: KeyLocation) -> list[bytes]:
    return [place.name for place in guard.places if place.location is location]


def missing_key(guard: APIKeys) -> Refusal:
    """Return what those get who show none."""
    return Refusal(401, _BODY, "missing_api_key", fields=_asked(guard))


def unknown_key(guard: APIKeys) -> Refusal:
    """Return what those get whose key is nobody's."""
    return Refusal(401, _BODY, "unknown_api_key", fields=_asked(guard))


def _asked(guard: APIKeys) -> tuple[Field, ...]:
    return ((b"www-authenticate", challenge(b"ApiKey", guard.realm)),)
