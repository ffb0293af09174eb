"""C{BasicAuthPolicy} and C{APIKeyPolicy} to guards."""

from __future__ import annotations

from edgegate.access.api_keys import key_digest, parse_keys
from edgegate.access.passwords.htpasswd import parse_htpasswd
from edgegate.istio.kinds.api_key_policy import APIKeyPolicy, KeyExtraction
from edgegate.istio.kinds.basic_auth_policy import BasicAuthPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.secret_sources import SecretSources
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.model import codes
from edgegate.model.guards.credentials import APIKeys, BasicAuth, KeyLocation, KeyPlace

HTPASSWD_ENTRIES = (".htpasswd", "htpasswd", "auth")
"""Entries of Secrets with users: Envoy Gateway's name, the plain one, and ingress-nginx's."""
KEY_ENTRIES = ("keys",)

_DEFAULT_PLACES = (KeyPlace(KeyLocation.HEADER, b"x-api-key"),)


def place_basic_auth(policies: Policies, standing: Standing) -> None:
    """Have the users of all BasicAuthPolicies asked for where those belong."""
    sources = SecretSources(policies)
    for policy in policies.resources.basic_auth_policies:
        spec = policy.spec
        guard = BasicAuth(
            f"{policy.namespace}/{policy.name}",
            policy.document.origin,
            _users(sources, policy),
            (spec.realm or policy.name).encode(),
            (spec.user_header or "").lower().encode(),
            bool(spec.forward),
        )
        standing.on(policies.targeted(policy), guard)


def place_api_keys(policies: Policies, standing: Standing) -> None:
    """Have the keys of all APIKeyPolicies asked for where those belong."""
    sources = SecretSources(policies)
    for policy in policies.resources.api_key_policies:
        spec = policy.spec
        guard = APIKeys(
            f"{policy.namespace}/{policy.name}",
            policy.document.origin,
            tuple(place for each in spec.extract_from for place in _places(each)) or _DEFAULT_PLACES,
            _keys(policies, sources, policy),
            (spec.realm or policy.name).encode(),
            (spec.client_header or "").lower().encode(),
            bool(spec.forward),
        )
        standing.on(policies.targeted(policy), guard)


def _users(sources: SecretSources, policy: Resource[BasicAuthPolicy]) -> tuple[tuple[bytes, bytes], ...]:
    path = ("spec", "users")
    found = sources.find(policy, path, policy.spec.users, *HTPASSWD_ENTRIES)
    if found is None:
        return ()
    file = parse_htpasswd(found.content)
    sources.told(policy, path, found, file.mistakes, warn=False)
    sources.told(policy, path, found, file.doubts, warn=True)
    return tuple(file.users.items())


def _places(extraction: KeyExtraction) -> tuple[KeyPlace, ...]:
    """Return the place that is meant; none where something was reported."""
    if extraction.header is not None:
        prefix = (extraction.prefix or "").encode()
        return (KeyPlace(KeyLocation.HEADER, extraction.header.lower().encode(), prefix),)
    if extraction.query_parameter is not None:
        return (KeyPlace(KeyLocation.QUERY, extraction.query_parameter.encode()),)
    if extraction.cookie is not None:
        return (KeyPlace(KeyLocation.COOKIE, extraction.cookie.encode()),)
    return ()


def _keys(policies: Policies, sources: SecretSources, policy: Resource[APIKeyPolicy]) -> tuple[tuple[bytes, str], ...]:
    """Return all keys of a policy; one that two clients have is reported."""
    keys: dict[bytes, str] = {}
    path = ("spec", "keysFrom")
    found = sources.find(policy, path, policy.spec.keys_from, *KEY_ENTRIES)
    if found is not None:
        file = parse_keys(found.content)
        sources.told(policy, path, found, file.mistakes, warn=False)
        keys.update(file.keys)
    for index, each in enumerate(policy.spec.keys):
        try:
            digest = key_digest(each.sha256)
        except ValueError:
            continue  # it was reported
        if digest in keys:
            place = ("spec", "keys", index, "sha256")
            policy.error(policies.problems, place, "this key is given twice", code=codes.BAD_CREDENTIALS)
        keys[digest] = each.client
    return tuple(keys.items())
