"""The keys of C{AuthorizationPolicy.spec.rules[].when}: what each asks for (Istio's C{pkg/config/security})."""

from __future__ import annotations

import re
from typing import Final

from edgegate.config.values import show, suggestion
from edgegate.model.guards.authorization import Attribute

_PLAIN: Final = {
    "source.ip": (Attribute.PEER, ()),
    "remote.ip": (Attribute.CLIENT, ()),
    "source.namespace": (Attribute.NAMESPACE, ()),
    "source.serviceAccount": (Attribute.SERVICE_ACCOUNT, ()),
    "source.principal": (Attribute.PRINCIPAL, ()),
    "source.trustDomain": (Attribute.TRUST_DOMAIN, ()),
    "request.auth.principal": (Attribute.REQUEST_PRINCIPAL, ()),
    "request.auth.audiences": (Attribute.CLAIM, ("aud",)),
    "request.auth.presenter": (Attribute.CLAIM, ("azp",)),
    "destination.ip": (Attribute.LOCAL, ()),
    "destination.port": (Attribute.PORT, ()),
    "connection.sni": (Attribute.SERVER_NAME, ()),
}

_HEADERS: Final = "request.headers"
_CLAIMS: Final = "request.auth.claims"
_EXPERIMENTAL: Final = "experimental.envoy.filters."
_NAMES: Final = re.compile(r"(?:\[[^\[\]]+\])+")
_NAME: Final = re.compile(r"\[([^\[\]]+)\]")
_METADATA: Final = re.compile(r"experimental\.(envoy\.filters\.[^\[\]]+)\[([^\]]+)\]")
_HEADER: Final = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_GONE: Final = {
    "destination.namespace": "a policy is for the workloads of its own namespace",
    "destination.name": "the selector says which workloads are meant",
    "destination.user": "the selector says which workloads are meant",
}


class BadKey(ValueError):
    """A key asks for nothing that there is."""


def parse_key(key: str) -> tuple[Attribute, tuple[str, ...]]:
    """
    Return what a key asks for, and the names in its brackets.

    @raise BadKey: It asks for nothing.
    """
    found = _PLAIN.get(key)
    if found is not None:
        return found
    name, bracket, _ = key.partition("[")
    if name == _HEADERS:
        header = key[len(_HEADERS) + 1 : -1] if bracket and key.endswith("]") else ""
        if not _HEADER.fullmatch(header):
            raise BadKey(f"{show(key)} names no header: write request.headers[x-name]")
        return Attribute.HEADER, (header.lower(),)
    if name == _CLAIMS:
        names = key[len(_CLAIMS) :]
        if not _NAMES.fullmatch(names):
            raise BadKey(f"{show(key)} names no claim: write request.auth.claims[name], or [name][inner]")
        return Attribute.CLAIM, tuple(_NAME.findall(names))
    if key.startswith(_EXPERIMENTAL):
        metadata = _METADATA.fullmatch(key)
        if metadata is None:
            raise BadKey(f"{show(key)} names no metadata: write experimental.envoy.filters.NAME[KEY]")
        return Attribute.METADATA, (metadata[1], metadata[2])
    if name == "destination.labels":
        raise BadKey(f"{show(key)} is not a condition any more: the selector says which workloads are meant")
    if key in _GONE:
        raise BadKey(f"{show(key)} is not a condition any more: {_GONE[key]}")
    known = (*_PLAIN, f"{_HEADERS}[]", f"{_CLAIMS}[]")
    raise BadKey(f"{show(key)} is no key{suggestion(key, known)}")
