# Compiled: kept by a hot module for each cluster.
"""
Who of a cluster's endpoints can be chosen now, and by whom.

Made anew when the endpoints or the rules change; looked through anew when it
changes which endpoints are fit. Neither happens per request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from random import Random

from edgegate.model.clusters import Balancing, ConsistentHash, LoadBalancer
from edgegate.upstream.balancing import Chooser, Only
from edgegate.upstream.balancing.edf import EDFScheduler
from edgegate.upstream.balancing.hash_balancer import HashBalancer, Table, Tabled, hash64
from edgegate.upstream.balancing.least_request import LeastRequest, weighted_least_request
from edgegate.upstream.balancing.maglev import Maglev
from edgegate.upstream.balancing.original_dst import OriginalDestination
from edgegate.upstream.balancing.random import Drawn, Spread
from edgegate.upstream.balancing.ring import Ring, replicas
from edgegate.upstream.balancing.round_robin import RoundRobin
from edgegate.upstream.balancing.slow_start import warming, warmth
from edgegate.upstream.balancing.stepping import Steps
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.locality import Place, ability, grouping, priority_shares, weighted_shares

AT_ONCE = 4096
"""Slots of a table that is made when it is needed, in one go: some milliseconds."""


class Group:
    """
    Endpoints that are as good as each other.

    @ivar weight: Of the group, where it counts.
    @ivar tabled: The table that requests are hashed by, if there is one: that of these endpoints, or while it is made
        the one from before they changed.
    """

    __slots__ = ("_abandoned", "_making", "_told", "endpoints", "tabled", "weight", "weights")

    def __init__(self, endpoints: Sequence[EndpointState], weights: Sequence[float], weight: int = 1) -> None:
        self.endpoints = endpoints
        self.weights = weights
        self.weight = weight
        self.tabled: Tabled | None = None
        self._making = self._abandoned = False
        self._told: list[Callable[[], None]] = []

    @property
    def current(self) -> bool:
        """Whether there is a table, and it is of these endpoints."""
        return self.tabled is not None and self.tabled.endpoints is self.endpoints

    def make(self, rule: ConsistentHash, steps: Steps, done: Callable[[], None] | None = None) -> None:
        """
        Make the table of all its endpoints, at once where it is small, or else in steps.

        @param done: Called when it is there, at once or later; several may wait.
        """
        if not self.current and not self._making:
            names = [str(endpoint.address) for endpoint in self.endpoints]
            made = Maglev if rule.maglev else Ring
            work = self._steps(made.steps(names, self.weights, rule.size))
            if slots(rule, self.weights) <= AT_ONCE:
                for _ in work:
                    pass
            else:
                self._making = True
                steps.add(work)
        if done is not None:
            if self.current:
                done()
            elif done not in self._told:
                self._told.append(done)

    def abandon(self) -> None:
        """Others take its place: leave undone what is being made."""
        self._making = self._abandoned = True
        self._told = []

    def _steps(self, steps: Iterator[Table | None]) -> Iterator[None]:
        for table in steps:
            if self._abandoned:
                return
            if table is None:
                yield None
            else:
                self.tabled = Tabled(table, self.endpoints)
        told, self._told = self._told, []
        for done in told:
            done()


def slots(rule: ConsistentHash, weights: Sequence[float]) -> int:
    """Return how large the table of some endpoints is."""
    return rule.size if rule.maglev else sum(replicas(weights, rule.size))


class Selection:
    """The choice among some endpoints."""

    __slots__ = (
        "_balancer",
        "_groups",
        "_min_health",
        "_random",
        "_seconds",
        "_steps",
        "_usable",
        "_wanting",
        "_weighted",
    )

    def __init__(
        self,
        balancer: LoadBalancer,
        endpoints: Sequence[EndpointState],
        place: Place,
        min_health: float | None,
        random: Random,
        seconds: Callable[[], float],
        steps: Steps,
        before: Selection | None = None,
    ) -> None:
        """
        @param steps: Makes large tables.
        @param before: Of the same cluster before the change, whose tables serve while the new ones are made.
        @param min_health: Share of fit endpoints below which all are taken for fit; L{None}: nobody looks after who is.
        """
        self._balancer = balancer
        self._min_health = min_health or 0.0
        self._random = random
        self._seconds = seconds
        self._usable: list[list[EndpointState]] = []
        found = grouping(endpoints, balancer.localities, place, min_health is not None)
        self._weighted = bool(found.weights)
        groups = []
        for members, weight in zip(found.groups, found.weights or (1,) * len(found.groups), strict=True):
            group = [endpoints[index] for index in members]
            groups.append(Group(group, [endpoint.weight for endpoint in group], weight))
        self._groups = _joined(groups) if self._weighted and balancer.hash is not None else groups
        self._steps = steps
        self._wanting: list[Group] = []
        if before is not None:
            for old in before._groups:
                old.abandon()
            for new, old in zip(self._groups, before._groups, strict=False):
                new.tabled = old.tabled

    @property
    def wanting(self) -> bool:
        """Whether L{refit} had nothing to choose by, until L{prepare} has it made."""
        return bool(self._wanting)

    def prepare(self, done: Callable[[], None]) -> None:
        """
        Have the tables made that were wanting when the choice was refitted last.

        @param done: Called when one more is there, at once or later: the choice is to be refitted then.
        """
        rule, wanting = self._balancer.hash, self._wanting
        if rule is not None:
            for group in wanting:
                group.make(rule, self._steps, done)

    def refit(self) -> Chooser | None:
        """
        Look through the endpoints anew, and return what chooses among those that are fit, if any are and there is what
        to choose by; see L{wanting}.
        """
        self._wanting = []
        groups = self._groups
        counts = [(sum(each.fit for each in group.endpoints), len(group.endpoints)) for group in groups]
        panicking = self._panicking(counts)
        self._usable = [
            [endpoint for endpoint in group.endpoints if panics or endpoint.fit]
            for panics, group in zip(panicking, groups, strict=True)
        ]
        shares = self._shares(counts, panicking)
        taken = [index for index, share in enumerate(shares) if share > 0]
        choosers = [self._chooser(groups[index], self._usable[index]) for index in taken]
        if self._wanting:
            return None
        if len(choosers) < 2:
            return choosers[0] if choosers else None
        return Spread(choosers, [shares[index] for index in taken], self._random)

    def others(self, tried: Collection[EndpointState], key: int | None) -> Iterator[EndpointState]:
        """
        Yield who can be chosen and was not tried, the nearest first; nobody's turn is used up.

        Where there is a key its next endpoint is always the same; else chance tells, so that those who take over from
        a dead one share its load.
        """
        for usable in self._usable:
            left = [endpoint for endpoint in usable if endpoint not in tried]
            if key is not None:
                left.sort(key=lambda endpoint: hash64(f"{key} {endpoint.address}".encode()))
            elif len(left) > 1:
                first = Drawn(left, self._random).choose(None)
                start = left.index(first)
                left = left[start:] + left[:start]
            yield from left

    def warming(self) -> float:
        """Return the seconds until no endpoint is warmed up any more."""
        warmup = self._balancer.warmup
        if warmup is None:
            return 0.0
        now = self._seconds()
        return max((warming(warmup, usable, now) for usable in self._usable), default=0.0)

    def _panicking(self, counts: Sequence[tuple[int, int]]) -> list[bool]:
        """
        Tell of each group whether all its endpoints are taken for fit.

        Of several levels none is while together they can take the whole load, as in Envoy.
        """
        least = self._min_health
        if self._weighted:
            fit, total = sum(fit for fit, _ in counts), sum(total for _, total in counts)
            return [fit < least * total] * len(counts)
        if len(counts) > 1 and sum(ability(fit, total) for fit, total in counts) >= 1.0:
            return [False] * len(counts)
        return [fit < least * total for fit, total in counts]

    def _shares(self, counts: Sequence[tuple[int, int]], panicking: Sequence[bool]) -> list[float]:
        """Return the share of the load of each group."""
        if not any(fit for fit, _ in counts):
            # nobody is fit: where that means everybody, the load goes where the endpoints are
            return [float(panics and total) for panics, (_, total) in zip(panicking, counts, strict=True)]
        if self._weighted:
            return weighted_shares(counts, [group.weight for group in self._groups])
        return priority_shares(counts)

    def _chooser(self, group: Group, usable: list[EndpointState]) -> Chooser:
        balancer, random = self._balancer, self._random
        rule = balancer.hash
        chooser: Chooser
        if len(usable) == 1:
            chooser = Only(usable[0])
        elif rule is not None:
            chooser = HashBalancer(self._tabled(group, rule, usable), usable, random)
        elif balancer.simple is Balancing.RANDOM:
            chooser = Drawn(usable, random)
        elif balancer.simple is Balancing.PASSTHROUGH:
            chooser = OriginalDestination(usable)
        else:
            weight = self._warm_weight(usable)
            if balancer.simple is Balancing.ROUND_ROBIN:
                chooser = RoundRobin(usable) if weight is None else EDFScheduler(usable, weight)
            elif weight is None and len({endpoint.weight for endpoint in usable}) == 1:
                chooser = LeastRequest(usable, random)
            else:
                chooser = weighted_least_request(usable, weight or _weight)
        return chooser

    def _tabled(self, group: Group, rule: ConsistentHash, usable: Collection[EndpointState]) -> Callable[[], Tabled]:
        """Return what has the table of a group, and has it made at the first choice where that is still to be done."""
        if slots(rule, group.weights) > AT_ONCE:
            tabled = group.tabled
            # one from before with none who may be chosen now is of no use
            if tabled is None or not any(endpoint in usable for endpoint in tabled.endpoints):
                self._wanting.append(group)

        def found() -> Tabled:
            if not group.current:
                group.make(rule, self._steps)
            assert group.tabled is not None
            return group.tabled

        return found

    def _warm_weight(self, usable: list[EndpointState]) -> Callable[[EndpointState], float] | None:
        """Return what tells the weights of endpoints while some of them are new."""
        warmup, seconds = self._balancer.warmup, self._seconds
        if warmup is None or not warming(warmup, usable, seconds()):
            return None
        rule = warmup
        return lambda endpoint: endpoint.weight * warmth(rule, seconds() - endpoint.since)


def _weight(endpoint: EndpointState) -> float:
    return endpoint.weight


def _joined(groups: list[Group]) -> list[Group]:
    """Return one group of all, in which each endpoint has its share of its group's weight: a key has one table."""
    endpoints: list[EndpointState] = []
    weights: list[float] = []
    for group in groups:
        total = sum(group.weights)
        endpoints.extend(group.endpoints)
        weights.extend(group.weight * weight / total for weight in group.weights)
    return [Group(endpoints, weights)] if endpoints else []
