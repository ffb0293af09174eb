"""OpenSSL's contexts of one Snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgegate.model.addresses import Address
from edgegate.model.tls import UpstreamTLS
from edgegate.routing.snapshot import Snapshot
from edgegate.tls.client_contexts import ClientContext
from edgegate.tls.sni import ContextMap


@dataclass(frozen=True, slots=True)
class Contexts:
    """
    OpenSSL's contexts.

    @ivar servers: Those of each listener, by what it binds.
    @ivar clients: Those for backends, by the terms on which they are spoken to.
    """

    servers: Mapping[Address, ContextMap] = field(default_factory=dict)
    clients: Mapping[UpstreamTLS, ClientContext] = field(default_factory=dict)

    def following(self, snapshot: Snapshot) -> Contexts:
        """
        Return the contexts of the next Snapshot. Those of servers that did not change are kept, with the keys of their
        session tickets, and so are those for backends, with their sessions.

        @raise edgegate.tls.secrets.BadKeyMaterial: A certificate, key, authorities or ciphers are of no use.
        """
        servers, clients = self.servers, self.clients
        terms = {cluster.tls for cluster in snapshot.clusters.values() if cluster.tls is not None}
        return Contexts(
            {listener.bind: ContextMap(listener, servers.get(listener.bind)) for listener in snapshot.listeners},
            {tls: clients.get(tls) or ClientContext(tls) for tls in terms},
        )
