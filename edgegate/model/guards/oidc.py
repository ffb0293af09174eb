# Compiled: values that hot modules read.
"""Who has logged in with a provider of OpenID Connect: edgegate's OIDCPolicy."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.guards.jwt import ClaimHeader
from edgegate.model.picklable import Picklable


@dataclass(frozen=True, slots=True)
class AllowedClaim(Picklable):
    """
    A claim that decides who may pass.

    @ivar path: Its name, or those of the objects that it is in first.
    @ivar values: One of these it must have.
    """

    path: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OIDCClient(Picklable):
    """
    What the gateway is for a provider.

    @ivar issuer: The provider, as it calls itself.
    @ivar secret: Empty: it has none, and only PKCE proves who asks.
    @ivar authorities: PEM of those that the provider's certificate may be from besides the system's; empty: none.
    """

    issuer: str
    client: str
    secret: bytes = field(default=b"", repr=False)
    scopes: tuple[str, ...] = ("openid",)
    authorities: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class OIDC(Guard):
    """
    Lets those pass who have logged in, and sends others to log in.

    @ivar cookie_keys: 32 bytes each: the first seals cookies, all open them.
    @ivar callback: The path that the provider sends clients back to.
    @ivar logout: The path that ends a session.
    @ivar after_logout: The URL or path that clients are sent to then; empty: they are told that they have logged out.
    @ivar cookie: How the names of cookies begin.
    @ivar lasts: Seconds from the login until the user has to log in again.
    @ivar allowed: What users must be; none: all of the provider's may pass.
    @ivar claim_headers: What backends are told of users.
    @ivar forward_token: Whether backends get the access token (C{authorization: Bearer}).
    @ivar accept_tokens: Whether a token that was verified before is as good as a session.
    """

    provider: OIDCClient
    cookie_keys: tuple[bytes, ...] = field(repr=False)
    callback: bytes = b"/oauth2/callback"
    logout: bytes = b"/oauth2/logout"
    after_logout: str = ""
    cookie: bytes = b"edgegate"
    lasts: int = 43_200
    allowed: tuple[AllowedClaim, ...] = ()
    claim_headers: tuple[ClaimHeader, ...] = ()
    forward_token: bool = False
    accept_tokens: bool = False

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.OIDC
