"""What the admin listener asks of the gateway."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred

from edgegate.model.addresses import Address
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.server.reload import Reload
from edgegate.tls.secret_store import Secrets
from edgegate.upstream.registry import ClusterRegistry


class Gateway(Protocol):
    """A gateway that can be looked into; an C{edgegate.server.service.GatewayService}."""

    @property
    def config(self) -> str:
        """The path of its files, absolute; C{-} for standard input."""

    @property
    def snapshot(self) -> Snapshot:
        """What is served now."""

    @property
    def secrets(self) -> Secrets:
        """The key material that the Snapshot names."""

    @property
    def clusters(self) -> ClusterRegistry:
        """The state of its clusters."""

    @property
    def ready(self) -> bool:
        """Whether requests are served."""

    @property
    def last_reload(self) -> Reload:
        """What came of the last reading of the files."""

    def bound(self, listener: Listener) -> Address | None:
        """Return the address that is bound for a listener."""

    def reload(self) -> Deferred[Reload]:
        """Read the files again; fires with what came of it, never with a failure."""
