"""
Which key material a credential names: in what was read once, and in a gateway that runs.

A Snapshot only names key material. Whoever reads documents (L{edgegate.sources.key_inspector}) collects what they name
as L{Secrets}; the L{SecretStore} of a gateway has what is in force, and is where a secret can be replaced while the
Snapshot stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from edgegate.model.tls import Credential, KeyPair, ServerTLS, UpstreamTLS
from edgegate.tls.secrets import BadKeyMaterial, ResolvedTLS
from edgegate.tls.server_contexts import ServerContexts


class Secrets:
    """
    Key pairs by what names them. Never changed.

    @ivar contexts: Makes the contexts of servers that are served with them.
    """

    def __init__(self, pairs: Iterable[KeyPair] = (), contexts: ServerContexts | None = None) -> None:
        self._pairs = {pair.credential: pair for pair in pairs}
        self.contexts = ServerContexts() if contexts is None else contexts

    def __repr__(self) -> str:
        return f"<Secrets {', '.join(credential.name for credential in self._pairs)}>"

    def __iter__(self) -> Iterator[KeyPair]:
        """Yield all key pairs."""
        return iter(self._pairs.values())

    def pair(self, credential: Credential) -> KeyPair:
        """
        Return what is named.

        @raise BadKeyMaterial: Nothing is.
        """
        found = self._pairs.get(credential)
        if found is None:
            raise BadKeyMaterial(credential.name, "nothing is known of this certificate and its key")
        return found

    def resolve(self, tls: ServerTLS) -> ResolvedTLS:
        """
        Return a server's TLS with its key material.

        @raise BadKeyMaterial: Some is not there.
        """
        return ResolvedTLS(tuple(map(self.pair, tls.credentials)), tls.rules, tls.alpn)

    def shown_to(self, tls: UpstreamTLS) -> KeyPair | None:
        """
        Return what backends are shown.

        @raise BadKeyMaterial: It is not there.
        """
        return None if tls.credential is None else self.pair(tls.credential)

    def replaced(self, *pairs: KeyPair) -> Secrets:
        """Return these with other key pairs in the place of some, or some more."""
        return Secrets([*self._pairs.values(), *pairs], self.contexts)

    def renewed_since(self, before: Secrets) -> frozenset[Credential]:
        """Return what names another key pair than it did before."""
        both = self._pairs.keys() & before._pairs.keys()
        return frozenset(each for each in both if self._pairs[each] != before._pairs[each])

    def over(self, read: Secrets, before: Secrets) -> Secrets:
        """
        Return what is in force after the documents were read anew, where these are in force now.

        @param read: What they name now.
        @param before: What they named when they were read the last time. Where it is what it was, where there is a
            placeholder now, and where documents say nothing of a secret, these stay.
        """
        pairs = {credential: pair for credential, pair in self._pairs.items() if credential not in before._pairs}
        for credential, pair in read._pairs.items():
            held = self._pairs.get(credential, pair)
            same = pair.placeholder and not (held.placeholder and held.withheld != pair.withheld)
            pairs[credential] = held if same or before._pairs.get(credential) == pair else pair
        return Secrets(pairs.values(), read.contexts)


Renew = Callable[[Secrets], None]
"""Serves with other secrets from now on, or raises L{BadKeyMaterial} and changes nothing."""


class SecretStore:
    """
    What is in force in a gateway. Belongs to the reactor's thread but for L{planned}.

    Files are read by nobody here: a reload brings what they say with L{take}; who has key material from elsewhere, as
    from an authority that is asked for it, puts it with L{put}.

    @ivar secrets: What is in force.
    """

    def __init__(self, renew: Renew) -> None:
        """
        @param renew: Told of each secret that is put, before it is in force.
        """
        self.secrets = Secrets()
        self._renew = renew
        self._read = Secrets()

    def planned(self, read: Secrets) -> Secrets:
        """Return what will be in force with what was read. What was put stays, unless the files say something else."""
        return self.secrets.over(read, self._read)

    def take(self, read: Secrets, planned: Secrets) -> None:
        """Have in force what was read, as it was planned."""
        self._read, self.secrets = read, planned

    def put(self, pair: KeyPair) -> None:
        """
        Replace what a credential names. Handshakes that begin from now on see it; connections go on.

        @raise BadKeyMaterial: It can't be served; everything is as it was.
        """
        self.put_all([pair])

    def put_all(self, pairs: Sequence[KeyPair]) -> None:
        """
        Replace what several credentials name, all of them or none; see L{put}.

        @raise BadKeyMaterial: One can't be served; everything is as it was.
        """
        secrets = self.secrets.replaced(*pairs)
        self._renew(secrets)
        self.secrets = secrets
