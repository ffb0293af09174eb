"""
What becomes of a request or a connection, as a value: equal where a client and its backends see the same.

Names of routes and lines of files are no part of it, nor how a split is written: C{1:1} is C{50:50}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import gcd
from typing import Final

from edgegate.diff.fields import FieldChange, change, changes
from edgegate.diff.policies import Policy, between_policies, policies_of, shown
from edgegate.diff.wording import words
from edgegate.errors import Fault
from edgegate.model.actions import DirectResponse, Redirect, RequestChanges
from edgegate.model.headers import HeaderChanges
from edgegate.model.policies import CORSPolicy, Faults, Mirror, RetryPolicy
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster

Renamed = Mapping[str, str]
"""Names of clusters of OLD that are called otherwise in NEW, and are the same."""

_NONE_RENAMED: Final[Renamed] = {}


@dataclass(frozen=True, slots=True)
class Share:
    """
    Where a part of the traffic goes.

    @ivar weight: Relative to the others, as small as can be.
    @ivar percent: The same of a hundred.
    """

    cluster: str
    weight: int
    percent: float
    request: RequestChanges | None = None
    response: tuple[HeaderChanges, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """Sent on to backends."""

    destinations: tuple[Share, ...]
    timeout: float | None = None
    retries: RetryPolicy | None = None
    mirrors: tuple[Mirror, ...] = ()
    faults: Faults | None = None
    cors: CORSPolicy | None = None
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """Answered by the gateway, as files say: exactly one of C{redirect} and C{direct} is not L{None}."""

    redirect: Redirect | None = None
    direct: DirectResponse | None = None
    response: HeaderChanges | None = None
    faults: Faults | None = None
    cors: CORSPolicy | None = None
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class ToHTTPS:
    """Sent to the same URL under https, at a port."""

    port: int


@dataclass(frozen=True, slots=True)
class Relayed:
    """Bytes that are relayed to backends."""

    destinations: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """
    Answered with an error, or closed.

    @ivar status: 0: there is no answer.
    """

    status: int
    reason: str


Behaviour = Sent | Answered | ToHTTPS | Relayed | Refused


def of_route(route: HTTPRoute | None, renamed: Renamed = _NONE_RENAMED) -> Behaviour:
    """Return what an HTTP route does; L{None}: there is none."""
    if route is None:
        return NO_ROUTE
    faults, cors, policies = _faults(route.faults), _cors(route.cors), policies_of(route.guards)
    if route.redirect is not None or route.direct is not None:
        response = route.response if route.response != HeaderChanges() else None
        return Answered(route.redirect, None if route.redirect else route.direct, response, faults, cors, policies)
    mirrors = tuple(Mirror(renamed.get(each.cluster, each.cluster), each.share) for each in route.mirrors if each.share)
    return Sent(shares(route.destinations, renamed), route.timeout, route.retries, mirrors, faults, cors, policies)


def of_tcp_route(route: TCPRoute | None, renamed: Renamed = _NONE_RENAMED) -> Behaviour:
    """Return what a route of connections does; L{None}: there is none."""
    return CLOSED if route is None else Relayed(shares(route.destinations, renamed))


def of_fault(fault: Fault) -> Refused:
    """Return what an error is to a client."""
    return Refused(fault.status, fault.reason)


NO_ROUTE: Final = Refused(404, "no route")
CLOSED: Final = Refused(0, "no route")


def shares(destinations: tuple[WeightedCluster, ...], renamed: Renamed = _NONE_RENAMED) -> tuple[Share, ...]:
    """Return who gets how much: those that are alike together, in no order of the files', none without a share."""
    weights: dict[tuple[str, RequestChanges | None, tuple[HeaderChanges, ...]], int] = {}
    # a single destination gets all, whatever its weight
    alone = len(destinations) == 1
    for each in destinations:
        request = None if each.request == RequestChanges() else each.request
        response = tuple(changed for changed in each.response if changed != HeaderChanges())
        key = renamed.get(each.cluster, each.cluster), request, response
        weights[key] = weights.get(key, 0) + (1 if alone else each.weight)
    found = {key: weight for key, weight in weights.items() if weight}
    unit, total = gcd(*found.values()) if found else 1, sum(found.values())
    parts = [Share(key[0], weight // unit, 100 * weight / total, key[1], key[2]) for key, weight in found.items()]
    return tuple(sorted(parts, key=lambda share: (share.cluster, share.weight, repr(share))))


def _faults(faults: Faults | None) -> Faults | None:
    """Leave out those that no request has."""
    if faults is None:
        return None
    delay = faults.delay if faults.delay is not None and faults.delay.share and faults.delay.seconds else None
    abort = faults.abort if faults.abort is not None and faults.abort.share else None
    return None if delay is None and abort is None else Faults(delay, abort)


def _cors(cors: CORSPolicy | None) -> CORSPolicy | None:
    """Put the origins in an order of their own: any of them is enough."""
    if cors is None:
        return None
    return replace(cors, origins=tuple(sorted(dict.fromkeys(cors.origins), key=repr)))


# In words ------------------------------------------------------------------------------------------------------------


def service(cluster: str) -> str:
    """Return a cluster as people call it: C{web.shop.svc.cluster.local:80/v2}."""
    _, _, rest = cluster.partition("|")
    port, _, rest = rest.partition("|")
    subset, _, host = rest.partition("|")
    if not host:
        return cluster
    return f"{host}:{port}/{subset}" if subset else f"{host}:{port}"


def summary(behaviour: Behaviour) -> str:
    """Return what is done, in a line, without its details."""
    if isinstance(behaviour, Refused):
        return f"{behaviour.status} ({behaviour.reason})" if behaviour.status else f"closed ({behaviour.reason})"
    if isinstance(behaviour, ToHTTPS):
        return f"301 to https, port {behaviour.port}"
    if isinstance(behaviour, Answered):
        return _answer(behaviour)
    return f"to {_destinations(behaviour.destinations)}"


def _answer(answered: Answered) -> str:
    if answered.redirect is not None:
        redirect = replace(answered.redirect, code=301)
        return f"redirect {answered.redirect.code} ({words(redirect)})"
    assert answered.direct is not None
    return f"answer {words(answered.direct)}"


def _destinations(parts: tuple[Share, ...]) -> str:
    if len(parts) == 1:
        return service(parts[0].cluster)
    return ", ".join(f"{service(share.cluster)} {share.percent:.4g} %" for share in parts) or "nobody (503)"


def between(old: Behaviour, new: Behaviour) -> tuple[FieldChange, ...]:
    """Return how two behaviours differ, field by field; nothing where they don't."""
    if old == new:
        return ()
    if isinstance(old, Sent | Relayed) and isinstance(new, Sent | Relayed):
        found = list(_between_shares(old.destinations, new.destinations))
        if isinstance(old, Sent) and isinstance(new, Sent):
            found += _settings(old, new)
        elif type(old) is not type(new):
            found.append(FieldChange("protocol", _protocol(old), _protocol(new)))
        return tuple(found)
    if isinstance(old, Answered) and isinstance(new, Answered):
        same = (old.redirect is None) == (new.redirect is None)
        answer = [] if same else [FieldChange("answer", summary(old), summary(new))]
        if not same:
            return (*answer, *_details(old, new))
        beside = between_policies(old.policies, new.policies)
        return (*answer, *changes(replace(old, policies=new.policies), new), *beside)
    return (FieldChange("outcome", summary(old), summary(new)),)


def _protocol(behaviour: Sent | Relayed) -> str:
    return "HTTP" if isinstance(behaviour, Sent) else "bytes, relayed"


def _settings(old: Sent, new: Sent) -> Iterator[FieldChange]:
    for name in ("timeout", "retries", "mirrors", "faults", "cors"):
        before, after = getattr(old, name), getattr(new, name)
        if name == "mirrors" and before != after:
            yield FieldChange("mirrors", _mirrors(before), _mirrors(after))
        else:
            yield from changes(before, after, "CORS" if name == "cors" else name, name)
    yield from between_policies(old.policies, new.policies)


def _mirrors(mirrors: tuple[Mirror, ...]) -> str:
    return ", ".join(f"{service(each.cluster)} {each.share * 100:g} %" for each in mirrors) or "none"


def _between_shares(old: tuple[Share, ...], new: tuple[Share, ...]) -> Iterator[FieldChange]:
    """Yield how splits differ: who gets how much, and what is done to the messages of each."""
    before, after = _destinations(old), _destinations(new)
    if [(each.cluster, each.weight) for each in old] != [(each.cluster, each.weight) for each in new]:
        yield FieldChange("destination", before, after)
    if len(old) == len(new) == 1:
        yield from _between_messages(old[0], new[0], "")
        return
    was = {each.cluster: each for each in old}
    for share in new:
        if share.cluster in was and len(was) == len(old):
            yield from _between_messages(was[share.cluster], share, f"to {service(share.cluster)}: ")
    mixed = len({each.cluster for each in new}) != len(new) or len(was) != len(old)
    alike = {(each.request, each.response) for each in (*old, *new)}
    if len(alike) > 1 and (mixed or was.keys() != {each.cluster for each in new}):
        yield change("changes of messages", _messages(old), _messages(new))


def _between_messages(old: Share, new: Share, where: str) -> Iterator[FieldChange]:
    before, after = old.request or RequestChanges(), new.request or RequestChanges()
    if before.path != after.path:
        yield change(f"{where}path", before.path, after.path)
    if before.authority != after.authority:
        yield change(f"{where}authority", before.authority, after.authority)
    if before.headers != after.headers:
        yield change(f"{where}request headers", before.headers, after.headers)
    if old.response != new.response:
        yield change(f"{where}response headers", old.response, new.response)


def _messages(parts: tuple[Share, ...]) -> tuple[str, ...]:
    return tuple(f"{service(each.cluster)}: {words(each.request)}; {words(each.response)}" for each in parts)


def _details(old: Behaviour, new: Behaviour) -> Iterator[FieldChange]:
    """Yield what else is said of a behaviour that another kind has taken the place of."""
    before, after = details(old), details(new)
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield FieldChange(name, before.get(name, "none"), after.get(name, "none"))


def details(behaviour: Behaviour) -> dict[str, str]:
    """Return what a behaviour has beside its summary, in words by name: a timeout, say."""
    found: dict[str, object] = {}
    if isinstance(behaviour, Sent):
        found = {"timeout": behaviour.timeout, "faults": behaviour.faults, "CORS": behaviour.cors}
        if behaviour.retries is not None and behaviour.retries != RetryPolicy():
            found["retries"] = behaviour.retries
    elif isinstance(behaviour, Answered):
        found = {"response headers": behaviour.response, "faults": behaviour.faults, "CORS": behaviour.cors}
    said = {name: words(value, name) for name, value in found.items() if value is not None}
    if isinstance(behaviour, Sent | Answered) and behaviour.policies:
        said["policies"] = shown(behaviour.policies)
    if isinstance(behaviour, Sent) and behaviour.retries is None:
        said["retries"] = "none"
    if isinstance(behaviour, Sent) and behaviour.mirrors:
        said["mirrors"] = _mirrors(behaviour.mirrors)
    if isinstance(behaviour, Sent | Relayed) and any(each.request or each.response for each in behaviour.destinations):
        said["changes of messages"] = "; ".join(_messages(behaviour.destinations))
    return said
