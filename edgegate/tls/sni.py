# Hot path: looked up for each new connection on a port that speaks TLS.
"""The SNI context map: which server a client means, and the OpenSSL context that serves it."""

from __future__ import annotations

from dataclasses import replace

from OpenSSL import SSL

from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.tls import KeyPair
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.choice import choice, names_of
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import ResolvedTLS

Found = tuple[FilterChain, SSL.Context | None]


class ContextMap:
    """
    Finds a listener's filter chain by SNI name, with a context of its own.

    Made whole before a Snapshot is served, never changed. A chain has one
    context, under however many names it is found, unless it has several
    certificates of one kind: then it has one for each choice among them. Two chains
    never share one, were they alike in everything, so that no session crosses
    servers.
    """

    __slots__ = ("_contexts", "_named", "_only", "_table")

    def __init__(self, listener: Listener, secrets: Secrets, before: ContextMap | None = None) -> None:
        """
        @param secrets: What the servers' credentials name.
        @param before: Of the same port before. Servers that did not change keep their context, and
            with it the keys of their session tickets.
        @raise edgegate.tls.secrets.BadKeyMaterial: A server's certificate, key, authorities or ciphers are of no use.
        """
        kept = dict(before._contexts) if before is not None else {}
        self._contexts: dict[tuple[str, ResolvedTLS], SSL.Context] = {}
        self._named: dict[int, dict[str, Found | None]] = {}
        contexts: dict[int, SSL.Context | None] = {}
        entries: list[tuple[str, Found]] = []
        for pattern, chain in listener.secure.items():
            if id(chain) not in contexts:
                contexts[id(chain)] = self._add(f"{listener.name} {chain.name}", chain, secrets, kept)
            # what a wildcard of such a server stands for has a certificate of its own, that somebody else knows
            demanded = chain.tls is not None and chain.tls.on_demand and pattern[0] == "*"
            entries.append((pattern, (chain, None if demanded else contexts[id(chain)])))
        self._table: HostTable[Found] = HostTable(entries)
        self._only = entries[0][1] if len(contexts) == 1 and entries[0][1][1] is not None else None

    def _add(
        self,
        identity: str,
        chain: FilterChain,
        secrets: Secrets,
        kept: dict[tuple[str, ResolvedTLS], SSL.Context],
    ) -> SSL.Context | None:
        """Make the contexts of a chain, and return the one for names that have none of their own."""
        if chain.tls is None:
            return None
        resolved = secrets.resolve(chain.tls)
        shown = tuple(pair for pair in resolved.certificates if not pair.withheld)
        withheld = len(shown) < len(resolved.certificates)
        # where nothing is shown there is a context all the same: TLS is ended here
        chosen = choice(replace(resolved, certificates=shown) if shown and withheld else resolved)
        contexts: dict[ResolvedTLS, SSL.Context] = {}
        for tls in chosen.all():
            key = identity, tls
            self._contexts[key] = contexts[tls] = kept.pop(key) if key in kept else secrets.contexts.take(tls, identity)
        named: dict[str, Found | None] = {name: (chain, contexts[tls]) for name, tls in chosen.named.items()}
        if withheld:
            named = {**_names_withheld(resolved, shown), **named} if shown else {}
        if named or withheld:
            self._named[id(chain)] = named
        return contexts[chosen.usual]

    def lookup(self, server_name: str, local: Address | None = None) -> Found | None:
        """
        Return the chain for an SNI name in normal form, and its context; L{None} for the context where TLS is passed
        through, or ended with a certificate on demand; and altogether where no server has that name, or its certificate
        is withheld.

        @param server_name: Empty for a client that names nobody: it finds the server of C{*}, or the only one where
            there is but one that ends TLS. (In Istio it finds the server of C{*} alone.)
        @param local: Where such a client has connected to: of several certificates it is shown that for this address,
            since who asks for an IP address sends no SNI (RFC 6066 section 3).
        """
        found = self._table.lookup(server_name)
        if found is None:
            if server_name:
                return None
            found = self._only
        if found is None or not self._named:
            return found
        if not server_name and isinstance(local, TCPAddress):
            return self._with_certificate(found, f"[{local.host}]" if ":" in local.host else local.host)
        return self._with_certificate(found, server_name)

    def _with_certificate(self, found: Found, server_name: str) -> Found | None:
        """
        Return a chain with the context of the certificate for a name, where it has several of one kind; L{None}: it is
        withheld.
        """
        named = self._named.get(id(found[0]))
        if named is None:
            return found
        if not named:
            # but for those whose certificates are on demand
            return None if found[1] is not None else found
        if server_name in named:
            return named[server_name]
        return named.get("*." + server_name.partition(".")[2], found)

    def withholds(self, server_name: str, local: Address | None = None) -> bool:
        """Whether there is a server for a name that has nothing to show for it yet, so that L{lookup} returns none."""
        there = self._table.lookup(server_name) or (None if server_name else self._only)
        return there is not None and self.lookup(server_name, local) is None

    def __len__(self) -> int:
        return len(self._table)


def _names_withheld(tls: ResolvedTLS, shown: tuple[KeyPair, ...]) -> dict[str, Found | None]:
    """Return the names for which a server shows nothing yet, though it does for others."""
    borne = {name for pair in shown for name in names_of(pair)}
    names = {name for pair in tls.certificates if pair.withheld for name in names_of(pair)}
    return dict.fromkeys(names - borne)
