# Hot path: told of each response of clusters that have outlier detection.
"""Whose turn it is among the endpoints of a cluster, as far as they are fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgegate.model.clusters import Balancing, Cluster
from edgegate.net.wheel import Deadline
from edgegate.upstream.balancing import Chooser, Only
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.environment import ClusterEnvironment
from edgegate.upstream.health.host_health import HostHealth
from edgegate.upstream.selection import Selection


class ClusterLoadBalancer:
    """
    Joins what is known of the health of a cluster's endpoints with how they are chosen.

    @ivar health: Told of how endpoints do.
    @ivar selection: Who can be chosen; L{None} until L{follow} was called.
    @ivar chooser: Chooses; L{None}: nobody can be chosen, or what is chosen by is not made yet.
    @ivar only: The endpoint where there is but one that can be chosen, else L{None}.
    @ivar unprepared: Whether it lacks a table to choose by, which L{prepare} has made.
    """

    __slots__ = (
        "_changed",
        "_environment",
        "_stopped",
        "_warm",
        "chooser",
        "health",
        "only",
        "selection",
        "unprepared",
    )

    def __init__(self, name: str, environment: ClusterEnvironment, changed: Callable[[], None]) -> None:
        """
        @param name: The cluster's.
        @param changed: Called when time or the health of endpoints has changed who is chosen, until L{stop}.
        """
        self._environment = environment
        self._changed = changed
        self._stopped = False
        self.health = HostHealth(name, environment.wheel, environment.probing, self._health_changed)
        self._warm = Deadline(environment.wheel, self._health_changed)
        self.selection: Selection | None = None
        self.chooser: Chooser | None = None
        self.only: EndpointState | None = None
        self.unprepared = False

    def follow(self, cluster: Cluster, endpoints: Sequence[EndpointState]) -> None:
        """Begin to choose anew: the endpoints or the rules have changed."""
        environment, balancer, rules = self._environment, cluster.balancer, cluster.outliers
        before, self.selection = self.selection, None
        if not self._stopped:
            self.health.watch(endpoints, rules)
        min_health = rules.min_health if rules is not None else 0.0 if self.health.probed else None
        self.selection = Selection(
            balancer,
            endpoints,
            environment.place,
            min_health,
            environment.random,
            environment.wheel.clock.seconds,
            environment.steps,
            before,
        )
        self.refit()

    def refit(self) -> None:
        """It has changed which endpoints are fit, what they weigh, or what there is to choose by."""
        selection = self.selection
        if selection is None:
            return
        self.chooser = chooser = selection.refit()
        self.only = chooser.endpoint if isinstance(chooser, Only) else None
        self.unprepared = selection.wanting
        warming = selection.warming()
        if warming and not self._stopped:
            self._warm.start(warming)

    def prepare(self, done: Callable[[], None]) -> None:
        """
        Somebody waits: have the tables made that are wanting.

        @param done: Called when one more is there, at once or later: L{refit} is to be called then.
        """
        selection = self.selection
        if selection is not None and self.unprepared:
            selection.prepare(done)

    def stop(self) -> None:
        """Look after nobody's health and call nobody any more. It still chooses, and follows."""
        self._stopped = True
        self._changed = _nothing
        self.health.stop()
        self._warm.end()

    def _health_changed(self) -> None:
        if self.selection is not None:
            self.refit()
            self._changed()


def keyed(cluster: Cluster) -> bool:
    """Whether who asks for an endpoint should bring a key."""
    balancer = cluster.balancer
    return balancer.hash is not None or balancer.simple is Balancing.PASSTHROUGH


def _nothing() -> None:
    """Nobody is told."""
