"""
Contexts of servers, each made once: what was made to see whether OpenSSL takes key material is what a server then gets.

Whoever checks documents makes contexts, and does not know yet which server will be served, nor whether any is;
whoever serves knows which servers keep the contexts that they have.
"""

from __future__ import annotations

from OpenSSL import SSL

from edgegate.tls.choice import choice
from edgegate.tls.contexts import assign, unassigned_context
from edgegate.tls.secrets import ResolvedTLS


class ServerContexts:
    """
    Makes the contexts of servers.

    One thread at a time checks; meanwhile another one may take.

    @ivar made: How many so far.
    """

    def __init__(self) -> None:
        self.made = 0
        self._ahead: dict[ResolvedTLS, SSL.Context] = {}
        self._sound: set[ResolvedTLS] = set()
        self._sound_before: set[ResolvedTLS] = set()

    def begin(self) -> None:
        """Begin to check anew. What was checked neither since the last time nor in the time before is forgotten."""
        self._ahead = {tls: context for tls, context in list(self._ahead.items()) if tls in self._sound}
        self._sound_before, self._sound = self._sound, set()

    def check(self, tls: ResolvedTLS) -> None:
        """
        See whether a server can be served, and keep the contexts for it. What was found good the last time is.

        @raise edgegate.tls.secrets.BadKeyMaterial: A certificate, key, authorities or ciphers are of no use.
        """
        for each in choice(tls).all():
            if each not in self._sound and each not in self._sound_before:
                self._ahead[each] = self._make(each)
            self._sound.add(each)

    def take(self, tls: ResolvedTLS, identity: str) -> SSL.Context:
        """
        Return a context that belongs to one server from now on.

        @param identity: Tells servers apart that are alike in all the rest.
        @raise edgegate.tls.secrets.BadKeyMaterial: See L{check}; not of what was checked.
        """
        context = self._ahead.pop(tls, None)
        if context is None:
            context = self._make(tls)
        assign(context, tls, identity)
        return context

    def _make(self, tls: ResolvedTLS) -> SSL.Context:
        context = unassigned_context(tls)
        self.made += 1
        return context
