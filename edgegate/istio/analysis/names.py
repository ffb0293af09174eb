"""Names of hosts and services as Istio's analyzers compare them."""

from __future__ import annotations

import re

from edgegate.istio.translate.members import ip_literal
from edgegate.istio.translate.services import DOMAIN

_OF_KUBERNETES = re.compile(r"([^.]+)\.([^.]+)(\.svc)?")
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})


def matches(one: str, other: str) -> bool:
    """
    Whether two host patterns have names in common, by their text (Istio's C{host.Name.Matches}).

    Other than here, C{*a.example} has C{a.example} itself, too.
    """
    one, other = one.lower(), other.lower()
    if one[:1] == "*" and other[:1] == "*":
        short, long = sorted((one[1:], other[1:]), key=len)
        return long.endswith(short)
    if one[:1] == "*":
        return other.endswith(one[1:])
    if other[:1] == "*":
        return one.endswith(other[1:])
    return one == other


def full_name(host: str, namespace: str) -> str:
    """
    Return the name by which a service is looked up: a short name is one of the namespace.

    What Kubernetes' own DNS takes for a service, C{NAME.NAMESPACE} and C{NAME.NAMESPACE.svc}, is left as it is, as in
    Istio.
    """
    host = host.lower()
    return host if host.startswith("*") or "." in host else f"{host}.{namespace}.{DOMAIN}"


def is_served_without_declaration(host: str) -> bool:
    """Whether edgegate takes a destination that Istio has no service for: an address of its own."""
    return host == "localhost" or ip_literal(host) is not None


def of_kubernetes(host: str) -> str | None:
    """Return the full name of C{NAME.NAMESPACE} or C{NAME.NAMESPACE.svc}; L{None} where a host is neither."""
    found = _OF_KUBERNETES.fullmatch(host)
    return f"{found[1]}.{found[2]}.{DOMAIN}" if found else None


def whole_name(host: str, namespace: str) -> str:
    """Return the one name that all spellings of a service's name have, and any other host as it is."""
    name = full_name(host, namespace)
    return of_kubernetes(name) or name


def is_system(namespace: str) -> bool:
    """Whether a namespace is one of Kubernetes' own, at whose Services Istio does not look."""
    return namespace in _SYSTEM
