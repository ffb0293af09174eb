"""What passwords and keys make of a request that is made up."""

from __future__ import annotations

from edgegate.access.api_keys import KeyRing, shown_keys
from edgegate.access.basic import basic_credentials
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.api_keys import change_request, missing_key, unknown_key
from edgegate.http.guards.basic_auth import identify, missing_password, shown_credentials, wrong_password
from edgegate.http.guards.identified import answered_without
from edgegate.model.guards.credentials import APIKeys, BasicAuth
from edgegate.model.guards.guard import Guard


def judge_basic_auth(guard: BasicAuth, exchange: Exchange) -> Judgement:
    """Look the user up. The password is not checked: that takes long, and this may be asked of a gateway that runs."""
    value = shown_credentials(exchange)
    shown = None if value is None else basic_credentials(value)
    if shown is None:
        return _answered_without(guard, exchange) or Judgement(
            guard, Verdict.DENIED, "it shows no name and password", missing_password(guard)
        )
    user = shown[0]
    if not any(name == user for name, _ in guard.users):
        return Judgement(guard, Verdict.DENIED, "no user has the name that it shows", wrong_password(guard))
    name = user.decode("utf-8")
    identify(guard, exchange, user)
    return Judgement(guard, Verdict.UNKNOWN, f"there is a user {name}, whose password is not checked here")


def judge_api_keys(guard: APIKeys, exchange: Exchange) -> Judgement:
    """Look the key up."""
    shown = shown_keys(guard.places, exchange.head.fields, exchange.query)
    if not shown:
        return _answered_without(guard, exchange) or Judgement(
            guard, Verdict.DENIED, "it shows no key", missing_key(guard)
        )
    client = KeyRing(guard.keys).client_of(shown)
    if client is None:
        return Judgement(guard, Verdict.DENIED, "it shows a key that is nobody's", unknown_key(guard))
    change_request(guard, exchange, client)
    return Judgement(guard, Verdict.ALLOWED, f"the key is that of {client}")


def _answered_without(guard: Guard, exchange: Exchange) -> Judgement | None:
    if answered_without(exchange):
        return Judgement(guard, Verdict.ALLOWED, "it gets an answer for which nobody has to be known")
    return None
