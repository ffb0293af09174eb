"""
Which endpoints are near the gateway, and how much of the load the near ones take.

Groups are Istio's (C{LocalityLoadBalancerSetting}; C{pilot/pkg/networking/core/loadbalancer}), the shares of groups
are Envoy's (U{https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority}).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edgegate.model.clusters import Localities

OVERPROVISIONED = 1.4
"""A group takes its whole load while this times its fit endpoints is all of them: down to 72% (Envoy's factor)."""


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where the gateway is.

    @ivar locality: C{region/zone/subzone}, or less of it; empty: not known, and no endpoint is nearer than another.
    @ivar labels: Its labels.
    """

    locality: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class Member(Protocol):
    """What of an endpoint is looked at."""

    @property
    def locality(self) -> str: ...
    @property
    def labels(self) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True, slots=True)
class Grouping:
    """
    How the endpoints of a cluster fall into groups. Members are indexes.

    @ivar groups: None is empty.
    @ivar weights: One for each group; empty where the first group comes first, and so on.
    """

    groups: tuple[tuple[int, ...], ...]
    weights: tuple[int, ...] = field(default=())


def grouping(members: Sequence[Member], settings: Localities | None, place: Place, watched: bool) -> Grouping:
    """
    Return the groups of a cluster's endpoints.

    @param watched: Whether it is found out which endpoints are fit. As in Istio, near ones are preferred only then:
        else nobody would take over from them.
    """
    everybody = Grouping((tuple(range(len(members))),)) if members else Grouping(())
    if settings is None:
        return everybody
    if settings.distribute:
        return _distributed(members, settings, place) or everybody
    if not watched or not (settings.priorities or place.locality):
        return everybody
    distance = _by_labels(settings, place) if settings.priorities else _by_region(settings, place)
    levels: dict[int, list[int]] = {}
    for index, member in enumerate(members):
        levels.setdefault(distance(member), []).append(index)
    return Grouping(tuple(tuple(levels[level]) for level in sorted(levels)))


def ability(fit: int, total: int) -> float:
    """Return how much of its load a group can take, up to 1."""
    return min(OVERPROVISIONED * fit / total, 1.0)


def priority_shares(groups: Sequence[tuple[int, int]]) -> list[float]:
    """
    Return the share of the load of each group, the sum of which is 1: the first takes what it can, then the next.

    @param groups: How many of its endpoints are fit, and how many it has, 1 or more.
    @return: All 0 where no endpoint is fit.
    """
    able = [ability(fit, total) for fit, total in groups]
    whole = min(sum(able), 1.0)
    left = 1.0
    shares = []
    for part in able:
        share = min(part / whole, left) if whole else 0.0
        left -= share
        shares.append(share)
    return shares


def weighted_shares(groups: Sequence[tuple[int, int]], weights: Sequence[int]) -> list[float]:
    """Return the relative share of each group: its weight, less where too few of its endpoints are fit."""
    return [weight * ability(fit, total) for (fit, total), weight in zip(groups, weights, strict=True)]


def matches(locality: str, pattern: str) -> bool:
    """Whether a locality is one of those that a pattern means: C{region/zone/subzone}, C{*} or nothing for any part."""
    return all(wanted in ("", "*", has) for wanted, has in zip(_parts(pattern), _parts(locality), strict=True))


def _parts(locality: str) -> list[str]:
    return [*locality.split("/", 2), "", ""][:3]


def _distributed(members: Sequence[Member], settings: Localities, place: Place) -> Grouping | None:
    """Return a group for each pattern that has endpoints and weight; others get nothing, as in Istio."""
    if not place.locality:
        return None
    shares = next((to for origin, to in settings.distribute if matches(place.locality, origin)), None)
    if shares is None:
        return None
    left = dict(enumerate(members))
    found: list[tuple[tuple[int, ...], int]] = []
    for pattern, weight in shares:
        group = tuple(index for index, member in left.items() if matches(member.locality, pattern))
        for index in group:
            del left[index]
        if group and weight > 0:
            found.append((group, weight))
    return Grouping(tuple(group for group, _ in found), tuple(weight for _, weight in found))


def _by_region(settings: Localities, place: Place) -> Callable[[Member], int]:
    """0: the same subzone, 1: zone, 2: region, 3: another region, 4: one that is not the one to fail over to."""
    region, zone, subzone = _parts(place.locality)
    to = next((to for origin, to in settings.failover if origin == region), None)

    def distance(member: Member) -> int:
        its_region, its_zone, its_subzone = _parts(member.locality)
        if its_region != region:
            return 3 if to is None or its_region == to else 4
        if its_zone != zone:
            return 2
        return 0 if its_subzone == subzone else 1

    return distance


def _by_labels(settings: Localities, place: Place) -> Callable[[Member], int]:
    """How many of the labels, from the first that differs on, are not as the gateway's or as they should be."""
    own = _labels(place)
    wanted = []
    for priority in settings.priorities:
        key, equals, value = priority.partition("=")
        wanted.append((key, value if equals else own.get(key, "")))

    def distance(member: Member) -> int:
        labels = _labels(member)
        for matched, (key, value) in enumerate(wanted):
            if labels.get(key, "") != value:
                return len(wanted) - matched
        return 0

    return distance


_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


def _labels(member: Member) -> dict[str, str]:
    """Return the labels, those that say the locality included."""
    located = {key: part for key, part in zip(_TOPOLOGY, _parts(member.locality), strict=True) if part}
    return {**located, **dict(member.labels)}
