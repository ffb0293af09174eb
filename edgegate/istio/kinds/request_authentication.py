"""Istio's C{RequestAuthentication}: which tokens are believed."""

from __future__ import annotations

from typing import ClassVar

from edgegate.istio.kinds.base import Duration, OneOf, Spec
from edgegate.istio.kinds.telemetry import TargetReference, WorkloadSelector


class JWTHeader(Spec, frozen=True, kw_only=True):
    """A header that a token may stand in, behind a prefix."""

    name: str = ""
    prefix: str | None = None


class ClaimToHeader(Spec, frozen=True, kw_only=True):
    """A header that tells backends a claim."""

    header: str = ""
    claim: str = ""


class JWTRule(Spec, frozen=True, kw_only=True):
    """The tokens of one issuer."""

    issuer: str | None = None
    audiences: tuple[str, ...] = ()
    jwks_uri: str | None = None
    jwks: str | None = None
    from_headers: tuple[JWTHeader, ...] = ()
    from_params: tuple[str, ...] = ()
    from_cookies: tuple[str, ...] = ()
    output_payload_to_header: str | None = None
    output_claim_to_headers: tuple[ClaimToHeader, ...] = ()
    forward_original_token: bool | None = None
    space_delimited_claims: tuple[str, ...] = ()
    timeout: Duration | None = None


class RequestAuthentication(OneOf, frozen=True, kw_only=True):
    """The tokens that are believed at some workloads. None is required by it."""

    one_of: ClassVar[tuple[str, ...]] = ("selector", "target_ref")

    selector: WorkloadSelector | None = None
    target_ref: TargetReference | None = None
    target_refs: tuple[TargetReference, ...] = ()
    jwt_rules: tuple[JWTRule, ...] = ()
