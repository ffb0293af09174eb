"""What the gateway answers who has to log in, logs in, or may not."""

from __future__ import annotations

from typing import Final

from edgegate.access.oidc.navigation import goes_to_page
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.guards.refusal import Refusal
from edgegate.model.guards.oidc import OIDC

NO_STORE: Final = (b"cache-control", b"no-store")

NEEDS_HTTPS: Final = Refusal(403, b"log in by https", "oidc_needs_https")
NOT_ALLOWED: Final = Refusal(403, b"access denied", "oidc_claims_denied", fields=(NO_STORE,))
PROVIDER_AWAY: Final = Refusal(
    503, b"the login service does not answer", "oidc_provider_unavailable", fields=((b"retry-after", b"5"), NO_STORE)
)
NO_LOGIN: Final = Refusal(
    400, b"this login is over, or was not begun here: open the page again", "oidc_unknown_login", fields=(NO_STORE,)
)
BAD_ANSWER: Final = Refusal(400, b"this is no answer to a login", "oidc_bad_callback", fields=(NO_STORE,))
TOO_LARGE: Final = Refusal(500, b"the session does not fit into cookies", "oidc_session_too_large", fields=(NO_STORE,))
BAD_IDENTITY: Final = Refusal(
    403, b"the login service has sent what can't be believed", "oidc_identity_refused", fields=(NO_STORE,)
)

_AWAY: Final = ("server_error", "temporarily_unavailable")


def unauthorized(guard: OIDC) -> Refusal:
    """Return what programs and scripts get."""
    challenge = b'Bearer realm="%b"' % guard.provider.issuer.encode("ascii", "replace").replace(b'"', b"")
    fields = ((b"www-authenticate", challenge), NO_STORE)
    return Refusal(401, b"log in first", "oidc_not_logged_in", fields=fields)


def refused_by_provider(error: str) -> Refusal:
    """Return what a user gets whom the provider did not let in."""
    if error in _AWAY:
        return PROVIDER_AWAY
    shown = error if error.replace("_", "").isalpha() and error.isascii() and len(error) <= 64 else "unknown error"
    return Refusal(
        403,
        b"the login service has refused the login: " + shown.encode(),
        f"oidc_refused{{{shown.replace(' ', '_')}}}",
        fields=(NO_STORE,),
    )


def sent_to(location: bytes, details: str, cookies: list[Field]) -> Refusal:
    """Return what sends a user somewhere else."""
    return Refusal(302, b"", details, fields=((b"location", location), NO_STORE, *cookies))


def goes_to_log_in(exchange: Exchange) -> bool:
    """Whether a request is one that may be sent to the provider."""
    head = exchange.head
    return goes_to_page(head.method, head.fields, bool(head.upgrade)) and not exchange.asks_grpc


def with_cookies(refusal: Refusal, cookies: list[Field]) -> Refusal:
    """Return the same answer with cookies that are set or cleared."""
    fields = (*refusal.fields, *cookies)
    return Refusal(refusal.status, refusal.body, refusal.details, refusal.flag, fields, refusal.grpc_status)
