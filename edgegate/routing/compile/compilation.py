"""From the model to the Snapshot."""

from __future__ import annotations

from collections.abc import Mapping

from edgegate.model.translation import Translation
from edgegate.routing.compile.listeners import ListenerCompiler
from edgegate.routing.compile.ports import ports_of
from edgegate.routing.compile.redirects import RedirectPorts
from edgegate.routing.snapshot import Snapshot


def compile_snapshot(translation: Translation, port_map: Mapping[int, int]) -> Snapshot:
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
    return Snapshot(tuple(listeners.listener(port) for port in ports if port.servers), attached.clusters)
