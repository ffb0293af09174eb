"""What a login makes of a request that is made up."""

from __future__ import annotations

import os
from collections.abc import Collection
from time import time

from edgegate.access.oidc.claims import may_pass
from edgegate.access.oidc.cookies import joined, own
from edgegate.access.oidc.navigation import keeps_cookies
from edgegate.access.oidc.session import Session
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.identified import answered_without
from edgegate.http.guards.oidc.answers import NEEDS_HTTPS, NOT_ALLOWED, goes_to_log_in, sent_to, unauthorized
from edgegate.http.guards.oidc.cookie_box import CookieBox
from edgegate.http.guards.oidc.passing import identify, token_session
from edgegate.model.guards.oidc import OIDC


def judge_oidc(guard: OIDC, exchange: Exchange) -> Judgement:
    """Open the session that a request shows; the provider is not asked."""
    head = exchange.head
    if head.path in (guard.callback, guard.logout):
        return Judgement(guard, Verdict.UNKNOWN, "it is a login's own path, which the gateway answers")
    if not keeps_cookies(exchange.scheme, head.authority):
        if answered_without(exchange):
            return Judgement(guard, Verdict.ALLOWED, "it gets an answer for which nobody has to be known")
        return Judgement(guard, Verdict.DENIED, "browsers send no session in the clear", NEEDS_HTTPS)
    box = CookieBox(guard, os.urandom)
    cookies = own(head.fields, box.name)
    text = joined(cookies, box.name)
    of_token = token_session(guard, exchange)
    if of_token is not None:
        return _passing(guard, exchange, of_token, cookies.keys(), "has a token")
    opened = None if text is None else box.opened(text)
    if opened is None:
        return _not_logged_in(guard, exchange, "it shows no session of this policy")
    return _judged(guard, exchange, opened[0], cookies.keys())


def _judged(guard: OIDC, exchange: Exchange, session: Session, own: Collection[bytes]) -> Judgement:
    now = time()
    if now >= session.began + guard.lasts or (now >= session.fresh_until and not session.refresh_token):
        return _not_logged_in(guard, exchange, "its session is over")
    found = _passing(guard, exchange, session, own, "has logged in")
    if found.verdict is Verdict.ALLOWED and now >= session.fresh_until:
        return Judgement(guard, Verdict.UNKNOWN, f"{found.words}, and the provider is asked for new tokens")
    return found


def _passing(guard: OIDC, exchange: Exchange, session: Session, own: Collection[bytes], has: str) -> Judgement:
    who = session.claims.get("sub", "")
    if not may_pass(session.claims, guard.allowed):
        return Judgement(guard, Verdict.DENIED, f"{who} {has}, and is none of those who may pass", NOT_ALLOWED)
    identify(guard, exchange, session, own)
    return Judgement(guard, Verdict.ALLOWED, f"{who} {has}")


def _not_logged_in(guard: OIDC, exchange: Exchange, words: str) -> Judgement:
    if answered_without(exchange):
        return Judgement(guard, Verdict.ALLOWED, "it gets an answer for which nobody has to be known")
    if goes_to_log_in(exchange):
        refusal = sent_to(guard.provider.issuer.encode("ascii", "replace"), "oidc_login", [])
        return Judgement(guard, Verdict.DENIED, f"{words}: its user is sent to {guard.provider.issuer}", refusal)
    return Judgement(guard, Verdict.DENIED, words, unauthorized(guard))
