"""edgegate's C{OIDCPolicy}: who has logged in with a provider of OpenID Connect may enter."""

from __future__ import annotations

from edgegate.istio.kinds.base import Duration, Spec
from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.kinds.secret_source import SecretSource

CALLBACK = "/oauth2/callback"
LOGOUT = "/oauth2/logout"
"""What the paths are by default."""


class OIDCProvider(Spec, frozen=True, kw_only=True):
    """
    The provider: all that has to be known of it is fetched from C{ISSUER/.well-known/openid-configuration}.

    C{caCertificates} is a file with those that its certificate may be from besides the system's.
    """

    issuer: str = ""
    ca_certificates: str | None = None


class AllowedClaim(Spec, frozen=True, kw_only=True):
    """A claim of the id token, and the values of which it must have one. Dots lead into objects."""

    claim: str = ""
    values: tuple[str, ...] = ()


class ClaimToHeader(Spec, frozen=True, kw_only=True):
    """A header in which backends get a claim of the id token. Dots lead into objects."""

    header: str = ""
    claim: str = ""


class OIDCPolicy(TargetedPolicy, frozen=True, kw_only=True):
    """
    The C{spec} of an OIDCPolicy.

    C{clientSecret} is the client's secret alone; of a Secret it is the entry C{client-secret}. C{cookieKeys} has a key
    in each line, of which the first seals and all open; of a Secret it is the entry C{cookie-keys}. Where there is no
    C{clientSecret}, PKCE alone proves who asks. C{afterLogout} is a URL or a path. With C{acceptTokens} a request
    passes without a session that has a token which a RequestAuthentication has verified.
    """

    provider: OIDCProvider | None = None
    client_id: str = ""
    client_secret: SecretSource | None = None
    cookie_keys: SecretSource | None = None
    scopes: tuple[str, ...] = ()
    callback_path: str | None = None
    logout_path: str | None = None
    after_logout: str | None = None
    cookie_name: str | None = None
    session_duration: Duration | None = None
    allowed_claims: tuple[AllowedClaim, ...] = ()
    claims_to_headers: tuple[ClaimToHeader, ...] = ()
    forward_access_token: bool | None = None
    accept_tokens: bool | None = None
