"""From the model to the Snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgegate.model.clusters import Endpoints
from edgegate.model.translation import Translation
from edgegate.routing.compile.listeners import ListenerCompiler
from edgegate.routing.compile.ports import ports_of
from edgegate.routing.compile.redirects import RedirectPorts
from edgegate.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Compiled:
    """
    What the files come to.

    @ivar endpoints: Of the Snapshot's clusters. They go to the cluster registry by a path of their own.
    """

    snapshot: Snapshot
    endpoints: Endpoints = field(default_factory=dict)


def compile_snapshot(translation: Translation, port_map: Mapping[int, int]) -> Compiled:
    """
    Compile all that the files say.

    Everything that is wrong is reported to the translation, and left out: the result is to be served only where there
    are no errors at all.

    @param port_map: The numbers to bind in place of those in the files.
    """
    ports = ports_of(translation.servers, port_map, translation.report)
    served = [server for port in ports for server in port.servers]
    attached = translation.attach(served)
    listeners = ListenerCompiler(attached, RedirectPorts(served), translation.report)
    opened = tuple(listeners.listener(port) for port in ports if port.servers)
    snapshot = Snapshot(
        opened,
        attached.clusters,
        attached.access_logs,
        attached.proxy,
        attached.tracing,
        attached.metrics,
        attached.certificates,
        attached.on_demand,
    )
    return Compiled(snapshot, attached.endpoints)
