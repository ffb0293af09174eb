"""Values of the Snapshot in words, as explanations say them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgegate.http.fields import Field
from edgegate.model.clusters import ConsistentHash, HashSource, LoadBalancer
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.operators import Operator
from edgegate.model.policies import RetryPolicy
from edgegate.model.tls import UpstreamTLS


def text(data: bytes) -> str:
    """Return bytes of a request as text, such that a terminal does nothing but show it."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in data.decode("latin-1"))


def percent(share: float) -> str:
    """Return a share between 0 and 1: C{33.3 %}."""
    return f"{share * 100:.4g} %"


def seconds(given: float | None) -> str:
    """Return a time: C{5s}; L{None}: there is no limit."""
    return "none" if given is None else f"{given:g}s"


def retries(policy: RetryPolicy | None) -> str:
    """Return when a request is tried again, and how often."""
    if policy is None:
        return "none"
    reasons = [*sorted(policy.conditions), *map(str, sorted(policy.statuses))]
    each = "" if policy.per_try_timeout is None else f", {policy.per_try_timeout:g}s for each try"
    return f"{policy.attempts} after the first try, on {', '.join(reasons) or 'nothing'}{each}"


def template(given: Template) -> str:
    """Return the value of a header as the files have it."""
    return "".join(_operator(part) if isinstance(part, Operator) else text(part) for part in given.parts)


def _operator(given: Operator) -> str:
    argument = f"({given.argument})" if given.argument else ""
    longest = "" if given.longest is None else f":{given.longest}"
    return f"%{given.name}{argument}{longest}%"


def header_changes(changes: Iterable[HeaderChanges]) -> Iterator[str]:
    """Yield what is done to the headers of a response."""
    for each in changes:
        yield from (f"removes {text(name)}" for name in each.remove)
        yield from (f"sets {text(name)}: {template(value)}" for name, value in each.set)
        yield from (f"adds {text(name)}: {template(value)}" for name, value in each.add)


def differences(before: Iterable[Field], after: Iterable[Field]) -> tuple[list[str], list[Field]]:
    """Return the names of fields that are gone, and the fields that are new or have another value."""
    old, new = list(before), list(after)
    names = {name for name, _ in new}
    removed = list(dict.fromkeys(text(name) for name, _ in old if name not in names))
    return removed, [field for field in new if field not in old]


def balancing(balancer: LoadBalancer) -> str:
    """Return how an endpoint is chosen."""
    if balancer.hash is not None:
        return f"by the hash of {hash_source(balancer.hash)}"
    return balancer.simple.value


def hash_source(rule: ConsistentHash) -> str:
    """Return what is hashed: C{header x-user}."""
    return rule.source.value if rule.source is HashSource.SOURCE_IP else f"{rule.source.value} {rule.name}"


def upstream_tls(tls: UpstreamTLS | None, server_name: str) -> str:
    """Return on what terms a backend is spoken to."""
    if tls is None:
        return "in the clear"
    mode = "SIMPLE" if tls.credential is None else f"MUTUAL with {tls.credential.name}"
    name = f"SNI {server_name}" if server_name else "no SNI"
    if not tls.verified:
        return f"{mode}, {name}, its certificate is not verified"
    return f"{mode}, {name}, its certificate must be for {' or '.join(tls.names) or server_name or 'it'}"
