# Compiled: values that hot modules read.
"""Which tokens are believed (Istio's C{JWTRule})."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable

METADATA: Final = "envoy.filters.http.jwt_authn"
PAYLOAD: Final = "payload"
"""Where a request's claims are in what is known of it (Istio)."""


@dataclass(frozen=True, slots=True)
class InlineKeys(Picklable):
    """
    Keys that the files say themselves.

    @ivar text: A key set as JSON, of asymmetric keys the public half alone. It may hold secrets, so it is not shown.
    """

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemoteKeys(Picklable):
    """
    Keys that are fetched.

    @ivar url: Of the key set; of the issuer's OpenID configuration, which names that, where C{discovered}.
    @ivar timeout: Seconds for one try.
    """

    url: str
    discovered: bool
    timeout: float


@dataclass(frozen=True, slots=True)
class TokenHeader(Picklable):
    """
    A field that a token may stand in.

    @ivar prefix: Behind which it begins; empty: it is the whole value.
    """

    name: bytes
    prefix: bytes = b""


@dataclass(frozen=True, slots=True)
class ClaimHeader(Picklable):
    """
    A field that backends get.

    @ivar claim: A claim's name, and the names in it, of which the last one's value is told.
    """

    name: bytes
    claim: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JWTRule(Picklable):
    """
    The tokens of one issuer.

    @ivar policy: The C{RequestAuthentication} that says it: C{NAMESPACE/NAME}.
    @ivar issuer: Empty: whoever the keys are of.
    @ivar audiences: One of which a token must be for; empty: it may be for any.
    @ivar params: Parameters of the query that a token may stand in; so do C{cookies}.
    @ivar forward: Whether backends get the token as well.
    @ivar payload_header: What tells a backend the claims; empty: nothing does.
    @ivar split_claims: The claims that are lists with blanks between.
    """

    policy: str = field(compare=False)
    origin: Origin = field(compare=False)
    issuer: str
    keys: InlineKeys | RemoteKeys
    audiences: tuple[str, ...] = ()
    headers: tuple[TokenHeader, ...] = ()
    params: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    forward: bool = False
    payload_header: bytes = b""
    claim_headers: tuple[ClaimHeader, ...] = ()
    split_claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenGuard(Guard):
    """
    All rules for tokens that hold for one workload, in the order of their issuers.

    A request without a token passes; so it needs others that ask for one.
    """

    rules: tuple[JWTRule, ...]

    def stage(self) -> Stage:
        """When a request meets it."""
        return Stage.JWT
