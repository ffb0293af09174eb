"""OpenSSL's contexts of one Snapshot and the key material that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgegate.model.addresses import Address
from edgegate.model.tls import KeyPair, UpstreamTLS
from edgegate.routing.snapshot import Snapshot
from edgegate.tls.client_contexts import ClientContext
from edgegate.tls.secret_store import Secrets
from edgegate.tls.sni import ContextMap


@dataclass(frozen=True, slots=True)
class Contexts:
    """
    OpenSSL's contexts.

    @ivar read: The key material that the documents name.
    @ivar secrets: What the contexts were made of: the same, but for what was put in its place since.
    @ivar servers: Those of each listener, by what it binds.
    @ivar clients: Those for backends, by the terms on which they are spoken to.
    """

    read: Secrets = field(default_factory=Secrets)
    secrets: Secrets = field(default_factory=Secrets)
    servers: Mapping[Address, ContextMap] = field(default_factory=dict)
    clients: Mapping[UpstreamTLS, ClientContext] = field(default_factory=dict)

    def following(self, snapshot: Snapshot, read: Secrets, secrets: Secrets) -> Contexts:
        """
        Return the contexts of the next Snapshot. Those of servers that did not change are kept, with the keys of their
        session tickets, and so are those for backends, with their sessions.

        @param read: The key material that the documents name.
        @param secrets: What is to be in force.
        @raise edgegate.tls.secrets.BadKeyMaterial: A certificate, key, authorities or ciphers are of no use.
        """
        servers, clients = self.servers, self.clients
        terms = {cluster.tls for cluster in snapshot.clusters.values() if cluster.tls is not None}
        return Contexts(
            read,
            secrets,
            {
                listener.bind: ContextMap(listener, secrets, servers.get(listener.bind))
                for listener in snapshot.listeners
            },
            {tls: _client_context(tls, secrets.shown_to(tls), clients.get(tls)) for tls in terms},
        )


def _client_context(tls: UpstreamTLS, pair: KeyPair | None, before: ClientContext | None) -> ClientContext:
    """Return the context for backends that are spoken to on some terms: the one before where it still is right."""
    return before if before is not None and before.pair == pair else ClientContext(tls, pair)
