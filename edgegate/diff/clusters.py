"""How backends are spoken to: clusters as values, with their endpoints, and how many routes use each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from edgegate.diff.behaviour import Renamed, service
from edgegate.diff.fields import FieldChange, changes
from edgegate.diff.findings import Difference, Findings, Section
from edgegate.diff.servers import described
from edgegate.diff.sides import Side
from edgegate.diff.wording import words
from edgegate.model.clusters import Cluster, Endpoint
from edgegate.model.routes import WeightedCluster
from edgegate.model.tls import KeyPair
from edgegate.routing.snapshot import Snapshot


def compare_clusters(old: Side, new: Side, findings: Findings, renamed: Renamed) -> None:
    """Compare those that both sides have and that a route uses: of others the routes tell."""
    used_before, used_after = uses(old.snapshot), uses(new.snapshot)
    for name, before in old.snapshot.clusters.items():
        after = new.snapshot.clusters.get(name)
        if after is None or not (used_before[name] and used_after[name]):
            continue
        found = tuple(_changes(before, after, old, new))
        if found:
            title = service(name)
            used = used_after[name]
            findings.differences.append(
                Difference(Section.CLUSTERS, f"cluster {title}", "", "", found, title, used_by=used)
            )
    for was, now in renamed.items():
        findings.notes.append(f"{service(was)} is called {service(now)}, and is the same")


def renamed_clusters(old: Side, new: Side) -> Renamed:
    """
    Return the clusters of OLD that have another name in NEW and are the same otherwise, endpoints included.

    They are known by their values; where several have the same, nothing is said of them: who shares the limits of
    whom might change.
    """
    gone = [name for name in old.snapshot.clusters if name not in new.snapshot.clusters]
    come = [name for name in new.snapshot.clusters if name not in old.snapshot.clusters]
    if not gone or not come:
        return {}
    before, after = ({_value(name, side): name for name in names} for names, side in ((gone, old), (come, new)))
    counts = Counter(_value(name, side) for names, side in ((gone, old), (come, new)) for name in names)
    return {before[value]: after[value] for value in before if value in after and counts[value] == 2}


def _value(name: str, side: Side) -> object:
    """Return all that a cluster does but for its name. Where no name of its own says to whom, the endpoints do."""
    cluster = side.snapshot.clusters[name]
    pair = _shown(cluster, side)
    settings = tuple(
        getattr(cluster, field)
        for field in (
            *("discovery", "connect_timeout", "balancer", "limits", "outliers", "retry_share", "proxy_header"),
            *("http", "grpc_web"),
        )
    )
    tls = None if cluster.tls is None else (cluster.tls.sni, cluster.tls.authorities, cluster.tls.revocations)
    names = None if cluster.tls is None else (cluster.tls.names, cluster.tls.verified)
    shown = None if pair is None else (pair.chain, pair.key)
    endpoints = frozenset(Counter(side.endpoints.get(name, ())).items())
    # one without endpoints is nobody
    return (settings, tls, names, shown, endpoints) if endpoints else name


def uses(snapshot: Snapshot) -> Counter[str]:
    """Return how many routes use each cluster; a mirror is a use."""
    found: Counter[str] = Counter()
    for listener in snapshot.listeners:
        for chain in listener.chains():
            for _, host in chain.http.items() if chain.http is not None else ():
                for route in host.routes:
                    mirrors = [each.cluster for each in route.mirrors]
                    found.update({*_weighted(route.destinations), *mirrors})
            for relayed in chain.tcp or ():
                found.update(set(_weighted(relayed.destinations)))
    return found


def _weighted(destinations: tuple[WeightedCluster, ...]) -> list[str]:
    return [each.cluster for each in destinations if each.weight or len(destinations) == 1]


def _changes(before: Cluster, after: Cluster, old: Side, new: Side) -> Iterator[FieldChange]:
    pairs = _shown(before, old), _shown(after, new)
    if before != after:
        # what a credential is called does not matter: what it is does
        yield from (each for each in changes(before, after) if each.what != "TLS credential")
    shown = [None if each is None else (each.chain, each.key) for each in pairs]
    if shown[0] != shown[1]:
        told = ["none" if each is None else described(each) for each in pairs]
        yield FieldChange("client certificate", *told)
    was, now = old.endpoints.get(before.name, ()), new.endpoints.get(after.name, ())
    if Counter(was) != Counter(now):
        yield from _endpoints(was, now)


def _shown(cluster: Cluster, side: Side) -> KeyPair | None:
    return None if cluster.tls is None else side.secrets.shown_to(cluster.tls)


def _endpoints(was: tuple[Endpoint, ...], now: tuple[Endpoint, ...]) -> Iterator[FieldChange]:
    before, after = Counter(was), Counter(now)
    gone, come = sorted((before - after).elements(), key=str), sorted((after - before).elements(), key=str)
    kept = {each.address for each in gone} & {each.address for each in come}
    for address in sorted(kept, key=str):
        one = [each for each in gone if each.address == address]
        other = [each for each in come if each.address == address]
        if len(one) == len(other) == 1:
            yield from changes(one[0], other[0], f"endpoint {address}")
            gone.remove(one[0])
            come.remove(other[0])
    if gone or come:
        yield FieldChange("endpoints", _list(was), _list(now))


def _list(endpoints: tuple[Endpoint, ...]) -> str:
    return ", ".join(words(each.address) + (f" weight {each.weight}" if each.weight > 1 else "") for each in endpoints)
