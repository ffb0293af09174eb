"""The two sides of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edgegate.explain.decision import Decider
from edgegate.model.clusters import Endpoints
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.tls.secret_store import Secrets


@dataclass(frozen=True, slots=True)
class Side:
    """
    What files come to.

    @ivar name: What the user calls them.
    @ivar secrets: The key material that the Snapshot names.
    """

    name: str
    snapshot: Snapshot
    endpoints: Endpoints = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)

    def decider(self, listener: Listener | None) -> Decider:
        """Return what decides questions to one listener, by its routes alone; L{None}: there is none."""
        listeners = () if listener is None else (listener,)
        return Decider(replace(self.snapshot, listeners=listeners), policies=False)
