# Hot path: looked up for each new connection on a port that speaks TLS.
"""The SNI context map: which server a client means, and the OpenSSL context that serves it."""

from __future__ import annotations

from OpenSSL import SSL

from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.contexts import server_context

Found = tuple[FilterChain, SSL.Context | None]


class ContextMap:
    """
    Finds a listener's filter chain by SNI name, with a context of its own.

    Made whole before a Snapshot is served, never changed. A chain has one
    context, under however many names it is found; two chains never share one,
    were they alike in everything, so that no session crosses servers.
    """

    __slots__ = ("_table",)

    def __init__(self, listener: Listener) -> None:
        """
        @raise edgegate.tls.secrets.BadKeyMaterial: A server's certificate, key, authorities or ciphers are of no use.
        """
        contexts: dict[int, SSL.Context | None] = {}
        entries: list[tuple[str, Found]] = []
        for pattern, chain in listener.secure.items():
            if id(chain) not in contexts:
                identity = f"{listener.name} {chain.name}"
                contexts[id(chain)] = server_context(chain.tls, identity) if chain.tls is not None else None
            entries.append((pattern, (chain, contexts[id(chain)])))
        self._table: HostTable[Found] = HostTable(entries)

    def lookup(self, server_name: str) -> Found | None:
        """
        Return the chain for an SNI name in normal form, and its context; L{None} for the context where TLS is passed
        through, and altogether where no server has that name.

        @param server_name: Empty for a client that names nobody: it finds only the server of C{*}.
        """
        return self._table.lookup(server_name)

    def __len__(self) -> int:
        return len(self._table)
