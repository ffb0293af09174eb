"""C{OIDCPolicy} to guards."""

from __future__ import annotations

from hashlib import sha256

from edgegate.access.oidc.authorities import authorities_fault
from edgegate.access.oidc.sealing import BadKeys, parse_cookie_keys
from edgegate.config.document import Path
from edgegate.istio.kinds.oidc_policy import CALLBACK, LOGOUT, OIDCPolicy
from edgegate.istio.kinds.secret_source import SecretSource
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.secret_sources import SecretSources
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.model import codes
from edgegate.model.guards.jwt import ClaimHeader
from edgegate.model.guards.oidc import OIDC, AllowedClaim, OIDCClient

SECRET_ENTRIES = ("client-secret",)
COOKIE_ENTRIES = ("cookie-keys",)

_LASTS = 12 * 3600
_MOST_SECRET = 512


def place_oidc(policies: Policies, standing: Standing) -> None:
    """Have users asked to log in where OIDCPolicies belong."""
    sources = SecretSources(policies)
    for policy in policies.resources.oidc_policies:
        standing.on(policies.targeted(policy), _guard(policies, sources, policy))


def _guard(policies: Policies, sources: SecretSources, policy: Resource[OIDCPolicy]) -> OIDC:
    spec = policy.spec
    name = f"{policy.namespace}/{policy.name}"
    return OIDC(
        name,
        policy.document.origin,
        _client(policies, sources, policy),
        _cookie_keys(policies, sources, policy),
        (spec.callback_path or CALLBACK).encode("ascii", "replace"),
        (spec.logout_path or LOGOUT).encode("ascii", "replace"),
        spec.after_logout or "",
        (spec.cookie_name or f"edgegate-{sha256(name.encode()).hexdigest()[:8]}").encode("ascii", "replace"),
        int(spec.session_duration or _LASTS),
        tuple(AllowedClaim(tuple(each.claim.split(".")), each.values) for each in spec.allowed_claims),
        tuple(
            ClaimHeader(each.header.lower().encode("ascii", "replace"), tuple(each.claim.split(".")))
            for each in spec.claims_to_headers
        ),
        bool(spec.forward_access_token),
        bool(spec.accept_tokens),
    )


def _client(policies: Policies, sources: SecretSources, policy: Resource[OIDCPolicy]) -> OIDCClient:
    spec = policy.spec
    path: Path = ("spec", "clientSecret")
    found = sources.find(policy, path, spec.client_secret, *SECRET_ENTRIES)
    secret = b"" if found is None else found.content.strip()
    fault = _secret_fault(secret) if found is not None else ""
    if found is not None and fault:
        policy.error(policies.problems, path, f"{found.name}: {fault}", code=codes.BAD_CREDENTIALS)
    issuer = "" if spec.provider is None else spec.provider.issuer
    return OIDCClient(
        issuer,
        spec.client_id,
        secret,
        tuple(dict.fromkeys(("openid", *spec.scopes))),
        _authorities(policies, sources, policy),
    )


def _secret_fault(secret: bytes) -> str:
    """Say what is wrong with a client's secret, without it."""
    if not secret:
        return "it is empty"
    if len(secret) > _MOST_SECRET or b"\n" in secret or not secret.isascii():
        return f"a client's secret is one line of at most {_MOST_SECRET} characters of ASCII"
    return ""


def _cookie_keys(policies: Policies, sources: SecretSources, policy: Resource[OIDCPolicy]) -> tuple[bytes, ...]:
    path: Path = ("spec", "cookieKeys")
    found = sources.find(policy, path, policy.spec.cookie_keys, *COOKIE_ENTRIES)
    if found is None:
        return ()
    try:
        return parse_cookie_keys(found.content)
    except BadKeys as error:
        policy.error(policies.problems, path, f"{found.name}: {error}", code=codes.BAD_CREDENTIALS)
        return ()


def _authorities(policies: Policies, sources: SecretSources, policy: Resource[OIDCPolicy]) -> bytes:
    """Return the certificates that the provider's may be from, which are looked at once."""
    provider = policy.spec.provider
    if provider is None or not provider.ca_certificates:
        return b""
    path: Path = ("spec", "provider", "caCertificates")
    found = sources.find(policy, path, SecretSource(file=provider.ca_certificates))
    if found is None:
        return b""
    fault = authorities_fault(found.content)
    if fault:
        policy.error(policies.problems, path, f"{found.name}: {fault}", code=codes.BAD_KEY_MATERIAL)
        return b""
    return found.content
